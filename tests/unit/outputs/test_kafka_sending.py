"""A call of librdkafka that never comes back holds up nobody for long."""

from __future__ import annotations

import threading

import pytest

from tailrace.config.targets.kafka import KafkaOutput
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.kafka import sending
from tailrace.outputs.kafka.sending import Sender


def sender() -> Sender:
    """One that has no producer."""
    made = Sender.__new__(Sender)
    made._config = KafkaOutput(topic="t")
    return made


def test_a_transaction_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "OVERTIME_SECONDS", 0.05)
    released = threading.Event()
    monkeypatch.setattr(Sender, "_transaction", lambda *_: released.wait())
    with pytest.raises(UnreachableError, match="did not answer"):
        sender().send((), 0, 0.05)
    released.set()


def test_its_errors_are_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OutputError("the cluster says no")

    monkeypatch.setattr(Sender, "_transaction", fails)
    with pytest.raises(OutputError, match="says no"):
        sender().send((), 0, 1.0)
    monkeypatch.setattr(Sender, "_transaction", lambda *_: None)
    sender().send((), 0, 1.0)
