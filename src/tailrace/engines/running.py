"""What the rest of an engine asks of whatever runs its kernel, here or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailrace.alerts import IncidentFold
    from tailrace.engines.state import EngineState
    from tailrace.plan.model import Group, Plan


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of one group: keys, rows of partials, their bytes uncompressed.

    ``panes``: the least and the greatest pane of which something is held, None if nothing is.
    """

    keys: int
    rows: int
    bytes: int
    panes: tuple[int, int] | None


class Running(Protocol):
    """A pipeline's kernel at work, seen from outside."""

    plan: Plan
    state: EngineState
    groups: tuple[Group, ...]

    @property
    def folds(self) -> Mapping[str, IncidentFold]:
        """The incidents of each rule that alerts, by the rule's identity."""
        ...

    def holdings(self) -> Mapping[str, Holding]:
        """What is held, by group."""
        ...

    def soonest(self) -> int | None:
        """An end before which no open window has anything to say; None: none ever has."""
        ...
