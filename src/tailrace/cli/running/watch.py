"""Between the engine and the display: hears of each epoch, tells what is news, keeps the score.

Everything here runs in the engine's thread, between two epochs.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tailrace.alerts.incidents import Reason, Status
from tailrace.cli.printable import one_line, printable
from tailrace.cli.running.moment import Moment, OpenIncident, Summary
from tailrace.cli.running.news import Audience, items, note_item
from tailrace.engines.gathering import clock, live_status, with_store
from tailrace.engines.meter import Meter
from tailrace.engines.running import OnSpark
from tailrace.engines.status import ProcessStatus

if TYPE_CHECKING:
    from tailrace.alerts.incidents import Revision
    from tailrace.cli.running.display import Display
    from tailrace.engines.concluding import Result
    from tailrace.engines.control.desk import Desk
    from tailrace.engines.running import Loop
    from tailrace.engines.session import BaseSession
    from tailrace.errors import TailraceError
    from tailrace.sources.types import Note
    from tailrace.store.reading import StoreReader

TICK_SECONDS = 0.25
"""The display is drawn, and the status made, no more often than this."""
MOST_OPEN = 100_000
"""So many incidents that were open at the start are remembered."""
NEWEST = 5

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as DuckDB gives its timestamps


class Watch:
    """Follows one session. ``observe`` goes to the session, ``listen`` to the engine."""

    def __init__(self, display: Display, *, most_seconds: float | None = None) -> None:
        """``most_seconds``: the engine is stopped after so long."""
        self._display = display
        self._most_seconds = most_seconds
        self._found: deque[Result] = deque()
        self._records, self._bytes = Meter(), Meter()
        self._started = time.monotonic()
        self._started_at = clock()
        self._next_tick = 0.0
        self._open: dict[str, OpenIncident] = {}
        self._reasons = dict.fromkeys(Reason, 0)
        self._notices = 0
        self._before = 0
        self._told_error: TailraceError | None = None
        self._failing: dict[str, str] = {}
        self._engine: Loop | None = None
        self._desk: Desk | None = None
        self._taken_up: Callable[[], list[str]] = list

    def observe(self, result: Result) -> None:
        """Take a result before it is committed; it is told when the epoch is."""
        self._found.append(result)

    def begin(
        self,
        engine: Loop,
        desk: Desk | None,
        reader: StoreReader,
        taken_up: Callable[[], list[str]],
    ) -> None:
        """Know whom to watch; ``taken_up`` gives what a reload changed, once it did."""
        self._engine, self._desk, self._taken_up = engine, desk, taken_up
        session = engine.session
        recovered = sum(r.events for r in self._found)
        self._before = max(0, session.state.counts.read - recovered)
        for one in reader.open_incidents(MOST_OPEN)[1]:
            opened = (one.opened_at - _EPOCH) // timedelta(microseconds=1)
            self._open[one.fingerprint] = OpenIncident(one.rule, one.key, opened, one.summary)
        self.listen(None, ())

    def listen(self, result: Result | None, notes: tuple[Note, ...]) -> None:
        """Tell what is news; draw and post the status if it is time to."""
        del result  # ``observe`` had it, and those of recovery and reloads, too
        engine = self._engine
        if engine is None:
            return
        try:
            self._tell(engine, notes)
        except BrokenPipeError:
            raise
        except OSError:
            # The terminal is gone.
            engine.stop()

    def _tell(self, engine: Loop, notes: tuple[Note, ...]) -> None:
        session = engine.session
        audience = Audience(
            session.plan, printed=self._display.printed, logged=self._display.logged
        )
        while self._found:
            found = self._found.popleft()
            self._count(found)
            self._display.news(items(found, session.plan, audience))
        if notes:
            self._display.news(note_item(note) for note in notes)
        if engine.reload_error is not None and engine.reload_error is not self._told_error:
            lines = printable(engine.reload_error.render()).splitlines()
            self._display.say(["the changed pipeline file is not taken up:", *lines], "error")
        self._told_error = engine.reload_error
        changes = self._taken_up()
        if changes:
            self._display.say(changes)
        now = time.monotonic()
        if self._most_seconds is not None and now - self._started >= self._most_seconds:
            engine.stop()
        if now >= self._next_tick:
            self._next_tick = now + TICK_SECONDS
            self._tick(engine, now)

    def _tick(self, engine: Loop, now: float) -> None:
        session = engine.session
        self._records.observe(session.state.counts.read, now)
        self._bytes.observe(session.state.counts.bytes, now)
        if self._desk is not None:
            self._desk.post(live_status(session, self._process(engine)))
        moment = self._moment(session, now)
        self._tell_outputs(moment.errors)
        self._display.tick(moment)

    def _tell_outputs(self, errors: Mapping[str, str]) -> None:
        """Say which outputs take no more rows, and which do again; a server's words once."""
        for name, error in errors.items():
            if self._failing.get(name) != error:
                shown = one_line(error.replace("\n  Hint: ", "; "))
                told = f"output {name} takes no rows now, they wait: {shown}"
                self._display.say([told], "warning")
        for name in self._failing.keys() - errors.keys():
            self._display.say([f"output {name} takes rows again"])
        self._failing = dict(errors)

    def _count(self, result: Result) -> None:
        self._notices += len(result.notices)
        for revision in result.revisions:
            self._reasons[revision.reason] += 1
            if revision.state is Status.RESOLVED:
                self._open.pop(revision.fingerprint, None)
            else:
                self._open[revision.fingerprint] = _open_incident(revision)

    def _process(self, engine: Loop) -> ProcessStatus:
        session, times = engine.session, engine.session.times
        stages = ("read", "decode", "wait", "kernel", "commit", "deliver")
        error = engine.reload_error
        return ProcessStatus(
            pid=os.getpid(),
            started_at=self._started_at,
            seconds=time.monotonic() - self._started,
            records_per_second=self._records.per_second,
            bounded=session.source.bounded,
            times={stage: getattr(times, stage) for stage in stages},
            reload_error=None if error is None else error.render(),
            spark=engine.progress() if isinstance(engine, OnSpark) else None,
        )

    def _moment(self, session: BaseSession, now: float) -> Moment:
        state, standings = session.state, session.delivery.standings()
        watermark = session.watermark
        newest = list(self._open.values())[-NEWEST:]
        totals = session.source.totals()
        return Moment(
            pipeline=session.plan.name,
            seconds=now - self._started,
            bounded=session.source.bounded,
            totals=totals,
            bytes_per_second=self._bytes.per_second,
            read=state.counts.read,
            records_per_second=self._records.per_second,
            watermark=watermark,
            lag=None if watermark is None else (clock() - watermark) / 1_000_000,
            dead=state.counts.dead,
            waiting_rows=sum(standing.waiting_rows for standing in standings.values()),
            incidents=len(self._open),
            newest_incidents=tuple(reversed(newest)),
            errors={n: s.error for n, s in standings.items() if s.error is not None},
        )

    def summary(self, engine: Loop, reader: StoreReader, ended: str) -> Summary:
        """How the run ended."""
        status = with_store(live_status(engine.session, self._process(engine)), reader)
        return Summary(
            pipeline=status.pipeline,
            ended=ended,
            seconds=time.monotonic() - self._started,
            run_records=status.read - self._before,
            read=status.read,
            events=status.events,
            dead=status.dead,
            blank=status.blank,
            duplicates=status.duplicates,
            dead_by_code=status.dead_by_code,
            opened=self._reasons[Reason.OPENED],
            updated=self._reasons[Reason.UPDATED],
            resolved=self._reasons[Reason.RESOLVED] + self._reasons[Reason.RULE_REMOVED],
            notices=self._notices,
            open=status.incidents,
            rules=status.rules,
            outputs=status.outputs,
            tables=status.tables,
        )


def _open_incident(revision: Revision) -> OpenIncident:
    return OpenIncident(
        revision.rule,
        revision.to_json_dict()["key"],  # type: ignore[arg-type]  # an object
        revision.opened_at,
        revision.annotations.get("summary", ""),
    )
