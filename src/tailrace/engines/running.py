"""What the rest of an engine asks of whatever runs its kernel, here or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tailrace.alerts import IncidentFold
    from tailrace.engines.concluding import Conclusion, Result
    from tailrace.engines.session import BaseSession
    from tailrace.engines.state import EngineState
    from tailrace.engines.status import SparkStatus
    from tailrace.errors import TailraceError
    from tailrace.outputs import Output
    from tailrace.plan.model import Group, Plan
    from tailrace.sources.types import Note

    Listen = Callable[[Result | None, tuple[Note, ...]], None]

NOTES_SECONDS = 5.0
"""Notes alone, of a server that comes and goes, are stored no more often than this."""

TICK_SECONDS = 0.25
"""How often an engine looks at the clock when nothing comes."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of one group: keys, rows of partials, their bytes uncompressed.

    ``panes``: the least and the greatest pane of which something is held, None if nothing is.
    """

    keys: int
    rows: int
    bytes: int
    panes: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A changed pipeline, and the outputs that it adds, not yet open."""

    plan: Plan
    outputs: Mapping[str, Output]


class Loop(Protocol):
    """An engine at work on a session."""

    reload_error: TailraceError | None

    @property
    def session(self) -> BaseSession:
        """What it works on."""
        ...

    def run(self) -> bool:
        """Run; True if the input was read to its end, False if the run was stopped before."""
        ...

    def stop(self) -> None:
        """Ask it to end after the epoch that is under way; by any thread or a signal."""
        ...

    def reload(self, load: Callable[[], Reloaded]) -> None:
        """Ask it to take up what ``load`` gives, between two epochs.

        If that raises a TailraceError, or an output can't be opened, the old plan stays.
        """
        ...


@runtime_checkable
class OnSpark(Protocol):
    """A loop whose kernel Spark runs."""

    def progress(self) -> SparkStatus | None:
        """What Spark tells of its last batch; None before the first."""
        ...


class Running(Protocol):
    """A pipeline's kernel at work, seen from outside."""

    plan: Plan
    state: EngineState
    groups: tuple[Group, ...]

    @property
    def conclusion(self) -> Conclusion:
        """What is told of closed windows: incidents, verdicts."""
        ...

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
