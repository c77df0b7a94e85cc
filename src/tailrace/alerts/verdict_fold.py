"""The fold of one list of verdicts: accusations and the watermark in, changes of listings out.

However the calls cut event time, the changes are the same: an accusation is looked at once all
rules have come as far, and between two of them time passes from one deadline to the next. Here are
the calls and the timers; the way of one key is in ``verdict_walk``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from tailrace.alerts.verdict_cases import Case
from tailrace.alerts.verdict_walk import VerdictWalk
from tailrace.alerts.verdicts import (
    Accusation,
    Act,
    Change,
    ManualAct,
    Series,
    VerdictRule,
    place_of,
)
from tailrace.kernel.time import NEVER
from tailrace.plan.identity import Key, encode


@dataclass(frozen=True, slots=True)
class VerdictResult:
    """What a call gave.

    ``changes``: in order; ``kept``: the stored form of each case that changed, by place, None where
    nothing is remembered any more.
    """

    changes: tuple[Change, ...] = ()
    kept: tuple[tuple[str, str | None], ...] = ()


class VerdictFold:
    """All keys of one list; one thread at a time calls it."""

    def __init__(self, rule: VerdictRule, stored: Iterable[str] = (), horizon: int = NEVER) -> None:
        """``stored``: what earlier calls, up to ``horizon``, gave as ``kept``."""
        self._rule = rule
        self._cases: dict[Key, Case] = {}
        self._timers: list[tuple[int, int, Key]] = []
        self._due: dict[Key, int] = {}
        self._put = 0
        self._ended: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        self._live: set[Key] = set()
        self._horizon = horizon
        self._walk = VerdictWalk(rule, self._ended)
        for text in stored:
            key, case = Case.from_json(text)
            self._cases[key] = case
            if case.ended:
                self._ended[key] = list(case.ended)
            if _listed(case):
                self._live.add(key)
            self._put_timer(key, case)

    def advance(self, accusations: Iterable[Accusation | Series], horizon: int) -> VerdictResult:
        """Take up accusations; let time pass up to ``horizon``, as far as every rule has come."""
        touched, alone = self._take(accusations)
        self._horizon = max(self._horizon, horizon)
        for key in self._passed(horizon):
            touched.setdefault(key, self._cases[key])
        for key, case in touched.items():
            series = alone.get(key)
            if series is not None and case.free and series.ends[-1] <= horizon:
                self._walk.follow(key, case, series)
            elif series is not None:
                case.waiting += _singles(series)
            self._walk.go(key, case, horizon)
        return self._result(touched)

    def finish(self, accusations: Iterable[Accusation | Series], final: int) -> VerdictResult:
        """All input has ended; ``final`` is its greatest event time.

        Windows that end after it accuse as well, but time passes no further than that, and what
        wasn't told so far is told. Who is listed stays so.
        """
        alone = self._take(accusations)[1]
        self._horizon = max(self._horizon, final)
        touched = dict(self._cases)
        for key, case in touched.items():
            for rule, run in list(case.open):
                case.end(rule, run, final)
            series = alone.get(key)
            if series is not None and case.free:
                self._walk.follow(key, case, series)
            elif series is not None:
                case.waiting += _singles(series)
            last = max((one.last for one in case.waiting), default=final)
            self._walk.go(key, case, max(last, final), timers=final)
            self._walk.close(key, case, final)
        return self._result(touched)

    def act(self, key: Key, manual: ManualAct) -> VerdictResult:
        """A person's act, which holds at once: from the instant after the last horizon."""
        self._begin()
        case = self._cases.setdefault(key, Case())
        self._walk.act(key, case, manual)
        return self._result({key: case})

    def settle(
        self, ended: Mapping[str, int], free: Iterable[Key] = (), at: int = 0
    ) -> VerdictResult:
        """The pipeline becomes another: take up what was said so far, as it is meant by now.

        ``ended``: rules that accuse no more, and the instant up to which each was heard. ``free``:
        keys that no rule may accuse any more; they are taken off the list at the instant ``at``.
        """
        self._begin()
        touched = {key: case for key, case in self._cases.items() if case.open}
        for key, case in touched.items():
            for rule, run in list(case.open):
                if rule in ended:
                    case.end(rule, run, ended[rule])
            self._walk.go(key, case, self._horizon)
        for key in free:
            touched[key] = self._cases[key]
            self._walk.free(key, touched[key], at)
        return self._result(touched)

    def remove(self, at: int) -> VerdictResult:
        """The list was removed: whoever is on it is lifted, and nothing is remembered."""
        touched = dict(self._cases)
        for key, case in touched.items():
            self._walk.lift(key, case, at)
        self._ended.clear()
        return self._result(touched)

    def live(self, key: Key, at: int) -> bool:
        """Whether a key was an offender at an instant from the horizon of the call before on."""
        case = self._cases.get(key)
        if case is not None and case.live(at):
            return True
        return any(since <= at < until for since, until in self._ended.get(key, ()))

    @property
    def known(self) -> list[Key]:
        """All keys that are, or since the horizon before were, offenders."""
        return [*self._live, *(key for key in self._ended if key not in self._live)]

    @property
    def cases(self) -> dict[Key, Case]:
        """What is known of each key."""
        return self._cases

    @property
    def soonest(self) -> int | None:
        """Before this instant nothing happens without accusations; None: nothing ever does."""
        return self._timers[0][0] if self._timers else None

    def _begin(self) -> None:
        """Forget what ended before the last horizon: no event is judged before that any more."""
        for key, ended in list(self._ended.items()):
            left = [one for one in ended if one[1] > self._horizon]
            if left:
                self._ended[key] = left
            else:
                del self._ended[key]

    def _take(
        self, accusations: Iterable[Accusation | Series]
    ) -> tuple[dict[Key, Case], dict[Key, Series]]:
        """The cases of those accused; series that are all that there is for their key."""
        self._begin()
        touched: dict[Key, Case] = {}
        alone: dict[Key, Series] = {}
        for one in accusations:
            case = touched.get(one.key)
            known = case is not None
            if case is None:
                case = touched[one.key] = self._cases.setdefault(one.key, Case())
            other = alone.pop(one.key, None)
            if other is not None:
                case.waiting += _singles(other)
            if isinstance(one, Accusation):
                case.accuse(one)
            elif known:
                case.waiting += _singles(one)
            else:
                alone[one.key] = one
        return touched, alone

    def _passed(self, horizon: int) -> Iterable[Key]:
        """The keys whose timers are due; each is put back by the result."""
        while self._timers and self._timers[0][0] <= horizon:
            due, _, key = heappop(self._timers)
            if self._due.get(key) == due:
                del self._due[key]
                yield key

    def _result(self, touched: dict[Key, Case]) -> VerdictResult:
        kept: list[tuple[str, str | None]] = []
        for key, case in touched.items():
            place = place_of(self._rule, key)
            # What ended at a person's act lies ahead of the horizon.
            case.ended = [one for one in self._ended.get(key, ()) if one[1] > self._horizon]
            if _listed(case):
                self._live.add(key)
            else:
                self._live.discard(key)
            if self._idle(case):
                del self._cases[key]
                self._due.pop(key, None)
                kept.append((place, None))
            else:
                kept.append((place, case.to_json(self._rule.identity, key)))
                self._put_timer(key, case)
        changes = self._walk.taken()
        # Stable: those of one key are in order already.
        encoded = {key: encode(*key) for key, _ in changes}
        changes.sort(key=lambda one: (one[1].at, encoded[one[0]]))
        return VerdictResult(tuple(change for _, change in changes), tuple(kept))

    def _idle(self, case: Case) -> bool:
        if case.since is not None or case.manual is not None or not case.free or case.ended:
            return False
        return not case.listings or self._rule.factor == 1

    def _put_timer(self, key: Key, case: Case) -> None:
        due = min(self._walk.starts(case), default=None)
        by_time = self._walk.due(case)
        if due is None or (by_time is not None and by_time < due):
            due = by_time
        for _, until in case.ended:
            due = until if due is None else min(due, until)
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            self._put += 1
            heappush(self._timers, (due, self._put, key))


def _listed(case: Case) -> bool:
    """Whether there is an instant at which the case says that the key is an offender."""
    banned = case.manual is not None and case.manual.act is Act.BAN
    return banned or case.since is not None


def _singles(series: Series) -> list[Accusation]:
    return [series.single(place) for place in range(len(series.ends))]
