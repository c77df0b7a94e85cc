"""The incident fold of one rule: closed windows' firings in, revisions of incidents out.

Meaning: the semantics, "Firings and incidents". Here are the calls and the timers; the way of one
key through new firings is in ``walk``, what is remembered in ``states``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from tailrace.alerts.incidents import Firings, FoldResult, IncidentRule, Reason, Revision
from tailrace.alerts.open_runs import (
    OpenRun,
    caught_up,
    first_rows,
    next_change,
    open_rows,
    rest_of,
)
from tailrace.alerts.revisions import Wording
from tailrace.alerts.states import (
    STILL,
    Cooldown,
    Firing,
    IncidentState,
    Life,
    Noticed,
    Pending,
    Reached,
)
from tailrace.alerts.tracks import Timers, Track
from tailrace.alerts.walk import Walk, resolve
from tailrace.plan.identity import Key, encode

_LASTING = (Firing, Pending)
"""Lives that go on as long as firings do."""


class IncidentFold:
    """All incidents of one rule. One thread at a time calls it.

    ``states`` are those that earlier calls gave and that weren't forgotten since. After each call
    the caller stores ``changed`` and deletes ``forgotten`` in the transaction that stores the
    revisions. However the calls cut event time, the revisions are the same.
    """

    def __init__(self, rule: IncidentRule, states: Iterable[IncidentState] = ()) -> None:
        self._rule = rule
        self._wording = Wording(rule)
        self._tracks: dict[Key, Track] = {}
        self._timers = Timers()
        self._turn = 0
        self._known: int | None = None
        """What is stored as reached."""
        self._said: set[Track] = set()
        """The keys whose stored form says that they fire still."""
        self._still: dict[Track, None] = {}
        """Those of them that are done with unless they are told of."""
        self._open: dict[Track, OpenRun] = {}
        """The keys that fire until it is told that they don't."""
        self._judged: int | None = None
        """Up to this instant all firings were folded."""
        self._load(tuple(states))

    def _load(self, states: tuple[IncidentState, ...]) -> None:
        for state in states:
            if isinstance(state.life, Reached):
                self._known = state.life.known
        for state in states:
            life = state.life
            if isinstance(life, Reached):
                continue
            track = self._tracks.setdefault(state.key, Track(state.key))
            if isinstance(life, Firing | Pending) and life.last == STILL:
                assert self._known is not None  # noqa: S101 - stored along with it
                life = life._replace(last=self._known)
                self._still[track] = None
                self._said.add(track)
            self._keep(track, life)

    def states(self) -> tuple[IncidentState, ...]:
        """All that is remembered now."""
        return tuple(
            self._state(track.key, life)
            for track in self._tracks.values()
            if (life := self._now(track)) is not None
        )

    def _now(self, track: Track) -> Life | None:
        """A key's life as it is by now."""
        return caught_up(track.life, self._judged) if track in self._open else track.life

    def advance(self, firings: Firings | None, watermark: int) -> FoldResult:
        """Fold in all firings of the windows that closed since the last call, up to ``watermark``.

        To be called at every new watermark, firings or not. At the end of bounded input windows
        close that end after the watermark: their firings are given as well.
        """
        turn = self._begin()
        if firings is not None and len(firings.ends):
            self._follow(firings, turn)
        self._pass_time(watermark, turn)
        self._judged = watermark
        return self._result(turn, watermark)

    def finish(self, final: int) -> FoldResult:
        """The bounded input has ended; ``final`` is its greatest event time.

        Timers run up to ``final``. Incidents still firing get the revision ``input_ended``, and
        nothing is remembered any more.
        """
        turn = self._begin()
        self._pass_time(final, turn)
        return self._end(turn, final, Reason.INPUT_ENDED, None)

    def remove(self, at: int, known: int) -> FoldResult:
        """The rule was removed when the watermark was ``at``: its incidents are resolved.

        ``known`` is the instant up to which it has been judged.
        """
        turn = self._begin()
        self._pass_time(known, turn)
        return self._end(turn, at, Reason.RULE_REMOVED, at)

    @property
    def soonest(self) -> int | None:
        """Before this instant nothing happens without firings; None: nothing ever does."""
        return self._timers.soonest

    def note(self, key: Key, start: int, notice: str) -> IncidentState:
        """Remember an early notice for the window that starts at ``start``; the state to store.

        The next incident of the key names it. ValueError for a key that ``may_notify`` refuses.
        """
        if key in self._tracks:
            raise ValueError(f"the key {key!r} has an incident, a cooldown or a notice already")
        life = Noticed(start + self._rule.size, notice)
        self._keep(self._tracks.setdefault(key, Track(key)), life)
        return self._state(key, life)

    def may_notify(self, keys: Iterable[Key]) -> list[Key]:
        """Those keys that have no incident, no cooldown and no unconfirmed notice."""
        return [key for key in keys if key not in self._tracks]

    def _follow(self, told: Firings, turn: _Turn) -> None:
        firings = told
        goes_on: dict[int, int] = {}
        if told.open is not None:
            goes_on = open_rows(told.keys, told.ends, told.open)
            firings = self._carried_on(told, turn)
            if not len(firings.ends):
                return
        walk = Walk(self._rule, self._wording, firings)
        tracks = self._tracks
        for part in walk.parts():
            key = firings.key_values(part.number)
            track = tracks.get(key)
            if track is None:
                track = tracks[key] = Track(key)
            turn.touch(track)
            row = goes_on.get(part.number)
            if row is not None:
                flags = 0 if told.flags is None else int(told.flags[row])
                self._open[track] = OpenRun(told.measures(row), flags)
            self._keep(track, walk.along(part, key, track.life))
        turn.revisions += walk.revisions
        turn.unconfirmed += walk.unconfirmed

    def _carried_on(self, told: Firings, turn: _Turn) -> Firings:
        """Firings, the first of a key with an open run beginning where that was looked at last."""
        ends = told.ends.copy()
        for row in first_rows(told.keys, ends).tolist():
            if self._close_run(told.key_values(int(told.keys[row])), turn):
                assert self._judged is not None  # noqa: S101 - it was open then
                ends[row] = self._judged + 1
        return _with_firings(replace(told, ends=ends))

    def _close_run(self, key: Key, turn: _Turn) -> bool:
        """More is told of a key: a run of it that was open has gone on up to now.

        False if there is none.
        """
        track = self._tracks.get(key)
        if track is None or track not in self._open:
            return False
        turn.touch(track)
        life = self._now(track)
        del self._open[track]
        self._keep(track, life)
        return True

    def _go_on(self, tracks: list[Track], watermark: int, turn: _Turn) -> None:
        """Follow open runs to which something happens up to ``watermark``."""
        assert self._judged is not None  # noqa: S101 - they were open before
        firings = rest_of(tracks, self._open, self._judged + 1, watermark)
        walk = Walk(self._rule, self._wording, firings)
        for part in walk.parts():
            track = tracks[part.number]
            turn.touch(track)
            self._keep(track, walk.along(part, track.key, self._now(track)))
        turn.revisions += walk.revisions

    def _pass_time(self, watermark: int, turn: _Turn) -> None:
        """Let every deadline up to ``watermark`` pass."""
        going: list[Track] = []
        for track in self._timers.due(watermark):
            life = track.life
            if life is None:
                continue
            if track in self._open:
                due = next_change(life, self._rule.for_)
                if due is not None and due <= watermark:
                    going.append(track)
                else:
                    self._keep(track, life)
                continue
            if life.due(self._rule.every, self._rule.keep_firing_for) > watermark:
                self._keep(track, life)
                continue
            turn.touch(track)
            following: Cooldown | None = None
            if isinstance(life, Firing):
                following = resolve(self._rule, self._wording, track.key, life, turn.revisions)
            elif isinstance(life, Noticed):
                turn.unconfirmed.append(life.notice)
            self._keep(track, following)
        if going:
            self._go_on(going, watermark, turn)

    def _end(self, turn: _Turn, at: int, reason: Reason, resolved_at: int | None) -> FoldResult:
        """Close everything: a last revision for each incident, nothing remembered."""
        for track in self._tracks.values():
            turn.touch(track)
            life = self._now(track)
            if isinstance(life, Firing):
                last = life._replace(revision=life.revision + 1)
                turn.revisions.append(
                    self._wording.revision(track.key, last, reason, at, resolved_at)
                )
            elif isinstance(life, Noticed):
                turn.unconfirmed.append(life.notice)
            track.life = None
        self._open.clear()
        return self._result(turn, None)

    def _keep(self, track: Track, life: Life | None) -> None:
        track.life = life
        if life is None:
            return
        if track not in self._open:
            self._timers.put(track, life.due(self._rule.every, self._rule.keep_firing_for))
        elif (due := next_change(life, self._rule.for_)) is not None:
            self._timers.put(track, due)

    def _state(self, key: Key, life: Life) -> IncidentState:
        return IncidentState(self._rule.identity, key, life)

    def _begin(self) -> _Turn:
        self._turn += 1
        return _Turn(self._turn)

    def _result(self, turn: _Turn, known: int | None) -> FoldResult:
        changed: list[IncidentState] = []
        forgotten: list[str] = []
        for track in tuple(self._still):
            turn.touch(track)
        for track in turn.tracks:
            life, before = track.life, track.before
            track.before = None
            was_still = track in self._said
            self._still.pop(track, None)
            if life is None:
                del self._tracks[track.key]
                self._said.discard(track)
                if before is not None:
                    forgotten.append(self._state(track.key, before).place)
            elif self._rule.every == 1 and isinstance(life, _LASTING) and life.last == known:
                if not (was_still and _only_longer(before, life)):
                    changed.append(self._state(track.key, life._replace(last=STILL)))
                self._said.add(track)
                if track not in self._open:
                    self._still[track] = None
            elif was_still or life is not before:
                self._said.discard(track)
                changed.append(self._state(track.key, life))
        self._remember_reached(known if self._said else None, changed, forgotten)
        return FoldResult(
            revisions=in_order(turn.revisions),
            changed=tuple(changed),
            forgotten=tuple(forgotten),
            unconfirmed=tuple(sorted(turn.unconfirmed)),
        )

    def _remember_reached(
        self, known: int | None, changed: list[IncidentState], forgotten: list[str]
    ) -> None:
        """Store what the incidents that fire still depend on, if there are any."""
        if known == self._known:
            return
        if known is not None:
            changed.append(IncidentState(self._rule.identity, (), Reached(known)))
        elif self._known is not None:
            forgotten.append(IncidentState(self._rule.identity, (), Reached(self._known)).place)
        self._known = known


