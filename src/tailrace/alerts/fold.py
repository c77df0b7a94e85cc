"""The incident fold of one rule: closed windows' firings in, revisions of incidents out.

Meaning: the semantics, "Firings and incidents". Here are the calls and the timers; the way of one
key through new firings is in ``walk``, what is remembered in ``states``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import pairwise

from tailrace.alerts.consecutive import keys_of, ordered
from tailrace.alerts.incidents import Firings, FoldResult, IncidentRule, Reason, Revision
from tailrace.alerts.revisions import Wording
from tailrace.alerts.states import Cooldown, Firing, IncidentState, Life, Noticed, Pending
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
        self._lives: dict[Key, Life] = {}
        # Deadlines by time. A key has one entry that counts, at its deadline or before it.
        self._queue: list[tuple[int, int, Key]] = []
        self._queued: dict[Key, int] = {}
        self._entries = 0
        for state in states:
            self._keep(state.key, state.life)

    def states(self) -> tuple[IncidentState, ...]:
        """All that is remembered now."""
        return tuple(self._state(key, life) for key, life in self._lives.items())

    def advance(self, firings: Firings | None, watermark: int) -> FoldResult:
        """Fold in all firings of the windows that closed since the last call, up to ``watermark``.

        To be called at every new watermark, firings or not. At the end of bounded input windows
        close that end after the watermark: their firings are given as well.
        """
        turn = _Turn(self._lives)
        if firings is not None and len(firings.ends):
            self._follow(firings, turn)
        self._pass_time(watermark, turn)
        return self._result(turn)

    def finish(self, final: int) -> FoldResult:
        """The bounded input has ended; ``final`` is its greatest event time.

        Timers run up to ``final``. Incidents still firing get the revision ``input_ended``, and
        nothing is remembered any more.
        """
        turn = _Turn(self._lives)
        self._pass_time(final, turn)
        return self._end(turn, final, Reason.INPUT_ENDED, None)

    def remove(self, at: int) -> FoldResult:
        """The rule was removed when the watermark was ``at``: its incidents are resolved."""
        turn = _Turn(self._lives)
        self._pass_time(at, turn)
        return self._end(turn, at, Reason.RULE_REMOVED, at)

    def note(self, key: Key, start: int, notice: str) -> IncidentState:
        """Remember an early notice for the window that starts at ``start``; the state to store.

        The next incident of the key names it. ValueError for a key that ``may_notify`` refuses.
        """
        if key in self._lives:
            raise ValueError(f"the key {key!r} has an incident, a cooldown or a notice already")
        life = Noticed(start + self._rule.size, notice)
        self._keep(key, life)
        return self._state(key, life)

    def may_notify(self, keys: Iterable[Key]) -> list[Key]:
        """Those keys that have no incident, no cooldown and no unconfirmed notice."""
        return [key for key in keys if key not in self._lives]

    def _follow(self, firings: Firings, turn: _Turn) -> None:
        found = ordered(firings.keys, firings.ends)
        walk = Walk(self._rule, self._wording, firings, found)
        starts = keys_of(found).starts
        for number, (start, stop) in zip(
            found.keys[starts].tolist(), pairwise([*starts, len(found.keys)]), strict=True
        ):
            key = firings.key_values(number)
            turn.touch(key)
            self._keep(key, walk.key(key, self._lives.get(key), start, stop))
        turn.revisions += walk.revisions
        turn.unconfirmed += walk.unconfirmed

    def _pass_time(self, watermark: int, turn: _Turn) -> None:
        """Let every deadline up to ``watermark`` pass."""
        while self._queue and self._queue[0][0] <= watermark:
            due, _, key = heappop(self._queue)
            if self._queued.get(key) != due:
                continue
            del self._queued[key]
            life = self._lives.get(key)
            if life is None:
                continue
            if self._deadline(life) <= watermark:
                turn.touch(key)
                if isinstance(life, Firing):
                    self._keep(key, resolve(self._rule, self._wording, key, life, turn.revisions))
                    continue
                if isinstance(life, Noticed):
                    turn.unconfirmed.append(life.notice)
                del self._lives[key]
            else:
                self._keep(key, life)

    def _end(self, turn: _Turn, at: int, reason: Reason, resolved_at: int | None) -> FoldResult:
        """Close everything: a last revision for each incident, nothing remembered."""
        for key, life in self._lives.items():
            turn.touch(key)
            if isinstance(life, Firing):
                last = replace(life, revision=life.revision + 1)
                turn.revisions.append(self._wording.revision(key, last, reason, at, resolved_at))
            elif isinstance(life, Noticed):
                turn.unconfirmed.append(life.notice)
        self._lives.clear()
        self._queue.clear()
        self._queued.clear()
        return self._result(turn)

    def _keep(self, key: Key, life: Life | None) -> None:
        if life is None:
            self._lives.pop(key, None)
            return
        self._lives[key] = life
        due = self._deadline(life)
        if due < self._queued.get(key, due + 1):
            self._queued[key] = due
            self._entries += 1
            heappush(self._queue, (due, self._entries, key))

    def _deadline(self, life: Life) -> int:
        """The watermark at which a life changes if nothing fires."""
        match life:
            case Pending(last=last):
                return last + self._rule.every
            case Firing(last=last):
                return last + self._rule.every + self._rule.keep_firing_for
            case Cooldown(until):
                return until
            case Noticed(end, _):
                return end

    def _state(self, key: Key, life: Life) -> IncidentState:
        return IncidentState(self._rule.identity, key, life)

    def _result(self, turn: _Turn) -> FoldResult:
        changed: list[IncidentState] = []
        forgotten: list[str] = []
        for key, before in turn.before.items():
            life = self._lives.get(key)
            if life is not None:
                if life is not before:
                    changed.append(self._state(key, life))
            elif before is not None:
                forgotten.append(self._state(key, before).place)
        return FoldResult(
            revisions=in_order(turn.revisions),
            changed=tuple(changed),
            forgotten=tuple(forgotten),
            unconfirmed=tuple(sorted(turn.unconfirmed)),
        )


class _Turn:
    """What happens during one call: the lives it touched, as they were before, and the news."""

    def __init__(self, lives: dict[Key, Life]) -> None:
        self._lives = lives
        self.before: dict[Key, Life | None] = {}
        self.revisions: list[Revision] = []
        self.unconfirmed: list[str] = []

    def touch(self, key: Key) -> None:
        if key not in self.before:
            self.before[key] = self._lives.get(key)


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
