"""Events that fit conditions one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.kernel.ordered.kinds import Found
from tailrace.kernel.time import NEVER
from tailrace.plan.event_columns import TIME

if TYPE_CHECKING:
    from collections.abc import Sequence as Rows

    from numpy.typing import NDArray

    from tailrace.kernel.ordered.reducer import Span
    from tailrace.kernel.ordered.states import States
    from tailrace.kernel.runs import Run
    from tailrace.plan.ordered import Sequence

Match = tuple[int, ...]
"""When the steps were that came so far."""


class Matches:
    """A state has, for each step but the last, the match that came so far and began last."""

    def __init__(self, rule: Sequence) -> None:
        """Look for the steps of ``rule``."""
        self._rule = rule
        self._length = len(rule.steps)
        self._cancel = 1 << self._length if rule.cancel is not None else 0

    def advance(self, rows: Run, states: States, span: Span) -> Found:  # noqa: ARG002 - as all
        """As ``Kind.advance``; events that fit nothing change nothing."""
        rows = rows.part(np.flatnonzero(rows.columns["steps"]))
        if not len(rows):
            return Found()
        starts = np.flatnonzero(np.r_[True, rows.keys[1:] != rows.keys[:-1]])
        edges = [*starts.tolist(), len(rows)]
        keys = rows.keys[starts]
        times, steps = rows.columns[TIME].tolist(), rows.columns["steps"].tolist()
        fired: list[tuple[int, ...]] = []
        after: list[list[Match | None]] = []
        before = self._open(states, keys)
        for place, (key, open_) in enumerate(zip(keys.tolist(), before, strict=True)):
            part = slice(edges[place], edges[place + 1])
            self._follow(key, open_, times[part], steps[part], fired)
            after.append(open_)
        found = np.array(fired, np.int64).reshape(-1, 1 + self._length)
        lasts = np.array([stop - 1 for stop in edges[1:]], np.int64)
        return Found(
            found[:, 0],
            found[:, -1],
            values={n: found[:, 1 + i] for i, (n, _) in enumerate(self._rule.measures)},
            changed=keys,
            times=rows.columns[TIME][lasts],
            columns=self._columns(after),
        )

    def _follow(
        self,
        key: int,
        open_: list[Match | None],
        times: Rows[int],
        steps: Rows[int],
        fired: list[tuple[int, ...]],
    ) -> None:
        """Advance a key's matches; adds (key, time of each step) of complete ones to ``fired``."""
        within, last = self._rule.within, self._length - 1
        complete = NEVER
        for time, bits in zip(times, steps, strict=True):
            if bits & self._cancel:
                open_[:] = [None] * last
                continue
            for step in range(last, 0, -1):
                before = open_[step - 1]
                if not bits >> step & 1 or before is None or time - before[0] > within:
                    continue
                if step < last:
                    open_[step] = _later(open_[step], (*before, time))
                    continue
                if time != complete:
                    fired.append((key, *before, time))
                complete = time
                open_[:] = [None] * last
                break
            else:
                if bits & 1:
                    open_[0] = (time,)

    def _open(self, states: States, keys: NDArray[np.int64]) -> list[list[Match | None]]:
        """For each key and step but the last the match that came so far."""
        known = states.times[keys] != NEVER
        steps = []
        for step in range(self._length - 1):
            columns = [states.columns[f"at_{step}_{i}"][keys] for i in range(step + 1)]
            there = (known & (columns[0] != NEVER)).tolist()
            matches = zip(*(column.tolist() for column in columns), strict=True)
            steps.append(
                [
                    match if is_there else None
                    for match, is_there in zip(matches, there, strict=True)
                ]
            )
        return [list(open_) for open_ in zip(*steps, strict=True)]

    def _columns(self, after: list[list[Match | None]]) -> dict[str, np.ndarray]:
        columns = {}
        for step in range(self._length - 1):
            for i in range(step + 1):
                values = [NEVER if m[step] is None else m[step][i] for m in after]  # type: ignore[index]
                columns[f"at_{step}_{i}"] = np.array(values, np.int64)
        return columns

    def forgotten(
        self,
        keys: NDArray[np.int64],  # noqa: ARG002 - as all kinds
        states: States,  # noqa: ARG002
        at: int,  # noqa: ARG002
    ) -> Found | None:
        """Nothing lasts."""
        return None

    def due(self, states: States, reached: int) -> int | None:  # noqa: ARG002 - as all kinds
        """Nothing happens without events."""
        return None


def _later(one: Match | None, other: Match) -> Match:
    """The match that began later; of two that began at once the one that came so far first."""
    return one if one is not None and one[0] >= other[0] else other
