"""What a decoder is told: the format, the declared fields and where time comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tailrace.expr.nodes import Type

HOUR = 3_600_000_000


class TimeForm(StrEnum):
    """The forms in which a time may be written; ``docs/semantics-decoding.md`` describes each."""

    AUTO = "auto"
    EPOCH = "epoch"
    EPOCH_MS = "epoch_ms"
    ISO = "iso"
    DATETIME = "datetime"
    TIME_LOCAL = "time_local"
    SYSLOG = "syslog"


class Escape(StrEnum):
    """How the values of variables are escaped (nginx: ``log_format ... escape=``)."""

    DEFAULT = "default"
    JSON = "json"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """A record is one JSON object.

    ``array_lines``: it may stand in a line of an array, behind ``[`` or before ``,`` or ``]``.
    ``envelope``: it is the payload of a Kafka Connect envelope.
    """

    array_lines: bool = False
    envelope: bool = False


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A record is a line written by this nginx ``log_format`` (``$name`` and ``${name}``)."""

    template: str
    escape: Escape = Escape.DEFAULT


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """A record is one line of delimited columns.

    ``columns`` None: the header names them. ``header``: the record at position 0 is a header, not
    data. ``delimiter`` is one ASCII character.
    """

    columns: tuple[str, ...] | None
    header: bool = True
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class PlainFormat:
    """A record is one text."""


Format = JsonFormat | LogFormat | CsvFormat | PlainFormat

COMMON = LogFormat(
    '$remote_addr $remote_ident $remote_user [$time_local] "$request" $status $body_bytes_sent'
)
COMBINED = LogFormat(COMMON.template + ' "$http_referer" "$http_user_agent"')


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A declared field.

    ``path``: keys from the record's object inwards, or the name of one column or variable; None for
    a field that only the source's path gives. ``minimum`` and ``maximum`` are inclusive and only
    for numbers. ``beside``: its name in ``Records.beside``, where it is taken from there.
    """

    name: str
    type: Type
    path: tuple[str, ...] | None
    required: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class TimeSpec:
    """Where event time (and perhaps arrival time) is found and how it is written.

    ``name`` is what reasons call it. ``zone`` (IANA name) serves texts without a zone, in fields of
    type time too; ``year`` serves syslog's yearless form. ``max_future_skew``: microseconds.
    ``beside``: as in ``FieldSpec``.
    """

    name: str
    path: tuple[str, ...]
    form: TimeForm = TimeForm.AUTO
    zone: str = "UTC"
    year: int | None = None
    arrival: tuple[str, ...] | None = None
    max_future_skew: int = HOUR
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class DecodeSpec:
    """Everything that decoding depends on, beside the record itself.

    ``odd_too``: records that can't be read are events, too (see ``odd``); ``fields`` then end in
    those of ``odd.FIELDS``.
    """

    format: Format
    fields: tuple[FieldSpec, ...]
    time: TimeSpec
    odd_too: bool = False
