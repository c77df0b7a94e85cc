"""The whole pipeline file, and what must fit together across its sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tailrace.config.allow import Allow
from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint
from tailrace.config.crosschecks import crosscheck
from tailrace.config.event import Dedup, FieldOrType, TimeSettings
from tailrace.config.format import Format
from tailrace.config.forms import NothingIsEmpty
from tailrace.config.operation import (
    DeadLetterSettings,
    ExplainSettings,
    Limits,
    OutboxSettings,
    StoreSettings,
)
from tailrace.config.outputs import Archive, Output
from tailrace.config.references import Reference
from tailrace.config.rules import Rule
from tailrace.config.scalars import Expression, FieldName, PipelineName
from tailrace.config.source import FileSource, Source
from tailrace.config.spark import SparkSettings
from tailrace.config.verdicts import VerdictSettings
from tailrace.config.web import WebSettings


class PipelineConfig(Model):
    """Where records come from, what makes them events, which rules judge them, what follows."""

    name: PipelineName = Field(
        description="The pipeline's name; part of every incident's fingerprint.",
        examples=["nginx"],
    )
    source: Source = Field(
        description="Where records come from.", examples=[{"file": {"path": "access.log"}}]
    )
    format: Format = Field(default="json", description="How a record's bytes become fields.")
    on_error: Literal["dead_letter", "classify"] = Field(
        default="dead_letter",
        description=(
            "What becomes of a record that can't be read: a dead letter; or (`classify`) an event,"
            " with null in what could not be read. All events then have two more fields, both text:"
            " `_raw`, the record as it came, and `_error`, the code of what is wrong with it or"
            " null. An event without a time of its own has that of its arrival; where the source"
            " knows of none, the greatest one of its partition so far."
        ),
    )
    time: TimeSettings = Field(
        description="The event time.", examples=[{"field": "timestamp", "grace": "5s"}]
    )
    fields: Mapping[FieldName, FieldOrType] = Field(
        description="The fields of an event, by name, with their types.",
        examples=[{"client_ip": "text", "status": "integer"}],
    )
    derive: Mapping[FieldName, Expression] = Field(
        default={},
        description=(
            "Further fields, computed for each event, in this order; later ones may use earlier"
            " ones."
        ),
        examples=[{"path": "split_part(request, ' ', 2)"}],
    )
    references: Mapping[FieldName, Reference] = Field(
        default={}, description="Tables that rules look things up in, by names of your own."
    )
    allow: Allow = Field(
        default={},
        description="Events that no rule sees, by field: values, networks, or a reference.",
        examples=[{"client_ip": ["10.0.0.0/8"], "account": {"reference": "trusted"}}],
    )
    dedup: Dedup | None = Field(default=None, description="What makes an event a duplicate.")
    limits: Limits = Field(
        default=Limits(), description="Bounds of what senders of logs can cause."
    )
    dead_letters: DeadLetterSettings = Field(
        default=DeadLetterSettings(), description="What is kept of records that could not be read."
    )
    explain: ExplainSettings = Field(
        default=ExplainSettings(), description="How long the reasons of alerts can be asked for."
    )
    rules: tuple[Rule, ...] = Field(default=(), description="The rules, alerts and records.")
    verdicts: Mapping[FieldName, VerdictSettings] = Field(
        default={}, description="Lists of offenders, accused by alerts, by names of your own."
    )
    archive: Archive | None = Field(default=None, description="Keeps every event.")
    outputs: Mapping[PipelineName, Output] = Field(
        default={}, description="Where rows and incidents go, by names of your own."
    )
    outbox: OutboxSettings = Field(
        default=OutboxSettings(), description="How much may wait for outputs that are down."
    )
    web: Annotated[WebSettings | None, NothingIsEmpty] = Field(
        default=None, description="Where a running pipeline tells how it stands, over HTTP."
    )
    spark: SparkSettings = Field(
        default=SparkSettings(), description="How `--engine spark` runs it."
    )
    store: StoreSettings = Field(default=StoreSettings(), description="The file with the state.")

    elsewhere: ClassVar[Mapping[str, str]] = {
        "archives": "there is one: archive: {to: [...]}",
        "filter": "each rule has its own 'where'",
        "where": "each rule has its own 'where'",
        "sources": "a pipeline has one source; a file source takes a list of paths",
        "output": "did you mean 'outputs'?",
    }

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """What must fit together across sections."""
        yield from crosscheck(given)

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Names of the text fields that the source's path gives."""
        return self.source.path_fields if isinstance(self.source, FileSource) else ()
