"""The closed list of codes that say why a record is a dead letter; nothing else may be one."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """Why a record did not become an event; ``meaning`` is one line for people."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Keep the meaning beside the value, so that none can be forgotten."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    TOO_LONG = "too_long", "the record is longer than limits.max_record_bytes"
    INVALID_UTF8 = "invalid_utf8", "the record is not UTF-8"
    MALFORMED_JSON = "malformed_json", "the record is not one JSON value"
    NOT_AN_OBJECT = "not_an_object", "the record is JSON, but not an object"
    NO_PAYLOAD = "no_payload", "the record is JSON, but no envelope with a payload"
    NO_MATCH = "no_match", "the line does not have the shape that the log format describes"
    CSV_BAD_QUOTE = "csv_bad_quote", "text follows the closing quote of a column"
    CSV_UNCLOSED_QUOTE = "csv_unclosed_quote", "a quoted column does not end within its line"
    CSV_TOO_FEW_COLUMNS = "csv_too_few_columns", "the line has fewer columns than the header"
    CSV_TOO_MANY_COLUMNS = "csv_too_many_columns", "the line has more columns than the header"
    BROKEN_CAPTURE = "broken_capture", "a capture is no capture, or can't be read on, at this place"
    UNKNOWN_LINK = "unknown_link", "the packet came over a link of a type that isn't read"
    MALFORMED_PACKET = "malformed_packet", "the packet's headers are cut or contradictory"
    MISSING_VALUE = "missing_value", "the time, or a field that is required, is missing or null"
    BAD_VALUE = "bad_value", "a field's value can't be read as its declared type"
    BAD_TIME = "bad_time", "the event time or the arrival time can't be read"
    OUT_OF_RANGE = "out_of_range", "a field's value lies below its min or above its max"
    FUTURE_TIME = "future_time", "the event time is too far ahead of the record's arrival"
