"""The embedded engine's loop: intakes become epochs, the clock decisions, until all is read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tailrace.engines.delivery import (
    ENDED_PATIENCE_SECONDS,
    STOPPED_MOST_SECONDS,
    STOPPED_PATIENCE_SECONDS,
)
from tailrace.engines.due import stirs
from tailrace.engines.embedded.intake import Left, Reader
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.liveness import LivenessClock
from tailrace.engines.running import NOTES_SECONDS, TICK_SECONDS
from tailrace.engines.state import Liveness
from tailrace.errors import StoreError, TailraceError
from tailrace.sources.types import Parting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.engines.concluding import Result
    from tailrace.engines.embedded.intake import Intake
    from tailrace.engines.embedded.session import Session
    from tailrace.engines.references.keeper import News
    from tailrace.engines.running import Reloaded
    from tailrace.formats.decoder import Decoder
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Note

BATCH_BYTES = 24 << 20
"""What one poll reads at most while there is a backlog."""

EPOCH_BYTES = 72 << 20
"""What one epoch takes of what is decoded already: a backlog means fewer commits."""

BACKLOG_BYTES = BATCH_BYTES // 2
"""A poll that gave as much did not reach the end of what there is."""

LITTLE_BYTES = 64 << 10
"""An epoch of so much costs the same as one of nothing."""

REST = 2.0
"""After little input the next is awaited for so many times as long as the epoch took: a trickle
costs a third of a core, not all of it."""

MOST_REST_SECONDS = 0.06
"""No longer than this: alerts wait for it."""

READER_SECONDS = 2.0
"""How long a source that is being asked is waited for at a stop."""


class Engine:
    """Runs a session until its input ends or ``stop`` is called, by any thread or a signal."""

    def __init__(
        self,
        session: Session,
        make_decoder: Callable[[Plan], Decoder],
        *,
        listen: Callable[[Result | None, tuple[Note, ...]], None] = lambda _result, _notes: None,
    ) -> None:
        """The running thread calls ``listen`` after each epoch, and every quarter of a second."""
        self.session = session
        self._make_decoder = make_decoder
        self._listen = listen
        # No threading.Event: a signal handler that sets one may wait for the thread it interrupts.
        self._stop = False
        self._reload: Callable[[], Reloaded] | None = None
        self._liveness = LivenessClock(session.plan.idle_after, session.plan.grace)
        self._notes: dict[str, int] = {}
        self._notes_at = float("-inf")
        self.reload_error: TailraceError | None = None

    def stop(self) -> None:
        """Ask the loop to end after the epoch that is under way."""
        self._stop = True

    def reload(self, load: Callable[[], Reloaded]) -> None:
        """Ask the loop to take up what ``load`` gives, between two epochs.

        If it raises a TailraceError, or an output can't be opened, the old plan stays.
        """
        self._reload = load

    def run(self) -> bool:
        """Run; True if the input was read to its end, False if the run was stopped before."""
        session = self.session
        if session.state.finished and not session.source.bounded:
            raise _finished(session)
        reader = self._reader(
            Left(
                frozenset(
                    name
                    for name, partition in session.state.partitions.items()
                    if partition.liveness is not Liveness.ENDED
                )
            )
        )
        ended = False
        try:
            self._begin_references()
            while not self._stop:
                if self._reload is not None:
                    reader = self._take_reload(reader)
                self._take_references()
                self._take_acts()
                if self._blocked():
                    continue
                intake = reader.take(TICK_SECONDS)
                if intake is None and reader.ended:
                    ended = True
                    break
                self._step(reader, intake)
        finally:
            reader.close(READER_SECONDS)
            session.source_hangs = reader.hangs
        parting = self._parting()
        if self._notes:
            counted, self._notes = self._notes, {}
            self._listen(session.turn([], notes=counted), parting)
        if ended and not session.state.finished:
            self._listen(session.finish_input(), ())
        if ended:
            session.settle(ENDED_PATIENCE_SECONDS, give_up=lambda: self._stop)
        else:
            session.settle(STOPPED_PATIENCE_SECONDS, most=STOPPED_MOST_SECONDS)
        return ended

    def _parting(self) -> tuple[Note, ...]:
        """What the source has to tell once nothing is read any more."""
        source = self.session.source
        if self.session.source_hangs or not isinstance(source, Parting):
            return ()
        notes = source.parting()
        for note in notes:
            self._notes[note.code] = self._notes.get(note.code, 0) + note.count
        return notes

    def _begin_references(self) -> None:
        """Load all references before anything is read; TableError if one has no version then."""
        session = self.session
        if session.plan.config.references and not session.state.finished:
            references = session.plan.config.references
            self._use(session.references.begin(references, session.versions(session.plan)))
            session.references.start()

    def _take_references(self) -> None:
        self._use(self.session.references.take(self.session.state.references))

    def _use(self, news: News) -> None:
        """Versions that were loaded are in force from an epoch of their own on."""
        for note in news.notes:
            self._notes[note.code] = self._notes.get(note.code, 0) + note.count
        if news:
            result = None
            if news.snapshots:
                result = self.session.turn([], snapshots=news.snapshots)
            self._listen(result, tuple(news.notes))

    def _reader(self, left: Left) -> Reader:
        session = self.session
        plan = session.plan

        def watermarks() -> dict[str, int]:
            return {n: p.maximum for n, p in list(session.state.partitions.items())}

        return Reader(
            session.source,
            lambda: self._make_decoder(plan),
            watermarks,
            left=left,
            batch_bytes=BATCH_BYTES,
            times=session.times,
        )

    def _step(self, reader: Reader, intake: Intake | None) -> None:
        """One epoch of what is there, or a look at the clock."""
        started = time.monotonic()
        taken = self._gather(reader, intake)
        state, polls = self.session.state, [one.poll for one in taken]
        if any(poll.chunks or poll.appeared for poll in polls) and not state.finished:
            # Who comes now comes to the watermark of this moment, which nothing has asked for yet.
            clock = self._clock()
            if clock is not None:
                self._listen(self.session.turn([], after=[clock]), ())
        before, after = self._liveness.decisions(
            [(one.poll, one.at) for one in taken], state, follows=not self.session.source.bounded
        )
        notes = [note for one in taken for note in one.poll.notes]
        for note in notes:
            self._notes[note.code] = self._notes.get(note.code, 0) + note.count
        if state.finished and any(poll.chunks for poll in polls):
            raise _finished(self.session)
        work = [pair for one in taken for pair in zip(one.poll.chunks, one.decoded, strict=True)]
        clock = self._clock()
        if clock is not None and (before or after or stirs(self.session.processor, clock)):
            after.append(clock)
        now = time.monotonic()
        result = None
        if work or before or after or (self._notes and now >= self._notes_at + NOTES_SECONDS):
            counted, self._notes = self._notes, {}
            self._notes_at = now if counted else self._notes_at
            result = self.session.turn(work, before, after, counted)
        else:
            self.session.settle()
        if not self.session.source.bounded:
            self.session.clock = self._liveness.watermark(self.session.state)
        self._listen(result, tuple(notes))
        if work and not self.session.source.bounded and sum(map(_bytes, taken)) < LITTLE_BYTES:
            time.sleep(min(REST * (time.monotonic() - started), MOST_REST_SECONDS))

    def _gather(self, reader: Reader, intake: Intake | None) -> list[Intake]:
        """The intake and those behind it that are decoded, up to the size of an epoch.

        After a large one the next is waited for: more will come, and an epoch has a price.
        """
        taken = [intake] if intake is not None else []
        last = size = _bytes(intake) if intake is not None else 0
        while 0 < size < EPOCH_BYTES and not self._stop:
            more = reader.take_ready(TICK_SECONDS if last >= BACKLOG_BYTES else 0.0)
            if more is None:
                break
            taken.append(more)
            last = _bytes(more)
            size += last
        return taken

    def _take_acts(self) -> None:
        """What people ask for holds from the watermark of this moment on."""
        session = self.session
        if not session.acts.waiting:
            return
        reached = None
        if not session.source.bounded and not session.state.finished:
            reached = self._liveness.watermark(session.state)
        if reached is not None and reached > session.state.frontier:
            clock = Decision(DecisionKind.CLOCK, value=reached)
            self._listen(session.turn([], after=[clock]), ())
        for result in session.acts.take(session):
            self._listen(result, ())

    def _clock(self) -> Decision | None:
        """The watermark by the clock, if it leads now."""
        session = self.session
        return None if session.source.bounded else self._liveness.clock(session.state)

    def _blocked(self) -> bool:
        """Back-pressure: nothing is read while more than the bound waits for outputs."""
        delivery = self.session.delivery
        if not delivery.full:
            return False
        # An output that waits for more would wait in vain.
        delivery.run(now=True)
        self.session.settle()
        self._listen(None, ())
        if delivery.full:
            time.sleep(TICK_SECONDS)
        return True

    def _take_reload(self, reader: Reader) -> Reader:
        load, self._reload = self._reload, None
        assert load is not None  # noqa: S101 - the caller looked
        session = self.session
        try:
            reloaded = load()
            loaded = session.load_references(reloaded.plan)
            session.take_up_outputs(reloaded.plan, reloaded.outputs)
        except TailraceError as error:
            self.reload_error = error
            self._listen(None, ())
            return reader
        self.reload_error = None
        plan = reloaded.plan
        left = reader.close()
        self.session.adopt(plan, loaded)
        session.references.start()
        self._liveness = LivenessClock(plan.idle_after, plan.grace)
        self._listen(None, ())
        return self._reader(left)


def _finished(session: Session) -> StoreError:
    """More came for a store whose input had ended: its windows are closed."""
    return StoreError(
        f"{session.store.path}: this input was read to its end and its windows are closed",
        hint="name another store.path; for input that grows, follow: true without --until-end",
    )


def _bytes(intake: Intake) -> int:
    return sum(len(chunk.records.data) for chunk in intake.poll.chunks)
