"""Rules that see a key's events in order (semantics 21): what holds when, from all events anew.

A kind gives, for one key, every stretch of time in which its condition holds; whoever asks cuts
these to the time that has become known since the last time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.oracle import identity, kinds
from tests.oracle.evaluate import FAILED, Result, evaluate, plain
from tests.oracle.windows import Key, Taken, WindowState

from tailrace.expr.nodes import Aggregate
from tailrace.testing.outcome import Instant, RuleCounts, Value


def order_of_partition(name: str) -> tuple[bytes, int]:
    """What partitions are ordered by: a topic's by number, others by the bytes of their name."""
    before, slash, number = name.rpartition("/")
    if slash and number.isascii() and number.isdecimal():
        return before.encode(), int(number)
    return name.encode(), -1


def _always(start: int) -> Callable[[int], int]:
    return lambda _: start


@dataclass(frozen=True)
class Stretch:
    """The condition holds at all instants from ``first`` to ``last`` (None: nothing ends it yet).

    ``told``: an event at ``first`` makes it a firing with a row. ``start_of`` gives the start of
    the window of an instant.
    """

    first: int
    last: int | None
    start_of: Callable[[int], int]
    values: Mapping[str, Value]
    flags: tuple[str, ...]
    told: bool


@dataclass
class OrderedState(WindowState):
    known: int | None = None
    """All up to this instant was told."""

    cached: tuple[object, tuple[set[tuple[Key, int]], dict[Key, list[int]]]] | None = None

    # Bounds

    def lost(self) -> tuple[set[tuple[Key, int]], dict[Key, list[int]]]:
        """As `worked_out`, which takes long."""
        asked = len(self.taken), self.known
        if self.cached is None or self.cached[0] != asked:
            self.cached = asked, self.worked_out()
        return self.cached[1]

    def worked_out(self) -> tuple[set[tuple[Key, int]], dict[Key, list[int]]]:
        """(key, pane) that had no place beside what was remembered; when keys were forgotten."""
        if self.known is None:
            return set(), {}
        limit = -(-self.max_keys // 64)
        width = self.rule.width
        inside: defaultdict[int, set[Key]] = defaultdict(set)
        for event in super().accepted():
            if self._takes_place(event) and event.time <= self.known:
                inside[self.pane(event.time)].add(event.key)
        lost: set[tuple[Key, int]] = set()
        forgotten: defaultdict[Key, list[int]] = defaultdict(list)
        remembered: dict[Key, int] = {}
        for pane in sorted(inside):
            oldest = pane - -(-self.reach // width) * width
            remembered = {key: last for key, last in remembered.items() if last >= oldest}
            together = {*remembered, *inside[pane]}
            for bucket in {identity.bucket(key) for key in together}:
                mine = [key for key in together if identity.bucket(key) == bucket]
                mine.sort(key=lambda key: identity.salted(self.salt, key))
                for key in mine[limit:]:
                    lost.add((key, pane))
                    if remembered.pop(key, None) is not None:
                        forgotten[key].append(pane)
            remembered |= {key: pane for key in inside[pane] if (key, pane) not in lost}
        return lost, forgotten

    def _takes_place(self, event: Taken) -> bool:
        if self.start is not None and event.time < self.start:
            return False
        is_sequence = self.rule.kind is not None and self.rule.kind.sequence is not None
        return True in event.own if is_sequence else True

    def crowded(self) -> set[tuple[int, int]]:
        lost, _ = self.lost()
        return super().crowded() | {(identity.bucket(key), pane) for key, pane in lost}

    def accepted(self) -> list[Taken]:
        lost, _ = self.lost()
        return [
            event
            for event in super().accepted()
            if (event.key, self.pane(event.time)) not in lost or not self._takes_place(event)
        ]

    def counts(self) -> RuleCounts:
        _, forgotten = self.lost()
        return replace(super().counts(), forgotten=sum(map(len, forgotten.values())))

    def lives(self, key: Key, events: list[Taken]) -> Iterator[tuple[list[Taken], int | None]]:
        """A key's events from one time that it was forgotten to the next, and when that was."""
        _, forgotten = self.lost()
        cuts = forgotten.get(key, [])
        for start, end in pairwise([None, *cuts, None]):
            mine = [e for e in events if start is None or e.time >= start]
            yield [e for e in mine if end is None or e.time < end], end

    def news(self, known: int) -> Iterator[tuple[Key, Stretch]]:
        """What became known up to an instant, by key; a stretch that goes on is given in parts."""
        before, self.known = self.known, known
        for key in sorted({event.key for event in self.taken}, key=repr):
            for stretch in self._of(key, before, known):
                last = known if stretch.last is None else min(known, stretch.last)
                first = stretch.first if before is None else max(stretch.first, before + 1)
                if first <= last:
                    told = stretch.told and first == stretch.first
                    yield (
                        key,
                        Stretch(first, last, stretch.start_of, stretch.values, stretch.flags, told),
                    )

    def _of(self, key: Key, before: int | None, known: int) -> Iterator[Stretch]:
        events = [e for e in self.accepted() if e.key == key and e.time <= known]
        if self.start is not None:
            events = [event for event in events if event.time >= self.start]
        events.sort(key=lambda event: (event.time, event.place))
        for life, end in self.lives(key, events):
            for stretch in self._of_life(key, life, before):
                if end is None:
                    yield stretch
                elif stretch.first < end:
                    last = end - 1 if stretch.last is None else min(stretch.last, end - 1)
                    yield replace(stretch, last=last)

    def _of_life(self, key: Key, events: list[Taken], before: int | None) -> Iterator[Stretch]:
        rule = self.rule.kind
        if rule is None:
            yield from self._sliding(key, events, before)
        elif rule.leaky is not None:
            for time, count, full in kinds.overflows(rule.leaky, events, self.max_distinct):
                yield self._instant(key, time, time, {"count": count}, saturated=full)
        elif rule.first_seen is not None:
            for time, seen in kinds.first_sights(rule.first_seen, events, self._begun):
                yield self._instant(key, time, time, {"last_seen": seen})
        elif rule.sequence is not None:
            for match in kinds.matches(rule.sequence, events):
                yield self._instant(key, match[0], match[-1], kinds.named(rule.sequence, match))
        else:
            assert rule.absent_for is not None
            for seen, first, last in kinds.absences(rule.absent_for, events):
                flags = self._flags(key, seen, saturated=False)
                values: dict[str, Value] = {"last_seen": Instant(seen)}
                yield Stretch(first, last, _always(seen), values, flags, told=True)

    def known_of(self, inside: list[Taken]) -> list[Taken]:
        """Of those that the start and the bound leave, without what was forgotten before."""
        _, forgotten = self.lost()
        cuts = [
            cut for event in inside for cut in forgotten.get(event.key, []) if cut <= event.time
        ]
        start = max([*cuts, *([] if self.start is None else [self.start])], default=None)
        return [e for e in super().known_of(inside) if start is None or e.time >= start]

    @property
    def _begun(self) -> int:
        """When event time began, or the rule if that was later."""
        begun = self.begun if self.start is None else self.start
        assert begun is not None
        return begun

    def _instant(
        self, key: Key, start: int, end: int, values: dict[str, Value], *, saturated: bool = False
    ) -> Stretch:
        """It holds at one instant only."""
        flags = self._flags(key, end, saturated=saturated)
        return Stretch(end, end, _always(start), values, flags, told=True)

    @property
    def reach(self) -> int:
        """How far back events matter."""
        rule = self.rule.kind
        if rule is None:
            changes = [each.function == "changes" for each in self.rule.aggregates]
            return self.rule.size * (2 if any(changes) else 1)
        if rule.leaky is not None:
            return max(rule.leaky.capacity * rule.leaky.leak, rule.leaky.blackhole)
        if rule.first_seen is not None:
            return 2 * rule.first_seen.within
        if rule.sequence is not None:
            return rule.sequence.within
        assert rule.absent_for is not None
        return rule.absent_for.forget

    def _sliding(self, key: Key, events: list[Taken], before: int | None) -> Iterator[Stretch]:
        size = self.rule.size
        times = {event.time for event in events}
        instants = times | {time + size for time in times}
        if self.start is not None:
            least = self.start + size - 1
            instants = {x for x in instants if x >= least} | {least}
        ordered = sorted(instants)
        for place, instant in enumerate(ordered):
            inside = [e for e in events if instant - size < e.time <= instant]
            if not inside:
                continue
            fresh = instant in times and (before is None or instant > before)
            values, holds, flags = self._judged(key, inside, counted=fresh)
            if holds:
                last = ordered[place + 1] - 1 if place + 1 < len(ordered) else None
                yield Stretch(instant, last, lambda x: x - size, values, flags, instant in times)

    def _judged(
        self, key: Key, inside: list[Taken], *, counted: bool
    ) -> tuple[dict[str, Value], bool, tuple[str, ...]]:
        finished = {each: self._measure(each, inside) for each in self.rule.aggregates}
        row = {name: value for (name, _), value in zip(self.rule.keys, key, strict=True)}

        def measure(aggregate: Aggregate) -> Result:
            return finished[aggregate].result

        results = {name: evaluate(node, row, measure) for name, node in self.rule.select}
        holds = evaluate(self.rule.when, row, measure) if self.rule.when else True
        selected = results.values() if holds is True else []
        self.errors += counted and FAILED in [holds, *selected]
        results |= {name: measure(aggregate) for name, aggregate in self.rule.shown}
        saturated = any(each.saturated for each in finished.values())
        last = max(event.time for event in inside)
        flags = self._flags(key, last, saturated=saturated)
        return {name: plain(result) for name, result in results.items()}, holds is True, flags

    def _flags(self, key: Key, last: int, *, saturated: bool) -> tuple[str, ...]:
        """Those of what happened up to the last event, as far back as events matter."""
        crowded = self.crowded()
        first = self.pane(last - self.reach + 1)
        panes = range(first, last + 1, self.rule.width)
        bucket = identity.bucket(key)
        evicted = any((bucket, pane) in crowded for pane in panes)
        return ("distinct_saturated",) * saturated + ("keys_evicted",) * evicted
