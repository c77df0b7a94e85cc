"""What rows become in Redis, where no server here can show it: time series; and hashes' fields."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tests.services.batches import START, window_batch

from tailrace.config.outputs import Output
from tailrace.outputs import OutboxBatch
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import Content, Form, batch_table
from tailrace.outputs.redis.commands import Command, flat, writes

AT = START // 1000


def commands(count: int | None, **options: object) -> tuple[tuple[Command, ...], str | None]:
    given = {"type": "timeseries", "key": "n_{client_ip}", "value": "{count}", **options}
    config = Output.model_validate({"redis": given, "rows": "windows"})
    assert config.redis is not None
    (write,) = writes(window_batch(config, 0, ["a"], [count]), config.redis)
    assert write.key == "n_a"
    return write.commands, write.unfit


SAMPLE = ("TS.ADD", "n_a", AT + 1000, "5")
CASES: list[tuple[dict[str, object], tuple[Command, ...]]] = [
    ({}, ((*SAMPLE, "ON_DUPLICATE", "LAST"),)),
    ({"retention": "7d"}, ((*SAMPLE, "RETENTION", 604_800_000, "ON_DUPLICATE", "LAST"),)),
    (
        {"labels": {"ip": "{client_ip}", "type": "n"}},
        ((*SAMPLE, "ON_DUPLICATE", "LAST", "LABELS", "ip", "a", "type", "n"),),
    ),
    (
        {"ttl": "1m", "ttl_from": "time"},
        ((*SAMPLE, "ON_DUPLICATE", "LAST"), ("PEXPIREAT", "n_a", AT + 61_000)),
    ),
    ({"ttl": "1m"}, ((*SAMPLE, "ON_DUPLICATE", "LAST"), ("PEXPIRE", "n_a", 60_000))),
]


@pytest.mark.parametrize(("options", "expected"), CASES)
def test_samples(options: dict[str, object], expected: tuple[Command, ...]) -> None:
    assert commands(5, **options) == (expected, None)


def test_null_is_no_sample() -> None:
    assert commands(None) == ((), None)


@pytest.mark.parametrize("value", ["{client_ip}", "nan", "1e999"])
def test_what_is_no_number_is_refused(value: str) -> None:
    made, unfit = commands(5, value=value)
    assert made == ()
    assert unfit == "the value is not a number that a time series can hold"


def test_fields_of_a_hash() -> None:
    row = {"a": 1, "b": None, "c": {"d": "x", "e": {"f": True}}, "g": [1, "y"], "h": 0.5}
    assert flat(row) == {"a": "1", "c.d": "x", "c.e.f": "true", "g": '[1, "y"]', "h": "0.5"}


@pytest.mark.parametrize(("on_resolved", "written"), [("keep", True), ("delete", False)])
def test_notices_leave_no_key_that_nothing_deletes(on_resolved: str, *, written: bool) -> None:
    given = {"key": "incident:{fingerprint}", "on_resolved": on_resolved}
    config = Output.model_validate({"redis": given})
    assert config.redis is not None
    rows = batch_table({"json": pa.array(['{"id":"n"}'])}, Form.ROWS, Content.NOTICES)
    ids, times = pa.array(["n"]), pa.array([AT])
    table = addressed(rows, ids, times, config.redis.templates, {"fingerprint": "n"})
    (write,) = writes(OutboxBatch(0, table), config.redis)
    assert (write.key, bool(write.commands)) == ("incident:n", written)
