"""The incident fold of one rule: closed windows' firings in, revisions of incidents out.

Meaning: the semantics, "Firings and incidents". Here are the calls and the timers; the way of one
key through new firings is in ``walk``, what is remembered in ``states``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tailrace.alerts.incidents import Firings, FoldResult, IncidentRule, Reason, Revision
from tailrace.alerts.revisions import Wording
from tailrace.alerts.states import (
    STILL,
    Cooldown,
    Firing,
    IncidentState,
    Life,
    Noticed,
    Reached,
)
from tailrace.alerts.tracks import Timers, Track
from tailrace.alerts.walk import Walk, resolve
from tailrace.plan.identity import Key, encode


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
        self._still: dict[Track, None] = {}
        """The incidents whose stored form says that they fire still."""
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
            if isinstance(life, Firing) and life.last == STILL:
                assert self._known is not None  # noqa: S101 - stored along with it
                life = life._replace(last=self._known)
                self._still[track] = None
            self._keep(track, life)

    def states(self) -> tuple[IncidentState, ...]:
        """All that is remembered now."""
        return tuple(
            self._state(track.key, track.life)
            for track in self._tracks.values()
            if track.life is not None
        )

    def advance(self, firings: Firings | None, watermark: int) -> FoldResult:
        """Fold in all firings of the windows that closed since the last call, up to ``watermark``.

        To be called at every new watermark, firings or not. At the end of bounded input windows
        close that end after the watermark: their firings are given as well.
        """
        turn = self._begin()
        if firings is not None and len(firings.ends):
            self._follow(firings, turn)
        self._pass_time(watermark, turn)
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

    def _follow(self, firings: Firings, turn: _Turn) -> None:
        walk = Walk(self._rule, self._wording, firings)
        tracks = self._tracks
        for part in walk.parts():
            key = firings.key_values(part.number)
            track = tracks.get(key)
            if track is None:
                track = tracks[key] = Track(key)
            turn.touch(track)
            self._keep(track, walk.along(part, key, track.life))
        turn.revisions += walk.revisions
        turn.unconfirmed += walk.unconfirmed

    def _pass_time(self, watermark: int, turn: _Turn) -> None:
        """Let every deadline up to ``watermark`` pass."""
        for track in self._timers.due(watermark):
            life = track.life
            if life is None:
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

    def _end(self, turn: _Turn, at: int, reason: Reason, resolved_at: int | None) -> FoldResult:
        """Close everything: a last revision for each incident, nothing remembered."""
        for track in self._tracks.values():
            turn.touch(track)
            life = track.life
            if isinstance(life, Firing):
                last = life._replace(revision=life.revision + 1)
                turn.revisions.append(
                    self._wording.revision(track.key, last, reason, at, resolved_at)
                )
            elif isinstance(life, Noticed):
                turn.unconfirmed.append(life.notice)
            track.life = None
        return self._result(turn, None)

    def _keep(self, track: Track, life: Life | None) -> None:
        track.life = life
        if life is not None:
            self._timers.put(track, life.due(self._rule.every, self._rule.keep_firing_for))

    def _state(self, key: Key, life: Life) -> IncidentState:
        return IncidentState(self._rule.identity, key, life)

    def _begin(self) -> _Turn:
        self._turn += 1
        return _Turn(self._turn)

    def _result(self, turn: _Turn, known: int | None) -> FoldResult:
        changed: list[IncidentState] = []
        forgotten: list[str] = []
        for track in self._still:
            turn.touch(track)
        for track in turn.tracks:
            life, before = track.life, track.before
            track.before = None
            was_still = track in self._still
            if life is None:
                del self._tracks[track.key]
                self._still.pop(track, None)
                if before is not None:
                    forgotten.append(self._state(track.key, before).place)
            elif self._rule.every == 1 and type(life) is Firing and life.last == known:
                if not (was_still and _only_longer(before, life)):
                    changed.append(self._state(track.key, life._replace(last=STILL)))
                self._still[track] = None
            elif was_still or life is not before:
                self._still.pop(track, None)
                changed.append(self._state(track.key, life))
        self._remember_reached(known if self._still else None, changed, forgotten)
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


def _only_longer(before: Life | None, life: Firing) -> bool:
    """Whether nothing of an incident has changed but how long it has been firing."""
    if type(before) is not Firing or life._replace(last=before.last) != before:
        return False
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
