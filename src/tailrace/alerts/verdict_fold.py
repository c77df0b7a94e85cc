"""The fold of one list of verdicts: accusations and the watermark in, changes of listings out.

However the calls cut event time, the changes are the same: an accusation is looked at once all
rules have come as far, and between two of them time passes from one deadline to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from tailrace.alerts.verdicts import (
    FOREVER,
    Accusation,
    Act,
    Case,
    Change,
    ManualAct,
    Standing,
    VerdictRule,
    change_id,
    place_of,
)
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

    def __init__(self, rule: VerdictRule, stored: Iterable[str] = ()) -> None:
        """``stored``: what earlier calls gave as ``kept``."""
        self._rule = rule
        self._cases: dict[Key, Case] = {}
        self._timers: list[tuple[int, bytes, Key]] = []
        self._ended: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        self._changes: list[tuple[Key, Change]] = []
        for text in stored:
            key, case = Case.from_json(text)
            self._cases[key] = case
            self._put_timer(key, case)

    def advance(self, accusations: Iterable[Accusation], horizon: int) -> VerdictResult:
        """Take up accusations; let time pass up to ``horizon``, as far as every rule has come."""
        self._ended.clear()
        touched: dict[Key, Case] = {}
        for one in accusations:
            case = self._cases.setdefault(one.key, Case())
            case.waiting.append(one)
            touched[one.key] = case
        while self._timers and self._timers[0][0] <= horizon:
            _, _, key = heappop(self._timers)
            known = self._cases.get(key)
            if known is not None:
                touched[key] = known
        for key, case in touched.items():
            self._go(key, case, horizon)
        return self._result(touched)

    def act(self, key: Key, manual: ManualAct) -> VerdictResult:
        """A person's act, which holds at once."""
        case = self._cases.setdefault(key, Case())
        if case.since is not None:
            self._ended[key].append((case.since, manual.at))
            case.since = None
        if manual.act is not Act.UNDO:
            case.number, case.count, case.reasons, case.measures = 0, 0, {}, {}
        before, case.manual = case.manual, None if manual.act is Act.UNDO else manual
        if before is not None and before.act is Act.BAN:
            self._ended[key].append((before.at, manual.at))
        state = {
            Act.BAN: Standing.BANNED,
            Act.ALLOW: Standing.ALLOWED,
            Act.UNDO: Standing.LIFTED,
        }[manual.act]
        self._tell(key, case, state, manual.at, manual.at, manual.until, manual.comment)
        return self._result({key: case})

    def live(self, key: Key, at: int) -> bool:
        """Whether a key was an offender at an instant after the horizon of the call before last."""
        case = self._cases.get(key)
        if case is not None and case.live(at):
            return True
        return any(since <= at < until for since, until in self._ended.get(key, ()))

    @property
    def soonest(self) -> int | None:
        """Before this instant nothing happens without accusations; None: nothing ever does."""
        return self._timers[0][0] if self._timers else None

    # -- one key -----------------------------------------------------------------------------------

    def _go(self, key: Key, case: Case, horizon: int) -> None:
        ready = [one for one in case.waiting if one.start <= horizon]
        case.waiting = [one for one in case.waiting if one.start > horizon]
        for one in sorted(ready, key=lambda a: (a.start, a.rule, a.last)):
            within = one
            if one.last > horizon:
                case.waiting.append(replace(one, start=horizon + 1, told=False))
                within = replace(one, last=horizon)
            self._pass_time(key, case, within.start - 1)
            self._accuse(key, case, within)
        self._pass_time(key, case, horizon)

    def _accuse(self, key: Key, case: Case, one: Accusation) -> None:
        start = one.start
        manual = case.manual
        if manual is not None:
            # While a person's word holds, rules have no say.
            if one.last < manual.until:
                return
            self._pass_time(key, case, manual.until)
            start = manual.until
        while True:
            if case.since is None:
                self._list(key, case, one, start)
            elif one.told:
                self._note(case, one)
            if self._rule.refresh or one.last < case.until:
                break
            # Still accused when it ends: it begins anew.
            start = case.until
            self._pass_time(key, case, start)
        if self._rule.refresh and one.last > case.last:
            case.last = one.last
            case.until = one.last + case.duration
        due = case.told + self._rule.tell_every
        if self._rule.refresh and case.told_last < start and due <= start:
            self._extend(key, case, start)

    def _list(self, key: Key, case: Case, one: Accusation, at: int) -> None:
        rule = self._rule
        earlier = case.listings if rule.factor > 1 else []
        case.listings = [before for before in earlier if before > at - rule.within] + [at]
        duration = rule.for_ * rule.factor ** min(len(case.listings) - 1, 64)
        case.duration = min(duration, FOREVER if rule.most is None else rule.most)
        case.since = case.last = case.told = case.told_last = at
        case.until = at + case.duration
        case.reasons, case.count, case.number = {}, 0, 0
        case.first_seen = case.last_seen = one.start
        self._note(case, one)
        self._tell(key, case, Standing.LISTED, at, at, case.until)

    def _note(self, case: Case, one: Accusation) -> None:
        case.reasons[one.rule] = case.reasons.get(one.rule, 0) + 1
        case.count += 1
        case.last_seen = max(case.last_seen, one.start)
        case.measures = dict(one.measures)

    def _pass_time(self, key: Key, case: Case, until: int) -> None:
        """Let every deadline up to ``until`` pass, in order."""
        while (due := self._due(case)) is not None and due <= until:
            manual = case.manual
            if manual is not None:
                case.manual = None
                if manual.act is Act.BAN:
                    self._ended[key].append((manual.at, manual.until))
                    self._tell(key, case, Standing.EXPIRED, due, manual.at, due)
            elif case.since is None:
                case.listings = []
            elif due < case.until or case.last > case.told_last:
                self._extend(key, case, due)
            else:
                self._ended[key].append((case.since, case.until))
                since, case.since = case.since, None
                self._tell(key, case, Standing.EXPIRED, due, since, due)

    def _due(self, case: Case) -> int | None:
        """When something happens next if nobody accuses."""
        if case.manual is not None:
            return case.manual.until if case.manual.until < FOREVER else None
        if case.since is None:
            return case.listings[-1] + self._rule.within if case.listings else None
        if case.last > case.told_last:
            return min(case.told + self._rule.tell_every, case.until)
        return case.until

    def _extend(self, key: Key, case: Case, at: int) -> None:
        """Tell how far it goes by now."""
        assert case.since is not None  # noqa: S101 - the caller looked
        case.told, case.told_last = at, min(case.last, at)
        until = case.told_last + case.duration
        self._tell(key, case, Standing.EXTENDED, at, case.since, until)

    def _tell(
        self,
        key: Key,
        case: Case,
        state: Standing,
        at: int,
        since: int,
        until: int,
        comment: str = "",
    ) -> None:
        rule = self._rule
        case.number += 1
        change = Change(
            list=rule.name,
            pipeline=rule.pipeline,
            id=change_id(rule, key),
            key=dict(zip(rule.key_names, key, strict=True)),
            state=state,
            number=case.number,
            at=at,
            since=since,
            until=None if until >= FOREVER else until,
            reasons=dict(sorted(case.reasons.items())),
            count=case.count,
            first_seen=case.first_seen if case.count else None,
            last_seen=case.last_seen if case.count else None,
            listings=len(case.listings),
            measures=dict(case.measures),
            comment=comment,
        )
        self._changes.append((key, change))

    # -- what is to be stored ----------------------------------------------------------------------

    def _result(self, touched: dict[Key, Case]) -> VerdictResult:
        kept: list[tuple[str, str | None]] = []
        for key, case in touched.items():
            place = place_of(self._rule, key)
            idle = case.since is None and case.manual is None and not case.waiting
            if idle and not (case.listings and self._rule.factor > 1):
                self._cases.pop(key, None)
                kept.append((place, None))
            else:
                kept.append((place, case.to_json(self._rule.identity, key)))
                self._put_timer(key, case)
        changes, self._changes = self._changes, []
        # Stable: those of one key are in order already.
        changes.sort(key=lambda one: (one[1].at, encode(*one[0])))
        return VerdictResult(tuple(change for _, change in changes), tuple(kept))

    def _put_timer(self, key: Key, case: Case) -> None:
        due = [one.start for one in case.waiting]
        by_time = self._due(case)
        if by_time is not None:
            due.append(by_time)
        if due:
            heappush(self._timers, (min(due), encode(*key), key))
