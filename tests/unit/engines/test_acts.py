"""What people ask for while a pipeline runs: what can't be done is said, a failure ends the run."""

from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.engines.pipelines import lines, plan_in

from tailrace.alerts.verdicts import Act
from tailrace.engines.acting import ActError, Request
from tailrace.engines.acts import Acts
from tailrace.engines.concluding import Result
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.liveness import LivenessClock
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


SECOND = 1_000_000


def test_it_holds_from_the_clock_on_while_all_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1]))
    plan = plan_in(tmp_path, follow=True, extra="verdicts: {bots: {from: [many], for: 1m}}\n")
    session = open_session(plan, tmp_path / "store.duckdb")
    asked = Request(Act.BAN, "bots", ("k",), lasts=10 * SECOND)
    future: Future[Any] = Future()

    def listen(result: Result | None, _notes: object) -> None:
        if result is not None and result.events:
            session.acts._waiting.append((asked, future))
            monkeypatch.setattr(LivenessClock, "watermark", lambda *_: 1000 * SECOND)
        if future.done():
            engine.stop()

    engine = Engine(session, make_decoder, listen=listen)
    try:
        engine.run()
        kinds = [kind for _, kind, _ in session.store.decisions()]
    finally:
        session.close()
    (change,) = future.result().verdicts
    assert (change.at, change.until) == (1000 * SECOND + 1, 1010 * SECOND + 1)
    assert kinds[-2:] == ["clock", "manual"]
