"""Where rows and incidents go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, refusal
from tailrace.config.forms import NothingIsEmpty, exactly_one
from tailrace.config.scalars import FieldName, Filled, Flag, Span, ZoneName, size_at_least
from tailrace.config.several import Several
from tailrace.config.targets.http import AlertmanagerOutput, WebhookOutput
from tailrace.config.targets.kafka import KafkaOutput
from tailrace.config.targets.opensearch import OpenSearchOutput
from tailrace.config.targets.redis import RedisOutput
from tailrace.config.targets.sql import SqlOutput
from tailrace.config.targets.target import RowForm, Target
from tailrace.config.units import Duration
from tailrace.config.values import shown

Size = Annotated[int, *size_at_least(1)]
FileFormat = Literal["ndjson", "parquet"]
SUFFIXES: dict[str, FileFormat] = {
    "": "parquet",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
}
"""What a path's ending says about its format; without one it is a folder."""


class FileOutput(Target):
    """A file of JSON lines, or a folder of Parquet files."""

    kind: ClassVar[str] = "file"

    path: Filled = Field(
        description="The file or folder; it is made if it doesn't exist.",
        examples=["out/alerts.ndjson", "out/events/"],
    )
    format: FileFormat | None = Field(
        default=None,
        description=(
            "By default the path's ending says it: `.ndjson`, `.jsonl` and `.json` are JSON lines,"
            " `.parquet` and none (a folder) are Parquet."
        ),
    )

    partition_by: Literal["day", "hour"] | None = Field(
        default=None,
        description=(
            "Parquet in folders by event time, `date=2026-01-31/hour=07`, as Hive has them."
        ),
    )
    roll_bytes: Size = Field(
        default=128 << 20,
        description=(
            "Parquet: rows are held in the store until a file is worth it, when there are so many"
            " bytes of them. Without `partition_by` a batch of 4 MiB is worth one by itself."
        ),
    )
    roll_after: Span = Field(
        default=Duration(300_000_000),
        description="Parquet: rows are held for so long at most, and not beyond the end of a run.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """The format must be given or be seen from the path; JSON lines aren't held."""
        path = given.get("path")
        if isinstance(path, str):
            ending = "" if path.endswith("/") else PurePath(path).suffix
            if (given.get("format") or SUFFIXES.get(ending)) == "ndjson":
                for key in ("partition_by", "roll_bytes", "roll_after"):
                    if given.get(key) is not None:
                        hint = "name a folder, or add format: parquet"
                        yield Complaint((key,), "it is for Parquet; JSON lines are one file", hint)
        if given.get("format") is None and isinstance(path, str) and path:
            suffix = PurePath(path).suffix
            if suffix not in SUFFIXES and not path.endswith("/"):
                hint = "add format: ndjson or format: parquet"
                yield Complaint(("path",), f"the ending {shown(suffix)} names no format", hint)

    @property
    def resolved_format(self) -> FileFormat:
        """The format, given or seen from the path."""
        if self.format is not None:
            return self.format
        return "parquet" if self.path.endswith("/") else SUFFIXES[PurePath(self.path).suffix]

    @property
    def told(self) -> str:
        """Path and format."""
        return f"file {self.path} ({self.resolved_format})"

    @property
    def addressed(self) -> bool:
        """Folders by time need each row's time."""
        return self.partition_by is not None

    @property
    def row_form(self) -> RowForm:
        """Parquet has columns, JSON lines are text."""
        return "typed" if self.resolved_format == "parquet" else "rows"


class TerminalOutput(Target):
    """Lines for people, on standard output."""

    kind: ClassVar[str] = "terminal"


_TAKEN = ("incidents", "dead_letters", "refused", "verdicts")
_OURS = ("tailrace_", "panes_", "side_")


def _free(name: str) -> str:
    if name.lower() in _TAKEN or name.lower().startswith(_OURS):
        raise refusal(
            f"the table {shown(name)} is the store's own",
            f"take another name; {', '.join(_TAKEN)} are taken, "
            f"and what begins with {', '.join(_OURS)}",
        )
    return name


class TableOutput(Target):
    """A table in the store, for `tailrace query`."""

    kind: ClassVar[str] = "table"

    name: Annotated[FieldName, AfterValidator(_free)] = Field(
        description="The table's name.", examples=["goal1"]
    )

    @property
    def told(self) -> str:
        """The table's name."""
        return f"table {self.name}"

    @property
    def row_form(self) -> RowForm:
        """A column for each value."""
        return "typed"


AnyTarget = (
    FileOutput
    | TerminalOutput
    | TableOutput
    | KafkaOutput
    | OpenSearchOutput
    | SqlOutput
    | RedisOutput
    | WebhookOutput
    | AlertmanagerOutput
)
KINDS = (
    "file",
    "terminal",
    "table",
    "kafka",
    "opensearch",
    "sql",
    "redis",
    "webhook",
    "alertmanager",
)


class Output(Model):
    """One output: exactly one kind, and what its rows look like."""

    file: Annotated[FileOutput | None, NothingIsEmpty] = Field(
        default=None, description="A file of JSON lines, or a folder of Parquet files."
    )
    terminal: Annotated[TerminalOutput | None, NothingIsEmpty] = Field(
        default=None, description="Lines on standard output."
    )
    table: Annotated[TableOutput | None, NothingIsEmpty] = Field(
        default=None, description="A table in the store."
    )
    kafka: KafkaOutput | None = Field(default=None, description="A topic of Kafka.")
    opensearch: OpenSearchOutput | None = Field(
        default=None, description="An index of OpenSearch or Elasticsearch."
    )
    sql: SqlOutput | None = Field(
        default=None, description="A table of PostgreSQL, MySQL, MariaDB or SQLite."
    )
    redis: RedisOutput | None = Field(default=None, description="Keys of Redis.")
    webhook: WebhookOutput | None = Field(default=None, description="A POST to any service.")
    alertmanager: Annotated[AlertmanagerOutput | None, NothingIsEmpty] = Field(
        default=None, description="A Prometheus Alertmanager."
    )
    rows: Literal["incidents", "windows"] = Field(
        default="incidents",
        description=(
            "What alerts send: `incidents` (opened, updated, resolved), or `windows`, a row for"
            " each window that fires. Records and the archive send rows in any case."
        ),
    )
    notices: Flag = Field(
        default=True,
        description=(
            "Whether early notices are sent: news of a window that is sure to fire before it"
            " closes. They name rule, key and window, and have no measures yet."
        ),
    )
    zone: ZoneName = Field(default="UTC", description="The time zone in which times are written.")

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Exactly one kind."""
        yield from exactly_one(given, KINDS, "output")

    @property
    def target(self) -> AnyTarget:
        """The options of the kind that is given."""
        chosen: AnyTarget | None = next(filter(None, (getattr(self, kind) for kind in KINDS)), None)
        assert chosen is not None  # noqa: S101 (the validator sees to it)
        return chosen

    @property
    def kind(self) -> str:
        """The kind that is given: ``file``, ``kafka``, ..."""
        return self.target.kind


class Archive(Model):
    """Keeps every event, typed; late ones too."""

    to: Several = Field(description="The outputs, by name.", examples=["raw"])
    verdicts: Mapping[FieldName, FieldName] = Field(
        default={},
        description=(
            "Further fields by name, each with a list of verdicts: whether the event's key was"
            " listed at the event's time. Events wait until the watermark has passed them."
        ),
        examples=[{"is_bot": "bots"}],
    )
