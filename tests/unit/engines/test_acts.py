"""What people ask for while a pipeline runs: what can't be done is said, a failure ends the run."""

from concurrent.futures import Future
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from tailrace.alerts.verdicts import Act
from tailrace.engines.acting import ActError, Request
from tailrace.engines.acts import Acts
from tailrace.errors import StoreError

REQUEST = Request(Act.BAN, "bots", ("k",))
ERRORS: list[tuple[Exception, bool, type[Exception]]] = [
    (ActError("no such list"), False, ActError),
    (StoreError("the disk is full"), True, StoreError),
    (OSError("the disk is gone"), True, StoreError),
]


@pytest.mark.parametrize(("error", "ends", "told"), ERRORS)
def test_an_error_is_told_and_ends_the_run_if_it_is_no_answer(
    error: Exception, ends: bool, told: type[Exception]
) -> None:
    acts = Acts()
    future: Future[Any] = Future()
    acts._waiting.append((REQUEST, future))

    def act(_: Request) -> None:
        raise error

    session: Any = SimpleNamespace(act=act)
    with pytest.raises(type(error)) if ends else nullcontext():
        assert list(acts.take(session)) == []
    assert type(future.exception()) is told
    assert not acts.waiting
