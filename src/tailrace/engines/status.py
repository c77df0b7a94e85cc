"""What is known of a pipeline at a moment, as one value: for ``tailrace status``, live or after.

How it is gathered: ``gathering``; how it looks: the command. Times are microseconds since the
epoch, None where there is none; it travels as JSON (``to_json``, ``from_json``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import cast

Json = dict[str, object]


REMOVED = "removed"
"""The kind of an output that the pipeline doesn't have any more and for which rows wait."""


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """Where a partition stands; ``newest``: its greatest event time, ``read``: its records."""

    name: str
    liveness: str
    generation: int
    position: int
    read: int
    newest: int | None


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """The account of a rule; ``open_windows`` None where it is not known.

    ``labels``: of a classification, the accepted events by label. ``forgotten``: keys that a rule
    which sees events in order had no place for any more (``max_keys``).
    """

    name: str
    events: int
    filtered: int
    late: int
    evicted: int
    accepted: int
    errors: int
    firings: int
    open_windows: int | None = None
    labels: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every event is accounted for."""
        return self.events == self.filtered + self.late + self.evicted + self.accepted


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The state of the rules that share partials; ``bytes`` of what is held, uncompressed."""

    rules: tuple[str, ...]
    keys: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """What an output has had, and what waits for it; ``error``: why it can't take more now.

    ``waiting_seconds``: since the last progress; ``refused``: rows that this run's deliveries were
    refused for good.
    """

    name: str
    kind: str
    delivered: int
    waiting_rows: int
    waiting_bytes: int
    error: str | None = None
    waiting_seconds: float = 0.0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ReferenceStatus:
    """A reference: the version in force, its rows, when it was last loaded; ``error``: why not.

    ``place``: where it comes from. None where it isn't known: nobody runs the pipeline.
    """

    name: str
    place: str
    version: str | None
    rows: int | None = None
    loaded_at: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentStatus:
    """An incident that fires."""

    rule: str
    key: Json
    opened_at: int
    last_firing_at: int
    summary: str


@dataclass(frozen=True, slots=True)
class ListStatus:
    """A list of verdicts; ``listed``: keys that are on it, ``fields``: those of its keys."""

    name: str
    listed: int
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SparkStatus:
    """What Spark tells of its last batch; ``rows_per_second``: messages, None without Kafka.

    ``batch``: its number, -1 before the first is done.
    ``state_rows``, ``state_bytes`` (files) and ``state_memory_bytes``: of its stores, over all
    workers.
    """

    batch: int
    batch_seconds: float
    state_rows: int
    state_bytes: int
    state_memory_bytes: int
    rows_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """The process that runs the pipeline; ``times``: seconds by stage, over all its threads.

    ``spark`` None: it isn't on Spark.
    """

    pid: int
    started_at: int
    seconds: float
    records_per_second: float
    bounded: bool
    times: dict[str, float]
    reload_error: str | None = None
    spark: SparkStatus | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A pipeline at a moment; ``process`` None: nobody runs it, all else is from its store."""

    pipeline: str
    store: str
    at: int
    epoch: int
    finished: bool
    watermark: int | None
    read: int
    bytes: int
    events: int
    dead: int
    blank: int
    duplicates: int
    dead_by_code: dict[str, int]
    derive_errors: dict[str, int]
    notes: dict[str, int]
    process: ProcessStatus | None = None
    source_error: str | None = None
    """Why a running pipeline's source can't be read now; ``source_away_since``: since when."""
    source_away_since: int | None = None
    partitions: tuple[PartitionStatus, ...] = ()
    rules: tuple[RuleStatus, ...] = ()
    groups: tuple[GroupStatus, ...] = ()
    outputs: tuple[OutputStatus, ...] = ()
    incidents: int = 0
    oldest_incidents: tuple[IncidentStatus, ...] = ()
    references: tuple[ReferenceStatus, ...] = ()
    verdicts: tuple[ListStatus, ...] = ()
    held_rows: int = 0
    """Archived events that wait until it is known whether their keys were listed."""
    held_bytes: int = 0
    store_bytes: int = 0
    tables: dict[str, int] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        """Whether every record is accounted for."""
        return self.read == self.events + self.dead + self.blank

    @property
    def newest(self) -> int | None:
        """The greatest event time of all partitions."""
        return max((p.newest for p in self.partitions if p.newest is not None), default=None)

    @property
    def slowest(self) -> PartitionStatus | None:
        """The live partition that holds the watermark back: the one with the least event time."""
        live = [p for p in self.partitions if p.liveness == "live"]
        return min(live, key=lambda p: (p.newest is not None, p.newest or 0), default=None)

    def to_json(self) -> Json:
        """A JSON object from which ``from_json`` makes an equal status."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Json) -> Status:
        """Read what ``to_json`` wrote."""
        values = dict(body)
        for name, kind in _PARTS.items():
            values[name] = tuple(kind(**part) for part in cast("list[Json]", values[name]))
        lists = cast("tuple[ListStatus, ...]", values["verdicts"])
        values["verdicts"] = tuple(replace(one, fields=tuple(one.fields)) for one in lists)
        groups = cast("list[Json]", values["groups"])
        values["groups"] = tuple(
            GroupStatus(**{**group, "rules": tuple(cast("list[str]", group["rules"]))})  # type: ignore[arg-type]  # to_json wrote it
            for group in groups
        )
        process = cast("Json | None", values["process"])
        if process is not None:
            spark = cast("Json | None", process.get("spark"))
            told = None if spark is None else SparkStatus(**spark)  # type: ignore[arg-type]  # as above
            values["process"] = ProcessStatus(**{**process, "spark": told})  # type: ignore[arg-type]  # as above
        return cls(**values)  # type: ignore[arg-type]  # as above


_PARTS = {
    "partitions": PartitionStatus,
    "rules": RuleStatus,
    "outputs": OutputStatus,
    "oldest_incidents": IncidentStatus,
    "references": ReferenceStatus,
    "verdicts": ListStatus,
}
