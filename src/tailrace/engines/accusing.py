"""From the kernel's firings (arrays, dense keys) to accusations of a list's keys."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tailrace.alerts.open_runs import open_rows
from tailrace.alerts.verdicts import FOREVER, Accusation, Series
from tailrace.engines.folding import value_types
from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Type
from tailrace.expr.values import DTYPES, Values
from tailrace.plan.identity import Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.identity import Key, Scalar
    from tailrace.plan.verdicts import VerdictList

_INSTANTS = ("leaky", "first_seen", "sequence")
"""Kinds of rules whose firings are instants, not runs."""


def accusations(
    wanted: VerdictList, keys: DenseKeys, firings: RuleFirings
) -> Iterator[Accusation | Series]:
    """The firings of one rule as accusations of a list's keys, but for those that are allowed."""
    places = wanted.places[firings.rule.identity]
    if wanted.allow:
        firings = _accused(wanted, keys, firings, places)
    measures = measures_of(firings)
    if firings.lasts is None:
        yield from _series(firings, keys, places, measures)
        return
    rule = firings.rule
    told = [True] * len(firings.ends) if firings.told is None else firings.told.tolist()
    lasts = firings.lasts if firings.open is None else _opened(firings, firings.open)
    rows = zip(firings.keys.tolist(), firings.ends.tolist(), lasts.tolist(), told, strict=True)
    # A run holds until the instant after its last one.
    rest = int(rule.ordered is not None and rule.ordered.meaning[0] not in _INSTANTS)
    named: dict[int, tuple[Key, Key | None]] = {}
    for row, (number, end, last, own) in enumerate(rows):
        if last < end and firings.open is None:
            continue
        known = named.get(number)
        if known is None:
            whole = keys.values(number)
            run = None if firings.open is None else whole
            known = named[number] = tuple(whole[place] for place in places), run
        yield Accusation(rule.name, known[0], end, last, own, rest, measures(row), known[1])


def allowed(wanted: VerdictList, keys: Sequence[Key]) -> NDArray[np.bool_]:
    """For each key of a list whether its allow-list names it."""
    columns = {
        name: Values(np.fromiter((key[place] for key in keys), DTYPES[kind], len(keys)))
        for place, (name, kind) in enumerate(wanted.keys)
    }
    found = np.zeros(len(keys), np.bool_)
    for node in wanted.allow:
        found |= evaluate(node, columns, len(keys)).is_true
    return found


def _accused(
    wanted: VerdictList, keys: DenseKeys, firings: RuleFirings, places: Sequence[int]
) -> RuleFirings:
    numbers, rows = np.unique(firings.keys, return_inverse=True)
    whole = [keys.values(number) for number in numbers.tolist()]
    mine = [tuple(key[place] for place in places) for key in whole]
    return firings.take(np.flatnonzero(~allowed(wanted, mine)[rows]))


def _opened(firings: RuleFirings, is_open: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The ends of runs, those that go on being without one."""
    assert firings.lasts is not None  # noqa: S101 - the caller looked
    lasts = firings.lasts.copy()
    rows = open_rows(firings.keys, firings.ends, is_open)
    lasts[list(rows.values())] = FOREVER
    return lasts


def _series(
    firings: RuleFirings,
    keys: DenseKeys,
    places: Sequence[int],
    measures: Callable[[int], dict[str, Scalar]],
) -> Iterator[Series]:
    """A series for each key of the rule; a windows' firings come by ascending ends."""
    order = np.argsort(firings.keys, kind="stable")
    numbers, ends = firings.keys[order], firings.ends[order].tolist()
    cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(ends)]
    for first, behind in pairwise(cuts) if ends else ():
        whole = keys.values(int(numbers[first]))
        key = tuple(whole[place] for place in places)

        def of(place: int, first: int = first) -> dict[str, Scalar]:
            return measures(int(order[first + place]))

        yield Series(firings.rule.name, key, ends[first:behind], of)


def measures_of(firings: RuleFirings) -> Callable[[int], dict[str, Scalar]]:
    """Each row's measures; its columns become lists once."""
    types = value_types(firings.rule)
    columns = {
        name: (firings.values.column(name).to_pylist(), types[name] is Type.TIME)
        for name in firings.values.column_names
    }

    def measures(row: int) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {}
        for name, (values, time) in columns.items():
            value = values[row]
            found[name] = Time(value) if time and value is not None else value
        return found

    return measures
