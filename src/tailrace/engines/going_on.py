"""Runs that are told once and go on, for whoever must hear of each at every watermark."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tailrace.alerts.open_runs import first_rows, open_rows
from tailrace.kernel.time import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.identity import Key, Scalar


class Rest(NamedTuple):
    """A run that goes on untold: the rule's whole key, from when to when, and its measures."""

    key: Key
    start: int
    last: int
    measures: Mapping[str, Scalar]


class GoingOn:
    """The open runs of one rule."""

    def __init__(self) -> None:
        """No run is open."""
        self._open: dict[Key, Mapping[str, Scalar]] = {}
        self._known = NEVER

    def take(
        self,
        told: RuleFirings | None,
        keys: DenseKeys | None,
        measures: Callable[[int], Mapping[str, Scalar]] | None,
        known: int,
    ) -> Iterator[Rest]:
        """What is told up to the instant ``known``, if anything; gives the runs that aren't."""
        start, self._known = self._known + 1, max(self._known, known)
        heard: set[Key] = set()
        if told is not None and told.open is not None:
            assert keys is not None  # noqa: S101 - they come together
            assert measures is not None  # noqa: S101 - as above
            for row in first_rows(told.keys, told.ends).tolist():
                key: Key = keys.values(int(told.keys[row]))
                heard.add(key)
                before = self._open.pop(key, None)
                if before is not None and start < told.ends[row]:
                    yield Rest(key, start, int(told.ends[row]) - 1, before)
            for number, row in open_rows(told.keys, told.ends, told.open).items():
                self._open[keys.values(number)] = measures(row)
        for key, shown in self._open.items() if start <= known else ():
            if key not in heard:
                yield Rest(key, start, known, shown)
