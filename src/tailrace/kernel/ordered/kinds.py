"""What each kind does with the events that have come since it was asked last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from tailrace.kernel.judging import ARROW_TYPES
from tailrace.kernel.types import RuleFirings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.kernel.ordered.reducer import Span
    from tailrace.kernel.ordered.states import States
    from tailrace.kernel.runs import Column, Run
    from tailrace.plan.model import Bounds, Rule
    from tailrace.plan.ordered import Ordered

NOTHING: NDArray[np.int64] = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Found:
    """Stretches in which a rule's condition holds, and states that changed.

    ``keys``, ``ends``, ``lasts``, ``told``, ``open`` as in ``RuleFirings``; ``values``: the kind's
    measures by name, ``valid`` where one can be null; ``flags``: bits of ``FLAG_*``. ``changed``:
    keys with a new state, of the events up to ``times``.
    """

    keys: NDArray[np.int64] = field(default_factory=lambda: NOTHING)
    ends: NDArray[np.int64] = field(default_factory=lambda: NOTHING)
    lasts: NDArray[np.int64] | None = None
    told: NDArray[np.bool_] | None = None
    open: NDArray[np.bool_] | None = None
    values: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    valid: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    flags: NDArray[np.uint8] | None = None
    changed: NDArray[np.int64] = field(default_factory=lambda: NOTHING)
    times: NDArray[np.int64] = field(default_factory=lambda: NOTHING)
    columns: dict[str, Column] = field(default_factory=dict)

    def firings(self, rule: Rule) -> RuleFirings:
        """The stretches, by ascending end."""
        order = np.argsort(self.ends, kind="stable")
        assert rule.ordered is not None  # noqa: S101 - a rule of one of the kinds
        columns = {}
        for name, type_ in rule.ordered.measures if len(order) else ():
            mask = ~self.valid[name][order] if name in self.valid else None
            columns[name] = pa.array(self.values[name][order], ARROW_TYPES[type_], mask=mask)
        ends = self.ends[order]
        return RuleFirings(
            rule,
            self.keys[order],
            ends,
            pa.table(columns),
            np.zeros(len(order), np.uint8) if self.flags is None else self.flags[order],
            ends if self.lasts is None else self.lasts[order],
            np.ones(len(order), np.bool_) if self.told is None else self.told[order],
            None if self.open is None else self.open[order],
        )


class Kind(Protocol):
    """One kind of rule; it has no state of its own."""

    def advance(self, rows: Run, states: States, span: Span) -> Found:
        """Look at events, ordered by key and time, that come after those that made the states."""
        ...

    def forgotten(self, keys: NDArray[np.int64], states: States, at: int) -> Found | None:
        """What is told of keys that are forgotten from an instant on; None: nothing."""
        ...

    def due(self, states: States, reached: int) -> int | None:
        """The next instant from ``reached`` on at which a state says something without events."""
        ...


def kind_of(ordered: Ordered, bounds: Bounds) -> Kind:
    """The kind of a rule."""
    from tailrace.kernel.ordered.absent_for import Absence
    from tailrace.kernel.ordered.first_seen import FirstSight
    from tailrace.kernel.ordered.leaky import Buckets
    from tailrace.kernel.ordered.sequence import Matches
    from tailrace.plan import ordered as planned

    match ordered:
        case planned.Leaky():
            return Buckets(ordered, bounds.max_distinct)
        case planned.FirstSeen():
            return FirstSight(ordered)
        case planned.AbsentFor():
            return Absence(ordered)
        case planned.Sequence():
            return Matches(ordered)
        case _:
            message = f"no kind for {ordered}"
            raise AssertionError(message)
