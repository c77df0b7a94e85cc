"""Which reducer a group has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.kernel.ordered.changes import ComparingReducer
from tailrace.kernel.ordered.sliding import SlidingReducer
from tailrace.kernel.ordered.stateful import StatefulReducer
from tailrace.kernel.reducer import GroupReducer
from tailrace.plan.ordered import Sliding

if TYPE_CHECKING:
    from tailrace.plan.model import Bounds, Group


def reducer_of(group: Group, bounds: Bounds, salt: str) -> GroupReducer:
    """The reducer of a group, without state."""
    if group.ordered is None and group.rules[0].by_event:
        return ComparingReducer(group, bounds, salt)
    if group.ordered is None:
        return GroupReducer(group, bounds, salt)
    if isinstance(group.ordered, Sliding):
        return SlidingReducer(group, bounds, salt)
    return StatefulReducer(group, bounds, salt)
