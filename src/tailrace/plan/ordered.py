"""What rules that see a key's events in order are, once their expressions are typed (SEMANTICS 21).

One class for each kind, frozen, durations in microseconds. ``reach`` is how long before an instant
events can matter to it; ``size`` how far before its end a window of the rule's rows starts, unless
the measure ``start_from`` says where; ``measures`` what its rows show beside those selected;
``columns`` what is kept of an event, beside its place, and of a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tailrace.expr.nodes import Type

Measures = tuple[tuple[str, Type], ...]

PLACE: Measures = (
    ("partition", Type.TEXT),
    ("generation", Type.INTEGER),
    ("position", Type.INTEGER),
)
"""Columns by which events of equal time are ordered; ``kernel.ordered.order`` says how."""


@dataclass(frozen=True, slots=True)
class Sliding:
    """Judged over ``(t - size, t]`` at every instant ``t`` at which that changes."""

    size: int
    placed: ClassVar[bool] = False
    start_from: ClassVar[str | None] = None
    measures: ClassVar[Measures] = ()
    columns: ClassVar[Measures] = ()

    @property
    def reach(self) -> int:
        """The window's size."""
        return self.size

    @property
    def meaning(self) -> tuple[str | int | None, ...]:
        """What tells it from others of another meaning."""
        return "sliding", self.size


Ordered = Sliding
"""Any of the kinds."""
