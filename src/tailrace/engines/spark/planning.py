"""What the driver plans for the next batch: slices of files, and decisions about partitions."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tailrace.engines.due import stirs
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.liveness import LivenessClock
from tailrace.engines.running import NOTES_SECONDS
from tailrace.engines.state import Liveness
from tailrace.sources.reader import nothing
from tailrace.sources.types import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.engines.spark.inputs import Watched
    from tailrace.engines.spark.session import ClusterSession
    from tailrace.sources.types import Note, Poll


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of one batch for one job; ``slices`` as JSON.

    ``maxima``: see ``ClusterSession.maxima``; what a plan finds is concluded before the next one.
    """

    before: tuple[Decision, ...] = ()
    after: tuple[Decision, ...] = ()
    slices: tuple[dict[str, Any], ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    maxima: dict[str, int] | None = None

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.before or self.after or self.slices or self.notes)

    def to_json(self) -> dict[str, Any]:
        """As the source of plans has it."""
        return {
            "before": [asdict(one) for one in self.before],
            "after": [asdict(one) for one in self.after],
            "slices": list(self.slices),
            "notes": self.notes,
            "maxima": self.maxima,
        }


class Planner:
    """Gathers what the input tells between two plans."""

    def __init__(self, session: ClusterSession, source: Watched) -> None:
        self._session, self._source = session, source
        self._polls: list[tuple[Poll, float]] = []
        self._bytes = 0
        self._notes: dict[str, int] = {}
        self._notes_at = float("-inf")
        self.asked = False
        """Whether the next plan is to have the clock, although nothing may come of it."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """The pipeline has changed: nobody has been quiet for any time yet."""
        plan = self._session.plan
        self._liveness = LivenessClock(plan.idle_after, plan.grace)

    @property
    def waiting(self) -> bool:
        """Whether something was gathered that no plan has yet."""
        return bool(self._polls)

    @property
    def full(self) -> bool:
        """Whether no more is gathered before the next plan."""
        return self._bytes >= self._source.plan_bytes or self._source.ended

    def look(self) -> tuple[bool, tuple[Note, ...]]:
        """Look at the input unless enough is gathered; whether there was something, and notes."""
        if self.full:
            return True, ()
        poll = self._source.look(self._session.state)
        if poll.chunks or poll.appeared or poll.at_end or poll.ended:
            self._bytes += sum(len(chunk.records.data) for chunk in poll.chunks)
            bare = tuple(Chunk(chunk.slice, nothing()) for chunk in poll.chunks)
            self._polls.append((replace(poll, chunks=bare), time.monotonic()))
        self.count(poll.notes)
        return bool(poll.chunks), poll.notes

    def count(self, notes: Iterable[Note]) -> None:
        """Let the next plan have these notes."""
        for note in notes:
            self._notes[note.code] = self._notes.get(note.code, 0) + note.count

    def ask_for_clock(self) -> bool:
        """Let the next plan have the clock's watermark if it leads now; whether it does."""
        reached = self._leading()
        self.asked = reached is not None
        return self.asked

    def _leading(self) -> Decision | None:
        """The clock's watermark, however little it is ahead."""
        state = self._session.state
        if self._source.bounded or state.finished:
            return None
        reached = self._liveness.watermark(state)
        if reached is None or reached <= state.frontier:
            return None
        return Decision(DecisionKind.CLOCK, value=reached)

    def plan(self) -> Planned:
        """What was gathered since the last plan, with the decisions that it asks for."""
        polls, self._polls, self._bytes = self._polls, [], 0
        state, liveness = self._session.state, self._liveness
        follows = not self._source.bounded
        before: list[Decision] = []
        clock = liveness.clock(state) if follows else None
        if clock is not None and any(poll.chunks or poll.appeared for poll, _ in polls):
            # Who comes now comes to the watermark of this moment.
            before.append(clock)
        arriving, after = liveness.decisions(polls, state, follows=follows)
        before += arriving
        if follows:
            clock = self._leading() if self.asked else liveness.clock(state)
            if (
                clock is not None
                and not before
                and (self.asked or after or stirs(self._session.processor, clock))
            ):
                after.append(clock)
            self._session.clock = liveness.watermark(state)
        self.asked = False
        slices = tuple(asdict(chunk.slice) for poll, _ in polls for chunk in poll.chunks)
        return Planned(
            tuple(before),
            tuple(after),
            slices,
            self._taken_notes(at_once=bool(before or after or slices)),
            self._session.maxima(before) if slices else None,
        )

    def final(self) -> Planned:
        """The end of all input."""
        partitions = self._session.state.partitions.items()
        live = [name for name, one in partitions if one.liveness is not Liveness.ENDED]
        ended = [Decision(DecisionKind.ENDED, name) for name in live]
        after = (*ended, Decision(DecisionKind.FINAL))
        return Planned(after=after, notes=self._taken_notes(at_once=True))

    def _taken_notes(self, *, at_once: bool) -> dict[str, int]:
        """Notes to be counted: with something else, or alone every few seconds."""
        now = time.monotonic()
        if not self._notes or not (at_once or now >= self._notes_at + NOTES_SECONDS):
            return {}
        taken, self._notes, self._notes_at = self._notes, {}, now
        return taken
