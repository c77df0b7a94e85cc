"""The truth table of what may stand around a JSON object: lines of arrays, Connect's envelopes.

As with ``truth``, the tests decode every line of it, the docs are printed from it, and nothing
decodes by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from tailrace.formats.codes import Code


class Becomes(Enum):
    """What a record becomes that is no dead letter: the object's event, or a blank record."""

    EVENT = auto()
    BLANK = auto()


EVENT, BLANK = Becomes.EVENT, Becomes.BLANK
OBJECT = '{"a": 7}'
"""Any object; it stands for itself in ``written``."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A record, and what it becomes."""

    written: str
    becomes: Becomes | Code
    why: str = ""


ARRAY_LINES = (
    Wrapped(f"[{OBJECT},", EVENT, "the first line"),
    Wrapped(f"{OBJECT},", EVENT),
    Wrapped(f"{OBJECT}]", EVENT, "the last line"),
    Wrapped(OBJECT, EVENT, "JSON lines are read, too"),
    Wrapped(f" [ {OBJECT} , ", EVENT, "blanks don't count"),
    Wrapped(f"[{OBJECT}]", EVENT),
    Wrapped("[", BLANK),
    Wrapped("]", BLANK),
    Wrapped(",", BLANK),
    Wrapped("[]", BLANK, "an empty array"),
    Wrapped(f"[[{OBJECT},", Code.MALFORMED_JSON, "one `[` only"),
    Wrapped(f"{OBJECT}],", Code.MALFORMED_JSON, "one mark at the end only"),
    Wrapped(f"{OBJECT}, {OBJECT}", Code.MALFORMED_JSON, "a record is one object"),
    Wrapped("[7]", Code.NOT_AN_OBJECT),
)

ENVELOPES = (
    Wrapped('{"schema": {"type": "string"}, "payload": "{\\"a\\": 7}"}', EVENT, "a JSON text"),
    Wrapped('{"schema": null, "payload": {"a": 7}}', EVENT, "an object"),
    Wrapped('{"payload": {"a": 7}}', EVENT, "the schema isn't looked at"),
    Wrapped('{"schema": null, "payload": ""}', BLANK),
    Wrapped('{"schema": null, "payload": "{"}', Code.MALFORMED_JSON),
    Wrapped('{"schema": null, "payload": [7]}', Code.NOT_AN_OBJECT),
    Wrapped('{"schema": null, "payload": null}', Code.NO_PAYLOAD),
    Wrapped(OBJECT, Code.NO_PAYLOAD, "no envelope"),
)
