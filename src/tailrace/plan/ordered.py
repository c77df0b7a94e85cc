"""What rules that see a key's events in order are, once their expressions are typed (SEMANTICS 21).

One class for each kind, frozen, durations in microseconds. Of each is known:

- ``reach``: how long before an instant events, or what is kept of a key, can matter to it;
- ``size``: how far before its end a window of the rule's rows starts, unless the measure
  ``start_from`` says where;
- ``measures``: what the rows show beside what is selected;
- ``placed``: whether order matters among events of equal time;
- ``of_event`` and ``of_key``: the columns kept of each, beside the time;
- ``nodes``: its expressions on events;
- ``meaning``: what tells it from rules of another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tailrace.expr.nodes import Type
from tailrace.expr.render import render

if TYPE_CHECKING:
    from tailrace.expr.nodes import Node

Columns = tuple[tuple[str, Type], ...]
Meaning = tuple[str | int | None, ...]

PLACE: Columns = (
    ("partition", Type.TEXT),
    ("generation", Type.INTEGER),
    ("position", Type.INTEGER),
)
"""Columns by which events of equal time are ordered."""

LAST_SEEN = "last_seen"


@dataclass(frozen=True, slots=True)
class Sliding:
    """Judged over ``(t - size, t]`` at every instant ``t`` at which that changes.

    ``compares``: whether a measure of it compares events with those before.
    """

    size: int
    compares: bool = False
    placed: ClassVar[bool] = False
    start_from: ClassVar[str | None] = None
    measures: ClassVar[Columns] = ()
    of_event: ClassVar[Columns] = ()
    of_key: ClassVar[Columns] = ()
    nodes: ClassVar[tuple[Node, ...]] = ()

    @property
    def reach(self) -> int:
        """The window's size; twice that if events in it are compared with those before."""
        return 2 * self.size if self.compares else self.size

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        return "sliding", self.size


@dataclass(frozen=True, slots=True)
class Leaky:
    """A bucket for each key; one event leaks out in ``leak``, more than ``capacity`` overflow."""

    capacity: int
    leak: int
    distinct: Node | None
    blackhole: int
    size: ClassVar[int] = 0
    start_from: ClassVar[str | None] = None
    measures: ClassVar[Columns] = (("count", Type.INTEGER),)
    of_event: ClassVar[Columns] = (("item", Type.INTEGER), ("poured", Type.INTEGER))
    of_key: ClassVar[Columns] = (
        ("level", Type.INTEGER),
        ("count", Type.INTEGER),
        ("blind_until", Type.INTEGER),
        ("items", Type.TEXT),
    )

    @property
    def placed(self) -> bool:
        """Which of several events overflows doesn't matter, but which values are in the bucket."""
        return self.distinct is not None

    @property
    def full(self) -> int:
        """The level, in microseconds of leaking, that a bucket has at the most."""
        return self.capacity * self.leak

    @property
    def reach(self) -> int:
        """A bucket is empty, and its key looked at, once so much time has passed."""
        return max(self.full, self.blackhole)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """See the module."""
        return () if self.distinct is None else (self.distinct,)

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        distinct = None if self.distinct is None else render(self.distinct)
        return "leaky", self.capacity, self.leak, distinct, self.blackhole


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """Fires at an event of a key that had none in ``within``; not before ``learn`` has passed."""

    within: int
    learn: int
    size: ClassVar[int] = 0
    placed: ClassVar[bool] = False
    start_from: ClassVar[str | None] = None
    measures: ClassVar[Columns] = ((LAST_SEEN, Type.TIME),)
    of_event: ClassVar[Columns] = ()
    of_key: ClassVar[Columns] = ()
    nodes: ClassVar[tuple[Node, ...]] = ()

    @property
    def reach(self) -> int:
        """Twice ``within``: how far back ``last_seen`` is told."""
        return 2 * self.within

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        return "first_seen", self.within, self.learn


@dataclass(frozen=True, slots=True)
class AbsentFor:
    """Fires from ``after`` after a key's last event, to its next one or ``forget`` after it."""

    after: int
    forget: int
    placed: ClassVar[bool] = False
    start_from: ClassVar[str | None] = LAST_SEEN
    measures: ClassVar[Columns] = ((LAST_SEEN, Type.TIME),)
    of_event: ClassVar[Columns] = ()
    of_key: ClassVar[Columns] = ()
    nodes: ClassVar[tuple[Node, ...]] = ()

    @property
    def size(self) -> int:
        """Of the window at the first instant at which it fires."""
        return self.after

    @property
    def reach(self) -> int:
        """Until its key is forgotten."""
        return self.forget

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        return "absent_for", self.after, self.forget


@dataclass(frozen=True, slots=True)
class Sequence:
    """Fires when events fit ``steps`` one after another, the last ``within`` of the first."""

    steps: tuple[tuple[str, Node], ...]
    within: int
    cancel: Node | None
    size: ClassVar[int] = 0
    placed: ClassVar[bool] = True
    of_event: ClassVar[Columns] = (("steps", Type.INTEGER),)

    @property
    def start_from(self) -> str:
        """A window starts at its first step."""
        return self.measures[0][0]

    @property
    def measures(self) -> Columns:
        """When each step was."""
        return tuple((f"{name}_at", Type.TIME) for name, _ in self.steps)

    @property
    def of_key(self) -> Columns:
        """For each step but the last, when the steps of the match were that came so far."""
        last = len(self.steps) - 1
        return tuple((f"at_{i}_{j}", Type.INTEGER) for i in range(last) for j in range(i + 1))

    @property
    def reach(self) -> int:
        """How long a match may take."""
        return self.within

    @property
    def nodes(self) -> tuple[Node, ...]:
        """See the module."""
        steps = tuple(node for _, node in self.steps)
        return steps if self.cancel is None else (*steps, self.cancel)

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        steps = (f"{name}={render(node)}" for name, node in self.steps)
        cancel = None if self.cancel is None else render(self.cancel)
        return "sequence", self.within, cancel, *steps


Ordered = Sliding | Leaky | FirstSeen | AbsentFor | Sequence
"""Any of the kinds."""
