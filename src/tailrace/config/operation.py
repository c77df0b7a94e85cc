"""What bounds and houses a running pipeline: limits, dead letters, the outbox, the store."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tailrace.config.base import Model
from tailrace.config.scalars import Count, Filled, PositiveSpan, Span, size_at_least
from tailrace.config.several import SeveralOrNone
from tailrace.config.units import Duration

_RecordSize = Annotated[int, *size_at_least(1)]
_Size = Annotated[int, *size_at_least(0)]


class Limits(Model):
    """Bounds of what the senders of logs can make the pipeline hold."""

    max_keys: Count = Field(
        default=1_048_576,
        description=(
            "The most keys of a window's slice, over all rules with the same key, and of what a"
            " rule that sees events in order remembers. What is beyond is left out, counted as"
            " evicted or forgotten, and flagged."
        ),
    )
    max_distinct: Count = Field(
        default=10_000,
        description="`count(distinct ...)` is exact up to here; beyond, it stays here, flagged.",
    )
    max_record_bytes: _RecordSize = Field(
        default=1 << 20, description="A longer record is a dead letter."
    )


class DeadLetterSettings(Model):
    """How much is kept of records that could not be read."""

    max_bytes: _Size = Field(
        default=256 << 20,
        description="Beyond this, only position and reason of a dead letter are kept.",
    )
    to: SeveralOrNone = Field(
        default=(),
        description="Outputs that get dead letters too, by name.",
        examples=["rejects"],
    )


class OutboxSettings(Model):
    """How much may wait in the store for an output that is down."""

    max_bytes: _Size = Field(
        default=1 << 30,
        description="When more than this waits for one output, no more input is read until less"
        " does.",
    )


class ExplainSettings(Model):
    """How long the reasons of alerts can be asked for."""

    retain: Span = Field(
        default=Duration(0),
        description="How long, in event time, the counts behind closed windows are kept.",
    )


class StoreSettings(Model):
    """The DuckDB file with the pipeline's state, incidents and tables."""

    path: Filled | None = Field(
        default=None,
        description="The file. By default `.tailrace/NAME.duckdb` beside the pipeline file.",
        examples=["/var/lib/tailrace/nginx.duckdb"],
    )
    retain: PositiveSpan | None = Field(
        default=None,
        description=(
            "So long after they are over, incidents (resolved, or open as their input ended), and"
            " keys that are on a list of verdicts no more, stay in the tables `incidents` and"
            " `verdicts`. By default they stay."
        ),
        examples=["365d"],
    )