def _with_firings(firings: Firings) -> Firings:
    """Without the rows that only tell where a run has ended."""
    assert firings.lasts is not None  # noqa: S101 - rows are runs
    rows = np.flatnonzero(firings.lasts >= firings.ends)
    return replace(
        firings,
        ends=firings.ends[rows],
        keys=firings.keys[rows],
        measures=lambda row: firings.measures(int(rows[row])),
        flags=None if firings.flags is None else firings.flags[rows],
        lasts=firings.lasts[rows],
        open=None,
    )


def _only_longer(before: Life | None, life: Firing | Pending) -> bool:
    """Whether nothing has changed but how long a key has been firing."""
    if type(before) is not type(life) or life._replace(last=before.last) != before:
        return False
    if type(before) is not Firing or type(life) is not Firing:
        return True
    if any(type(value) is float for value in life.measures.values()):
        # Equal numbers can have different texts.
        return repr(life.measures) == repr(before.measures)
    return True


class _Turn:
    """What happens during one call: the tracks it touched and the news."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.tracks: list[Track] = []
        self.revisions: list[Revision] = []
        self.unconfirmed: list[str] = []

    def touch(self, track: Track) -> None:
        """Remember what the key's life was before this call."""
        if track.turn != self._number:
            track.turn = self._number
            track.before = track.life
            self.tracks.append(track)


def in_order(revisions: Sequence[Revision]) -> tuple[Revision, ...]:
    """Revisions by instant, key and number."""
    if len(revisions) < 2:
        return tuple(revisions)
    return tuple(
        sorted(
            revisions,
            key=lambda revision: (
                revision.at,
                encode(*revision.key.values()),
                revision.revision,
            ),
        )
    )
