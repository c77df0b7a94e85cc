"""One rule over windows: judging events, bounds, and the rows of closed windows (9, 12, 15 to 17).

All accepted events are kept for ever; every question goes through all of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from tests.oracle import identity
from tests.oracle.aggregates import Finished, accumulable, finish
from tests.oracle.evaluate import FAILED, Result, Row, absent, connected, evaluate, plain
from tests.oracle.looking import Asked, References, is_listed
from tests.oracle.looking import Row as LookingRow
from tests.oracle.rules import WindowRule

from tailrace.expr.nodes import Aggregate, AggregateFunction, Type
from tailrace.testing.outcome import RuleCounts, Value

Key = tuple[Value, ...]

MOST_EMPTY = 100_000
"""Empty windows in a row that a rule has at the most: an event of any key ends the row."""

MOST_OF_ALL = 1_000_000
"""Those in a row of all listed keys together, but one of each key in any case."""


@dataclass(frozen=True)
class Taken:
    """An event that is neither filtered nor late: the arguments of all aggregates, by aggregate.

    An aggregate that isn't in `arguments` doesn't count this event. `place` is its partition and
    position, `own` the values of the rule's own expressions if it sees events in order.
    """

    time: int
    key: Key
    arguments: dict[Aggregate, Result]
    place: tuple[tuple[bytes, int], int] = ((b"", 0), 0)
    own: tuple[Result, ...] = ()


@dataclass(frozen=True)
class Closed:
    """A window that exists and is closed; `holds` tells whether its condition is true."""

    start: int
    end: int
    key: Key
    values: dict[str, Value]
    flags: tuple[str, ...]
    holds: bool


@dataclass
class WindowState:
    rule: WindowRule
    max_keys: int
    max_distinct: int
    salt: str
    start: int | None
    """One microsecond after all that was read before the rule; None if that was nothing."""
    taken: list[Taken] = field(default_factory=list)
    filtered: int = 0
    late: int = 0
    errors: int = 0
    closed: set[tuple[Key, int]] = field(default_factory=set)
    references: References = field(default_factory=dict)
    begun: int | None = None
    """When event time began."""
    done: int | None = None
    """The watermark up to which windows were closed."""

    def pane(self, time: int) -> int:
        """The start of the pane that a time lies in."""
        return time // self.rule.width * self.rule.width

    # Judging

    def judge(
        self,
        time: int,
        row: Row,
        duplicate: bool,
        threshold: int | None,
        place: tuple[tuple[bytes, int], int] = ((b"", 0), 0),
    ) -> None:
        """Take one event: filtered, late, or taken (accepted unless its key is evicted)."""
        if duplicate:
            self.filtered += 1
            return
        rule = self.rule
        results = [evaluate(rule.where, row)] if rule.where else []
        if isinstance(row, LookingRow) and is_listed(rule.allow, row):
            results = [connected("and", results[0] if results else True, False)]
        passes = not results or results[0] is True
        if passes:
            results = [evaluate(node, row) for _, node in rule.keys]
        failed = any(result is FAILED for result in results)
        if not passes or any(absent(result) for result in results):
            self.filtered += 1
            self.errors += failed
            return
        if threshold is not None and self.pane(time) + rule.width <= threshold:
            self.late += 1
            self.errors += failed
            return
        arguments: dict[Aggregate, Result] = {}
        for aggregate in rule.aggregates:
            counts, value = self._argument(aggregate, row)
            failed = failed or value is FAILED
            if counts:
                arguments[aggregate] = value
        own = tuple(evaluate(node, row) for node in rule.own)
        self.errors += failed or FAILED in own
        key = tuple(plain(result) for result in results)
        self.taken.append(Taken(time, key, arguments, place, own))

    def _argument(self, aggregate: Aggregate, row: Row) -> tuple[bool, Result]:
        """Whether an event counts for an aggregate, and with which value."""
        if aggregate.where is not None:
            condition = evaluate(aggregate.where, row)
            if condition is not True:
                return False, condition
        if aggregate.arg is None:
            return True, None
        value = evaluate(aggregate.arg, row)
        if absent(value):
            return False, value
        return (True, value) if accumulable(aggregate.function, value) else (False, FAILED)

    # Bounds

    def kept(self) -> set[tuple[Key, int]]:
        """(key, pane) that the bound keeps: of each bucket and pane the least salted hashes."""
        limit = -(-self.max_keys // 64)
        inside: defaultdict[tuple[int, int], set[Key]] = defaultdict(set)
        for event in self.taken:
            inside[identity.bucket(event.key), self.pane(event.time)].add(event.key)
        return {
            (key, pane)
            for (_, pane), keys in inside.items()
            for key in sorted(keys, key=lambda key: identity.salted(self.salt, key))[:limit]
        }

    def crowded(self) -> set[tuple[int, int]]:
        """(bucket, pane) in which keys were evicted."""
        kept = self.kept()
        return {
            (identity.bucket(event.key), self.pane(event.time))
            for event in self.taken
            if (event.key, self.pane(event.time)) not in kept
        }

    def accepted(self) -> list[Taken]:
        kept = self.kept()
        return [event for event in self.taken if (event.key, self.pane(event.time)) in kept]

    def counts(self) -> RuleCounts:
        accepted = len(self.accepted())
        evicted = len(self.taken) - accepted
        return RuleCounts(self.filtered, self.late, evicted, accepted, self.errors)

    # Closing

    def starts_of(self, time: int) -> Iterator[int]:
        """The starts of all windows that a time lies in."""
        rule = self.rule
        start = time // rule.every * rule.every
        while start + rule.size > time:
            yield start
            start -= rule.every

    def existing(self, last: int | None) -> set[tuple[Key, int]]:
        """(key, start) of every window that exists: with an accepted event in it, or keyless.

        A keyless rule has its empty windows too, from its start (if it has been there from the
        beginning: from its first window with an event) to the last that starts at or before `last`.
        """
        found = {(e.key, start) for e in self.accepted() for start in self.starts_of(e.time)}
        if not self.rule.keys and last is not None:
            first = self.start
            if first is None:
                first = min((start for _, start in found), default=last + 1)
            start = -(-first // self.rule.every) * self.rule.every
            full = {start for _, start in found}
            empty = 0
            while start <= last:
                empty = 0 if start in full else empty + 1
                if empty <= MOST_EMPTY:
                    found.add(((), start))
                start += self.rule.every
        if last is not None:
            found |= self._listed(last, {start for _, start in found})
        if self.start is not None:
            found = {(key, start) for key, start in found if start >= self.start}
        return found

    def _listed(self, last: int, full: set[int]) -> set[tuple[Key, int]]:
        """Windows of all keys that references list, empty or not, that are not closed yet.

        `full` are the starts of those with an accepted event of any key.
        """
        rule, found = self.rule, set()
        first = self.begun if self.start is None else self.start
        if first is None or not rule.lists:
            return set()
        start = first // rule.every * rule.every - rule.size
        if self.start is not None:
            start = -(-first // rule.every) * rule.every
        empty = 0
        while start <= last:
            end = start + rule.size
            if end > first:
                empty = 0 if start in full else empty + 1
            fresh = end > first if self.done is None else end > max(first, self.done)
            keys = self._listed_at(end) if fresh and empty <= MOST_EMPTY else set()
            if empty <= 1 or empty * len(keys) <= MOST_OF_ALL:
                found |= {(key, start) for key in keys}
            start += rule.every
        return found

    def _listed_at(self, end: int) -> set[Key]:
        """Keys that rows name, if a window of such a key that ends then finds a row."""
        types = {name: node.type for name, node in self.rule.keys}
        found = set()
        for name, columns in self.rule.lists:
            for row in self.references[name].rows:
                key = tuple(row[column] for column in columns)
                fields = dict(zip(types, key, strict=True))
                if LookingRow(fields, Asked(self.references, types, end))[f"{name}."]:
                    found.add(key)
        return found

    def close(self, watermark: int | None, last: int | None) -> list[Closed]:
        """Close windows that end at or before the watermark (None: all), by end and key."""
        due = [
            (start, key)
            for key, start in self.existing(last)
            if (key, start) not in self.closed
            and (watermark is None or start + self.rule.size <= watermark)
        ]
        self.closed |= {(key, start) for start, key in due}
        self.done = watermark if watermark is not None else self.done
        ordered = sorted(due, key=lambda each: (each[0], identity.encode(*each[1])))
        accepted, crowded = self.accepted(), self.crowded()
        return [self._finish(start, key, accepted, crowded) for start, key in ordered]

    def _finish(
        self, start: int, key: Key, accepted: list[Taken], crowded: set[tuple[int, int]]
    ) -> Closed:
        end = start + self.rule.size
        inside = [e for e in accepted if e.key == key and start <= e.time < end]
        finished = {each: self._measure(each, inside) for each in self.rule.aggregates}
        fields = {name: value for (name, _), value in zip(self.rule.keys, key, strict=True)}
        types = {name: node.type for name, node in self.rule.keys}
        row = LookingRow(fields, Asked(self.references, types, end))

        def measure(aggregate: Aggregate) -> Result:
            result = finished[aggregate].result
            if self.rule.limited and result is None and aggregate.function == "sum":
                return 0.0 if aggregate.type is Type.DOUBLE else 0
            return result

        results = {name: evaluate(node, row, measure) for name, node in self.rule.select}
        results |= {name: measure(aggregate) for name, aggregate in self.rule.shown}
        holds = evaluate(self.rule.when, row, measure) if self.rule.when else True
        selected = [evaluate(node, row, measure) for _, node in self.rule.select]
        self.errors += FAILED in [holds, *(selected if holds is True else [])]
        flags = []
        panes = range(start, end, self.rule.width)
        bucket = identity.bucket(key)
        if any((bucket, pane) in crowded for pane in panes):
            flags.append("keys_evicted")
        if any(each.saturated for each in finished.values()):
            flags.append("distinct_saturated")
        values = {name: plain(result) for name, result in results.items()}
        return Closed(start, end, key, values, tuple(sorted(flags)), holds is True)

    def _changes(self, aggregate: Aggregate, inside: list[Taken]) -> int:
        """How many events inside differ from the one before of their key, wherever that is."""
        known = [event for event in self.known_of(inside) if aggregate in event.arguments]
        known.sort(key=lambda event: (event.time, event.place))
        return sum(
            any(event is each for each in inside)
            and event.time - before.time <= self.rule.size
            and before.arguments[aggregate] != event.arguments[aggregate]
            for before, event in pairwise(known)
        )

    def known_of(self, inside: list[Taken]) -> list[Taken]:
        """All events of the keys of those inside a window that are known."""
        keys = {event.key for event in inside}
        return [event for event in self.accepted() if event.key in keys]

    def _measure(self, aggregate: Aggregate, inside: list[Taken]) -> Finished:
        if aggregate.function is AggregateFunction.CHANGES:
            return Finished(self._changes(aggregate, inside))
        values = [e.arguments[aggregate] for e in inside if aggregate in e.arguments]
        type_: Type | None = aggregate.arg.type if aggregate.arg is not None else None
        limit = self.max_distinct if aggregate.distinct else None
        return finish(aggregate.function, type_, values, aggregate.q, limit)
