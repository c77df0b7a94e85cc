"""The stateful half of the kernel: keeps a group's pane partials, closes windows, judges them.

What is written to disk of it is the caller's business: ``add`` returns the rows to keep, ``load``
takes them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.kernel.bounds import Bound
from tailrace.kernel.elsewhere import full_ends
from tailrace.kernel.empties import (
    Gaps,
    empty_ends,
    empty_totals,
    first_end,
    last_end_at_input_end,
)
from tailrace.kernel.judging import judged
from tailrace.kernel.keys import DenseKeys, typed_column
from tailrace.kernel.limits import limits, lists_keys, lookup_names, silent_sum, unmatched
from tailrace.kernel.listing import Listing
from tailrace.kernel.lookups import Lookups
from tailrace.kernel.measures import finish
from tailrace.kernel.runs import Run, Runs, partial_column, sorted_run
from tailrace.kernel.silence import Silence
from tailrace.kernel.time import FOREVER, NEVER, last_end, late_mask, next_end
from tailrace.kernel.totals import window_totals
from tailrace.kernel.types import FLAG_EVICTED, RuleFirings
from tailrace.plan.model import NO_START, PartialKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tailrace.expr.values import Values
    from tailrace.kernel.judging import Judged
    from tailrace.kernel.totals import Totals
    from tailrace.kernel.types import GroupPartials
    from tailrace.plan.model import Bounds, Group, Partial, Rule

_FEW_KEYS = 4096
"""Below this many keys there is nothing to gain by forgetting some."""


@dataclass(slots=True)
class Closed:
    """What closing up to a watermark brought.

    ``failures``: windows that an operation failed in, by rule identity; ``left_out``: empty windows
    beyond the bound; ``unmatched``: windows that looked something up and found no row;
    ``evicted``: events of keys that there was no place for, among those accepted before;
    ``forgotten``: keys of which something was remembered, and isn't any more for the same reason.
    """

    firings: list[RuleFirings] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    unmatched: int = 0
    evicted: int = 0
    forgotten: int = 0


class GroupReducer:
    """The state of one group. Windows are closed in order; a watermark never goes back."""

    def __init__(self, group: Group, bounds: Bounds, salt: str) -> None:
        """Start without state."""
        self.group = group
        self.keys = DenseKeys([i for i, key in enumerate(group.keys) if key.node.type is Type.TIME])
        self._bounds = bounds
        self._runs = Runs()
        self._sides = {partial.name: Runs() for partial in group.sides}
        self._sets = [
            self._sides[partial.name]
            for partial in group.sides
            if partial.kind is PartialKind.DISTINCT
        ]
        self._bound = Bound(bounds, salt)
        self._touched: int | None = None
        self._fresh: NDArray[np.int64] = np.empty(0, np.int64)
        self._compact_at = _FEW_KEYS
        self.lookups = Lookups()
        """The versions of references that are in force."""
        self.share: NDArray[np.bool_] | None = None
        """The hash buckets whose keys are here; None: all."""
        self.full: dict[str, int] = {}
        """For each rule with empty windows that has begun: the end of its last one with an event.

        Once the input has ended, the end of its last window.
        """
        self.elsewhere: NDArray[np.int64] = np.empty(0, np.int64)
        """Panes with events of keys that may not be here, each once."""
        self._listings: dict[str, Listing] = {}

    def load(self, plain: Run, sides: Mapping[str, Run]) -> None:
        """Take back stored rows (keys already numbered by ``self.keys``)."""
        self._runs.append(sorted_run(plain.panes, plain.keys, plain.columns))
        for name, run in sides.items():
            self._sides[name].append(sorted_run(run.panes, run.keys, run.columns))
        self._bound.recount(self._runs)

    @property
    def bound(self) -> Bound:
        """What ``max_keys`` has evicted so far."""
        return self._bound

    def add(self, partials: GroupPartials) -> tuple[Run, dict[str, Run], int, bool]:
        """Add a batch's partials.

        Returns the rows added, the side rows added, how many events were evicted, and whether
        earlier rows changed.
        """
        plain = partials.plain
        names = [f"k{index}" for index in range(len(self.group.keys))]
        numbers = self.keys.number(plain["code"], [plain[name] for name in names])
        columns = {
            "n": plain["n"].to_numpy(),
            **{p.name: partial_column(plain[p.name]) for p in self.group.plain},
        }
        run = sorted_run(plain["pane"].to_numpy(), numbers, columns)
        self._runs.append(run)
        self._touched = int(run.panes[-1]) if len(run) else None
        self._fresh = run.keys
        sides: dict[str, Run] = {}
        for name, table in partials.sides.items():
            side_numbers = self.keys.number(table["code"], [])
            side_columns = {"item": table["item"].to_numpy(), "n": table["n"].to_numpy()}
            sides[name] = sorted_run(table["pane"].to_numpy(), side_numbers, side_columns)
            self._sides[name].append(sides[name])
        evicted, changed = self._bound.enforce(
            run, self._runs, self._sides.values(), self._sets, self.keys
        )
        return run, sides, evicted, changed

    def hear(self, panes: NDArray[np.int64], horizon: int) -> None:
        """Know of panes with events whoever has their keys, but for those late by ``horizon``."""
        if len(panes):
            late = late_mask(panes, self.group.width, np.array(horizon))
            self.elsewhere = np.union1d(self.elsewhere, panes[~late])

    def close(  # noqa: C901 - with a key, without one, with one that references list
        self,
        after: int,
        until: int,
        starts: Mapping[str, int],
        greatest: int,
        begun: int = NO_START,
    ) -> Closed:
        """Judge the windows whose end lies in ``(after, until]``.

        ``starts`` is each rule's start, ``greatest`` the greatest event time so far, ``begun`` when
        event time began.
        """
        closed = Closed()
        shared: dict[object, Totals] = {}
        for rule in self.group.rules:
            floor = max(after, starts[rule.identity] + rule.window.size - 1)
            rows = self._window_rows(rule, floor, until)
            parts: list[RuleFirings] = []
            failures = 0
            present: list[Totals] = []
            for totals in _totals(rule, rows, floor, until, shared) if rows else ():
                part, failed = self._judge(rule, totals)
                failures += failed
                key_of = self._key_of(rule, totals)
                closed.unmatched += unmatched(rule, self.lookups, key_of, totals)
                if not rule.keys or lists_keys(rule):
                    present.append(totals)
                if len(part.keys):
                    parts.append(part)
            if not rule.keys:
                last = until
                if until == FOREVER:
                    last = last_end_at_input_end(greatest, rule.window)
                ends = [np.empty(0, np.int64), *(totals.ends for totals in present)]
                full = np.unique(np.concatenate(ends))
                if self._begins(rule, floor, last, starts[rule.identity], rows):
                    more, failed = self._empty_windows(rule, floor, last, full, closed)
                    failures += failed
                    parts += more
                    if until == FOREVER:
                        # Told once: replayed dead letters end the input once more.
                        self.full[rule.identity] = max(self.full[rule.identity], last)
            if lists_keys(rule):
                known = max(floor, begun) if starts[rule.identity] == NO_START else floor
                more, failed = self._listed_windows(rule, known, until, greatest, present, closed)
                failures += failed
                parts += more
            closed.failures[rule.identity] = failures
            if parts:
                closed.firings.append(_joined(rule, parts))
        return closed

    def soonest(self, after: int, starts: Mapping[str, int]) -> int | None:
        """An end after ``after`` before which no window has anything to say; None: none ever has.

        ``starts`` as for ``close``.
        """
        found = []
        for rule in self.group.rules:
            window = rule.window
            floor = max(after, starts[rule.identity] + window.size - 1)
            if self.held is not None:
                least, greatest = (pane * window.width for pane in self.held)
                first = next_end(max(least, floor), window.size, window.every)
                if first <= last_end(greatest + window.size, window.size, window.every):
                    found.append(first)
            begun = rule.identity in self.full or starts[rule.identity] != NO_START
            if lists_keys(rule) and after > NEVER:
                found.append(next_end(floor, window.size, window.every))
            if not rule.keys and begun and self._speaks_of_silence(rule):
                found.append(next_end(floor, window.size, window.every))
        return min(found, default=None)

    def _speaks_of_silence(self, rule: Rule) -> bool:
        """Whether an empty window of a rule without a key has anything to say."""
        key = int(self.keys.number(pa.chunked_array([[""]], pa.string()), [])[0])
        end = np.zeros(1, np.int64)
        firings, failed = self._judge(rule, empty_totals(key, end, _plain_partials(rule)))
        return bool(len(firings.keys) or failed)

    def _begins(self, rule: Rule, after: int, until: int, start: int, rows: Run | None) -> bool:
        """Whether a rule without a key has windows by now: from its start, or its first event."""
        if rule.identity not in self.full:
            window = rule.window
            first = next_end(after, window.size, window.every)
            if start == NO_START:
                found = first_end(rows, window)
                if found is None or found > until:
                    return False
                first = max(first, found)
            self.full[rule.identity] = first - window.every
        return True

    def _empty_windows(
        self, rule: Rule, after: int, until: int, full: NDArray[np.int64], closed: Closed
    ) -> tuple[list[RuleFirings], int]:
        """Firings of the windows without events in ``(after, until]``, and failures in them."""
        ends, left_out = empty_ends(self.full[rule.identity], after, until, rule.window, full)
        if len(full):
            self.full[rule.identity] = int(full[-1])
        closed.left_out += left_out
        if not len(ends):
            return [], 0
        plain = _plain_partials(rule)
        key = int(self.keys.number(pa.chunked_array([[""]], pa.string()), [])[0])
        if rule.joins:
            empty = empty_totals(key, ends, plain)
            closed.unmatched += unmatched(rule, self.lookups, self._key_of(rule, empty), empty)
            return self._silence(rule).of_all(key, ends)
        sample, failed = self._judge(rule, empty_totals(key, ends[:1], plain))
        if not len(sample.keys):
            return [], failed * len(ends)
        return [self._judge(rule, empty_totals(key, ends, plain))[0]], failed * len(ends)

    def _listed_windows(
        self,
        rule: Rule,
        after: int,
        until: int,
        greatest: int,
        present: Sequence[Totals],
        closed: Closed,
    ) -> tuple[list[RuleFirings], int]:
        """Firings of the windows without events of keys that references list, and failures."""
        if after <= NEVER:
            return [], 0
        window, full = rule.window, self.full
        last = until
        if until == FOREVER:
            last = last_end_at_input_end(greatest, window)
            # Told once, as those of rules without a key are.
            after = max(after, full.get(rule.identity, after))
        last_full = full.setdefault(rule.identity, last_end(after, window.size, window.every))
        parts = [full_ends(self.elsewhere, window, after, last), *(one.ends for one in present)]
        ends = np.unique(np.concatenate(parts))
        ends = ends[(ends > after) & (ends <= last)]
        gaps = Gaps.between(last_full, after, last, window, ends)
        if len(ends):
            full[rule.identity] = int(ends[-1])
        if until == FOREVER:
            full[rule.identity] = max(full[rule.identity], after, last)
        listing = self._listings.setdefault(rule.identity, Listing(rule))
        listing.use(self.lookups, self.keys)
        silence = self._silence(rule)
        firings, failed, left_out = silence.of_listed(listing, gaps, present, self._mine)
        closed.left_out += left_out
        return firings, failed

    def _mine(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some keys that are here."""
        if self.share is None or not len(numbers):
            return numbers
        return numbers[self.share[self.keys.buckets_of(numbers)]]

    def _silence(self, rule: Rule) -> Silence:
        return Silence(rule, self.lookups, _plain_partials(rule), partial(self._judged, rule))

    def notices(self, rule: Rule, until: int) -> RuleFirings | None:
        """Keys whose condition holds already in an open window, among those just added to.

        Of the windows that hold the newest pane it is the one that reaches back furthest.
        """
        if self._touched is None:
            return None
        window = rule.window
        end = (self._touched * window.width // window.every) * window.every + window.size
        while end - window.every >= (self._touched + 1) * window.width:
            end -= window.every
        if end <= until:
            return None
        # The others' conditions can't have turned true.
        only = np.zeros(len(self.keys), np.bool_)
        only[self._fresh] = True
        rows = self._window_rows(rule, end - 1, end, only)
        if rows is None:
            return None
        parts = [
            self._judge(rule, totals)[0]
            for totals in window_totals(rows, window, _plain_partials(rule), end - 1, end)
        ]
        parts = [part for part in parts if len(part.keys)]
        return _joined(rule, parts) if parts else None

    def explain(self, rule: Rule, end: int) -> Iterable[Totals]:
        """The totals of one window of the state that is still kept, for ``explain``."""
        rows = self._window_rows(rule, end - 1, end)
        return window_totals(rows, rule.window, _plain_partials(rule), end - 1, end) if rows else ()

    def values(self, rule: Rule, totals: Totals) -> tuple[dict[str, Values], NDArray[np.uint8]]:
        """Every measure and key field of the rule for each row of ``totals``, and its flags."""
        names = {measure.name for measure in rule.measures} | {key.name for key in rule.keys}
        names |= lookup_names(rule)
        columns, raised = self._columns(rule, totals, names)
        evicted = self._bound.flags(rule.window, totals.keys, totals.ends, self.keys) * np.uint8(
            FLAG_EVICTED
        )
        return columns, evicted if raised is None else evicted | raised

    def needed_from(self, until: int) -> int:
        """The first pane that a window which ends after ``until`` can hold."""
        first = FOREVER
        for rule in self.group.rules:
            window = rule.window
            start = last_end(until, window.size, window.every) + window.every - window.size
            first = min(first, start // window.width)
        return first

    def forget(self, until: int) -> None:
        """Drop panes that no window which ends after ``until`` can hold."""
        pane = self.needed_from(until)
        self._runs.forget_before(pane)
        for side in self._sides.values():
            side.forget_before(pane)
        self._bound.forget_before(pane)
        self.elsewhere = self.elsewhere[self.elsewhere >= pane]

    def compact(self) -> None:
        """Forget keys without panes once they are most of all keys; numbers of keys change."""
        if len(self.keys) < self._compact_at:
            return
        present = np.zeros(len(self.keys), np.bool_)
        self._mark(present)
        alive = int(present.sum())
        self._compact_at = max(_FEW_KEYS, 2 * alive)
        if 2 * alive > len(self.keys):
            return
        self._renumber(self.keys.keep(np.flatnonzero(present)))

    def _mark(self, present: NDArray[np.bool_]) -> None:
        """Mark the keys that something is held of."""

        def mark(run: Run) -> Run:
            present[run.keys] = True
            return run

        self._runs.map(mark)
        for listing in self._listings.values():
            listing.mark(present)

    def _renumber(self, moved: NDArray[np.int64]) -> None:
        """Give keys the numbers that ``moved`` has for them."""

        def move(run: Run) -> Run:
            return Run(run.panes, moved[run.keys], run.columns)

        self._runs.map(move)
        for listing in self._listings.values():
            listing.renumber(moved)
        for side in self._sides.values():
            side.map(move)

    def contents(self) -> tuple[Run | None, dict[str, Run | None]]:
        """All rows held, for a rewrite of what is stored."""
        low, high = -FOREVER, FOREVER
        return self._runs.span(low, high), {
            name: side.span(low, high) for name, side in self._sides.items()
        }

    def news(self) -> Run | None:
        """Rows to keep beside those added, since this was asked last."""
        return None

    @property
    def overgrown(self) -> bool:
        """Whether what is stored should be written anew, as most of it means nothing any more."""
        return False

    @property
    def held(self) -> tuple[int, int] | None:
        """The least and the greatest pane held."""
        return self._runs.bounds()

    @property
    def rows(self) -> int:
        """Rows of plain partials held."""
        return len(self._runs)

    @property
    def nbytes(self) -> int:
        """Bytes of all partials held."""
        return self._runs.nbytes + sum(side.nbytes for side in self._sides.values())

    def _window_rows(
        self, rule: Rule, after: int, until: int, only: NDArray[np.bool_] | None = None
    ) -> Run | None:
        window = rule.window
        low = (max(after, -FOREVER) - window.size) // window.width
        return self._runs.span(low, until // window.width + 1, only)

    def _judge(self, rule: Rule, totals: Totals) -> tuple[RuleFirings, int]:
        found = self._judged(rule, totals)
        return found.firings, int(found.failed.sum())

    def _judged(self, rule: Rule, totals: Totals) -> Judged:
        flags = np.zeros(len(totals), np.uint8)
        if self._bound.ever:
            flags |= self._bound.flags(rule.window, totals.keys, totals.ends, self.keys) * np.uint8(
                FLAG_EVICTED
            )
        return judged(rule, totals, flags, lambda some, names: self._columns(rule, some, names))

    def _columns(
        self, rule: Rule, totals: Totals, names: set[str]
    ) -> tuple[dict[str, Values], NDArray[np.uint8] | None]:
        """The named measures and key fields for each row, and the flags that measures raised."""
        from tailrace.expr.values import Values

        low, high = (
            (
                (int(totals.ends.min()) - rule.window.size) // rule.window.width,
                int(totals.ends.max()) // rule.window.width,
            )
            if len(totals)
            else (0, 0)
        )
        side_rows = {name: side.span(low, high) for name, side in self._sides.items()}
        found: dict[str, Values] = {}
        flags: NDArray[np.uint8] | None = None
        for measure in rule.measures:
            if measure.name in names:
                value, raised = finish(measure, totals, rule, side_rows, self._bounds.max_distinct)
                found[measure.name] = silent_sum(rule, measure, value)
                if raised is not None:
                    flags = raised if flags is None else flags | raised
        for index, key in enumerate(rule.keys):
            if key.name in names and key.name not in found:
                values = typed_column(self.keys, totals.keys, index, key.node.type)
                found[key.name] = Values(values, None, None)
        if rule.joins:
            found |= limits(rule, self.lookups, self._key_of(rule, totals), totals.ends, names)
        return found, flags

    def _key_of(self, rule: Rule, totals: Totals) -> Callable[[int], Values]:
        """Gives a key field's values by its place."""
        from tailrace.expr.values import Values

        def key_values(place: int) -> Values:
            kind = rule.keys[place].node.type
            return Values(typed_column(self.keys, totals.keys, place, kind), None, None)

        return key_values


def _totals(
    rule: Rule, rows: Run, after: int, until: int, shared: dict[object, Totals]
) -> Iterator[Totals]:
    """As ``window_totals``; rules that differ in their conditions alone share what is one piece."""
    plain = _plain_partials(rule)
    place = (rule.window, after, tuple(each.name for each in plain))
    if place in shared:
        yield shared[place]
        return
    parts = iter(window_totals(rows, rule.window, plain, after, until))
    first = next(parts, None)
    if first is not None:
        second = next(parts, None)
        if second is None:
            shared[place] = first
        else:
            parts = chain([second], parts)
        yield first
        yield from parts


def _plain_partials(rule: Rule) -> list[Partial]:
    unique = {p.name: p for m in rule.measures for p in m.partials if not p.kind.sided}
    return list(unique.values())


def _joined(rule: Rule, parts: list[RuleFirings]) -> RuleFirings:
    if len(parts) == 1:
        return parts[0]
    return RuleFirings(
        rule,
        np.concatenate([p.keys for p in parts]),
        np.concatenate([p.ends for p in parts]),
        pa.concat_tables([p.values for p in parts]),
        np.concatenate([p.flags for p in parts]),
    )
