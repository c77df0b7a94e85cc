"""The small state of a run (positions, watermark, counts, rule starts) and its stored form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from tailrace.kernel.time import NEVER
from tailrace.kernel.types import Counts, RuleCounts

if TYPE_CHECKING:
    from tailrace.sources.types import Json


REPLAY = "replay:"
"""Begins the names of partitions whose records come from the store's dead letters."""


class Liveness(StrEnum):
    """Whether a partition holds the watermark: only live ones do."""

    LIVE = "live"
    IDLE = "idle"
    ENDED = "ended"


@dataclass(slots=True)
class PartitionState:
    """Where a partition stands.

    ``maximum``: its greatest event time, ``first``: that of its first event by position, None
    without events; ``resume``: the source's own position.
    """

    maximum: int = NEVER
    liveness: Liveness = Liveness.LIVE
    generation: int = 0
    position: int = 0
    read: int = 0
    resume: dict[str, Json] | None = None
    first: int | None = None


@dataclass(slots=True)
class RuleState:
    """A rule that has run: its name, and the event time before which it has no windows.

    ``full``: of a rule with empty windows, the end of the last one with an event.
    """

    name: str
    start: int
    full: int | None = None


@dataclass(slots=True)
class EngineState:
    """Everything small that an epoch changes; partials and incidents have tables of their own.

    ``frontier`` is the watermark of the whole pipeline before flooring to a rule's panes;
    ``next_seq`` numbers the outbox, ``next_dead`` the dead letters. ``evicted``: for each group the
    panes that lost keys, and a mask of the hash buckets that did. ``checkpoint`` names that of the
    Spark engine, which has the partials then, ``batch`` is the last of its batches,
    and ``written`` counts the rows that its workers wrote to outputs themselves. ``begun``: when
    event time began, known once there is a watermark; ``references``: the version of each that is
    in force; ``horizon``: how far the accusing rules of all lists of verdicts have come.
    """

    epoch: int = -1
    frontier: int = NEVER
    finished: bool = False
    next_seq: int = 0
    next_dead: int = 0
    dead_bytes: int = 0
    partitions: dict[str, PartitionState] = field(default_factory=dict)
    rules: dict[str, RuleState] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    evicted: dict[str, dict[str, int]] = field(default_factory=dict)
    batch: int = -1
    checkpoint: str = ""
    written: dict[str, int] = field(default_factory=dict)
    begun: int | None = None
    references: dict[str, str] = field(default_factory=dict)
    horizon: int = NEVER

    def greatest_time(self) -> int:
        """The greatest event time of all partitions, ``NEVER`` without events.

        Those of replayed dead letters don't count: they move no time on.
        """
        read = (p.maximum for name, p in self.partitions.items() if not name.startswith(REPLAY))
        return max(read, default=NEVER)

    @property
    def reached(self) -> int | None:
        """The watermark as decisions have it; None before the first event."""
        return None if self.frontier == NEVER else self.frontier

    def to_json(self) -> dict[str, object]:
        """A JSON object from which ``from_json`` makes an equal state."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, object]) -> EngineState:
        """Read the stored form."""
        values = dict(body)
        partitions = {
            name: PartitionState(**{**p, "liveness": Liveness(str(p["liveness"]))})  # type: ignore[arg-type]  # as below
            for name, p in _objects(values.pop("partitions"))
        }
        rules = {
            identity: RuleState(**rule)  # type: ignore[arg-type]  # as below
            for identity, rule in _objects(values.pop("rules"))
        }
        counts_body = dict(_object(values.pop("counts")))
        rule_counts = {
            name: RuleCounts(**c)  # type: ignore[arg-type]  # as below
            for name, c in _objects(counts_body.pop("rules"))
        }
        counts = Counts(**counts_body, rules=rule_counts)  # type: ignore[arg-type]  # JSON that to_json wrote
        return cls(**values, partitions=partitions, rules=rules, counts=counts)  # type: ignore[arg-type]  # as above


def _object(value: object) -> dict[str, object]:
    assert isinstance(value, dict)  # noqa: S101 - written by to_json
    return value


def _objects(value: object) -> list[tuple[str, dict[str, object]]]:
    return [(name, _object(inner)) for name, inner in _object(value).items()]
