"""The way of one key through accusations, deadlines and a person's acts."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from tailrace.alerts.verdicts import (
    FOREVER,
    Accusation,
    Act,
    Change,
    ManualAct,
    Series,
    Standing,
    VerdictRule,
    change_id,
)
from tailrace.plan.identity import encode

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tailrace.alerts.verdict_cases import Case
    from tailrace.plan.identity import Key

_ACTS = {Act.BAN: Standing.BANNED, Act.ALLOW: Standing.ALLOWED, Act.UNDO: Standing.LIFTED}


class VerdictWalk:
    """Changes cases in place and collects what is told of them.

    ``ended``: where the times go for which a key was an offender and is no longer.
    """

    def __init__(
        self, rule: VerdictRule, ended: MutableMapping[Key, list[tuple[int, int]]]
    ) -> None:
        self._rule = rule
        self._ended = ended
        self._changes: list[tuple[Key, Change]] = []

    def taken(self) -> list[tuple[Key, Change]]:
        """What was told since the last call, by key in order."""
        changes, self._changes = self._changes, []
        return changes

    def go(self, key: Key, case: Case, horizon: int, *, timers: int | None = None) -> None:
        """Take the accusations up to ``horizon`` in order; then let time pass to ``timers``.

        Those of one instant are taken together. What goes on after the horizon waits for the rest
        of its time.
        """
        case.waiting += case.said(horizon)
        if case.waiting:
            queue = [(one.start, place, one) for place, one in enumerate(case.waiting)]
            put, case.waiting = len(queue), []
            heapify(queue)
            while queue and queue[0][0] <= horizon:
                start, together = queue[0][0], []
                while queue and queue[0][0] == start:
                    one = heappop(queue)[2]
                    if one.last > horizon:
                        case.waiting.append(one.going_on(horizon + 1))
                        one = replace(one, last=horizon)
                    together.append(one)
                self._pass_time(key, case, start - 1)
                for one in self._accuse(key, case, start, together):
                    put += 1
                    heappush(queue, (one.start, put, one))
            case.waiting += [one for _, _, one in queue]
        self._pass_time(key, case, horizon if timers is None else timers)

    def follow(self, key: Key, case: Case, series: Series) -> None:
        """Take firings of one rule that nothing else comes between; as ``go`` would.

        Those between two tellings are taken at one blow: there are many where windows hop.
        """
        rule, ends = self._rule, series.ends
        shortest = rule.for_ if rule.most is None else min(rule.for_, rule.most)
        plain = rule.refresh and rule.tell_every <= shortest
        place, many = 0, len(ends)
        while place < many:
            start = ends[place]
            untold = case.told + rule.tell_every
            if not (plain and case.since is not None and case.manual is None) or not (
                start < untold and start <= case.until
            ):
                self._pass_time(key, case, start - 1)
                again = self._accuse(key, case, start, [series.single(place)])
                case.waiting += again
                place += 1
                continue
            behind = bisect_left(ends, untold, place)
            case.count += behind - place
            case.reasons[series.rule] = case.reasons.get(series.rule, 0) + behind - place
            case.last_seen = ends[behind - 1]
            case.measures = dict(series.measures(behind - 1))
            case.last = max(case.last, case.last_seen)
            case.until = case.last + case.duration
            place = behind

    def close(self, key: Key, case: Case, final: int) -> None:
        """Nothing will come any more: tell what wasn't told."""
        if case.since is not None and case.last > case.told_last:
            self._extend(key, case, max(case.last, final))

    def act(self, key: Key, case: Case, manual: ManualAct) -> None:
        """A person's act: what rules said of the key until now is over."""
        self.go(key, case, manual.at - 1)
        if manual.act is Act.UNDO and case.manual is None:
            return
        if case.since is not None:
            self._ended[key].append((case.since, manual.at))
            case.since = None
        if manual.act is not Act.UNDO:
            case.number, case.count, case.reasons, case.measures = 0, 0, {}, {}
        before, case.manual = case.manual, None if manual.act is Act.UNDO else manual
        if before is not None and before.act is Act.BAN:
            self._ended[key].append((before.at, manual.at))
        until = manual.at if manual.act is Act.UNDO else manual.until
        self._tell(key, case, _ACTS[manual.act], manual.at, manual.at, until, manual.comment)

    def free(self, key: Key, case: Case, at: int) -> None:
        """No rule may accuse the key any more; what a person said of it holds."""
        if case.since is not None:
            self._ended[key].append((case.since, at))
            self._tell(key, case, Standing.LIFTED, at, case.since, at)
        case.since, case.waiting, case.open = None, [], {}

    def lift(self, key: Key, case: Case, at: int) -> None:
        """The list is no more."""
        manual = case.manual
        if manual is not None:
            self._tell(key, case, Standing.LIFTED, at, manual.at, at)
        elif case.since is not None:
            self._tell(key, case, Standing.LIFTED, at, case.since, at)
        case.since, case.manual, case.listings = None, None, []
        case.waiting, case.open = [], {}

    def due(self, case: Case) -> int | None:
        """When something happens next if nobody accuses; None: never."""
        if case.manual is not None:
            return case.manual.until if case.manual.until < FOREVER else None
        if case.since is None:
            return case.listings[-1] + self._rule.within if case.listings else None
        if case.last > case.told_last:
            return min(case.told + self._rule.tell_every, case.until)
        return case.until

    def starts(self, case: Case) -> list[int]:
        """When accusations begin to mean more than that a listing goes on.

        While a person's word holds they mean nothing.
        """
        found = [one.start for one in case.waiting]
        if case.manual is None:
            found += [one.start for one in case.open.values() if not self._carries_on(case, one)]
        return found

    def _carries_on(self, case: Case, one: Accusation) -> bool:
        if one.told or case.since is None:
            return False
        return not self._rule.refresh or one.start <= case.last

    def _accuse(
        self, key: Key, case: Case, start: int, together: list[Accusation]
    ) -> list[Accusation]:
        """Take up accusations that begin at one instant; those that are to be looked at again."""
        rule, manual = self._rule, case.manual
        if manual is not None and start < manual.until:
            # While a person's word holds, rules have no say.
            return _later(together, manual.until)
        if manual is not None or (not rule.refresh and start >= case.until):
            self._pass_time(key, case, start)
        listed = case.since is None
        if listed:
            self._list(case, start)
        for one in sorted(together, key=_order) if len(together) > 1 else together:
            if listed or one.told:
                self._note(case, one, start)
        if rule.refresh:
            last = max(one.last + one.rest for one in together)
            if last > case.last:
                case.last, case.until = last, last + case.duration
        if listed:
            self._tell(key, case, Standing.LISTED, start, start, start + case.duration)
        elif rule.refresh and case.told_last < start and case.told + rule.tell_every <= start:
            self._extend(key, case, start)
        # Still accused when it ends, which isn't moved on: it begins anew.
        return [] if rule.refresh else _later(together, case.until)

    def _list(self, case: Case, at: int) -> None:
        rule = self._rule
        recent = [before for before in case.listings if before > at - rule.within]
        case.listings = [*recent, at][-rule.steps :]
        duration = rule.for_ * rule.factor ** (len(case.listings) - 1)
        case.duration = min(duration, FOREVER if rule.most is None else rule.most)
        case.since = case.last = case.told = case.told_last = at
        case.until = at + case.duration
        case.reasons, case.count, case.number = {}, 0, 0
        case.first_seen = at

    def _note(self, case: Case, one: Accusation, at: int) -> None:
        case.reasons[one.rule] = case.reasons.get(one.rule, 0) + 1
        case.count += 1
        case.last_seen = at
        case.measures = dict(one.measures)

    def _pass_time(self, key: Key, case: Case, until: int) -> None:
        """Let every deadline up to ``until`` pass, in order."""
        while (due := self.due(case)) is not None and due <= until:
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
        case.id = case.id or change_id(rule, key)
        case.number += 1
        change = Change(
            list=rule.name,
            pipeline=rule.pipeline,
            id=case.id,
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


def _later(together: list[Accusation], start: int) -> list[Accusation]:
    return [one.going_on(start) for one in together if one.last >= start]


def _order(one: Accusation) -> tuple[str, bytes]:
    """An order that depends on nothing but what they say: the last one's measures are told."""
    names = sorted(one.measures)
    return one.rule, encode(*names, *(one.measures[name] for name in names))
