"""Filling `{name}` in labels and annotations."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tailrace.testing.outcome import Instant, Value


def fill(text: str, values: Mapping[str, Value]) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        return as_text(values[match[1].strip()])

    return re.sub(r"\{\{|\}\}|\{([^{}]*)\}", replaced, text)


def as_text(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Instant(micros):
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
            fine = "microseconds" if micros % 1000 else "milliseconds"
            return moment.replace(tzinfo=None).isoformat(timespec=fine) + "Z"
        case float():
            return repr(value)
        case _:
            return str(value)
