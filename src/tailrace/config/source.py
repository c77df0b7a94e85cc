"""Where records come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint, expected, refusal
from tailrace.config.forms import NothingIsEmpty, SchemaOf, exactly_one
from tailrace.config.http_source import HttpSource
from tailrace.config.kafka import KafkaSource
from tailrace.config.kinds import Kind
from tailrace.config.packets import CaptureSource, PcapSource
from tailrace.config.scalars import Filled, Flag
from tailrace.config.several import Paths
from tailrace.config.values import escaped


def _groups(pattern: str) -> str:
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise refusal(f"not a regular expression: {escaped(str(error))}") from None
    if not found.groupindex:
        raise refusal("the expression names no field", "name a group: (?P<host>[^/]+)")
    return pattern


_FOLLOW = (
    "Whether to wait for more at the end, as `tail -F` does. Without it the input ends there and"
    " all windows close."
)


class FileSource(Model):
    """Lines of files. Each path is one partition through its rotations; `.gz` and `.zst` too."""

    kind: ClassVar[str] = "file"

    path: Paths = Field(
        description="A file, or a list of them; `*`, `?`, `[...]` and `**` match as in a shell.",
        examples=["/var/log/nginx/access.log", "/var/log/nginx/*.log"],
    )
    follow: Flag = Field(default=False, description=_FOLLOW)
    fields: Annotated[Filled, AfterValidator(_groups), Kind("regular expression")] | None = Field(
        default=None,
        description=(
            "A regular expression that is searched in the path; its named groups become text"
            " fields of every event of that file."
        ),
        examples=["/(?P<vhost>[^/]+)/access"],
    )

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths and patterns, one or more."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Names of the text fields that the path gives."""
        return tuple(re.compile(self.fields).groupindex) if self.fields else ()


class FolderSource(Model):
    """The files of a folder, read as one partition in the order of their names."""

    kind: ClassVar[str] = "folder"

    path: Filled = Field(description="The folder.", examples=["spool"])
    pattern: Filled = Field(
        default="*",
        description="Which of its files are read, as in a shell.",
        examples=["*.ndjson"],
    )
    follow: Flag = Field(default=False, description=_FOLLOW)


class StdinSource(Model):
    """Lines of standard input. It can't be read again: events are processed at most once."""

    kind: ClassVar[str] = "stdin"


class SourceForm(Model):
    """Where records come from: exactly one of these kinds."""

    file: Annotated[FileSource | None, NothingIsEmpty] = Field(
        default=None, description="Lines of files."
    )
    folder: Annotated[FolderSource | None, NothingIsEmpty] = Field(
        default=None, description="The files of a folder, in order."
    )
    stdin: Annotated[StdinSource | None, NothingIsEmpty] = Field(
        default=None, description="Lines of standard input."
    )
    kafka: Annotated[KafkaSource | None, NothingIsEmpty] = Field(
        default=None, description="Messages of Kafka topics, followed."
    )
    http: Annotated[HttpSource | None, NothingIsEmpty] = Field(
        default=None, description="Lines that are sent by POST."
    )
    pcap: PcapSource | None = Field(default=None, description="Packets of capture files.")
    capture: Annotated[CaptureSource | None, NothingIsEmpty] = Field(
        default=None, description="Packets live from interfaces."
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Exactly one kind."""
        yield from exactly_one(given, tuple(cls.model_fields), "source")


AnySource = (
    FileSource | FolderSource | StdinSource | KafkaSource | HttpSource | PcapSource | CaptureSource
)


def _chosen(value: object) -> AnySource:
    if isinstance(value, AnySource):
        return value
    if not isinstance(value, dict):
        hint = "for example source: {file: {path: access.log}}"
        raise expected("a mapping with the kind of source", value, hint)
    form = SourceForm.model_validate(value, by_alias=True, by_name=False)
    kinds = (getattr(form, kind) for kind in SourceForm.model_fields)
    chosen: AnySource | None = next((kind for kind in kinds if kind is not None), None)
    assert chosen is not None  # noqa: S101 (SourceForm sees to it)
    return chosen


Source = Annotated[
    AnySource,
    PlainValidator(_chosen),
    PlainSerializer(lambda source: {source.kind: source}),
    SchemaOf(SourceForm),
    Kind("mapping"),
]
"""One of the kinds; in the file a mapping with the kind as its only key."""
