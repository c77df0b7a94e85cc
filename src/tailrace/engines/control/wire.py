"""Requests and answers as they travel: a line of JSON, and bytes behind an answer that has rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import BinaryIO

from tailrace.errors import StoreError

Json = dict[str, object]

MOST_LINE_BYTES = 16 << 20
"""A status of some ten thousand partitions fits."""
MOST_PAYLOAD_BYTES = 1 << 30
_NONSENSE = "what came through the socket is no message"


@dataclass(frozen=True, slots=True)
class Message:
    """One request or answer."""

    head: Json
    payload: bytes = field(default=b"", repr=False)


def send(stream: BinaryIO, message: Message) -> None:
    """Write one message."""
    head = {**message.head, "payload_bytes": len(message.payload)}
    stream.write(json.dumps(head, separators=(",", ":")).encode() + b"\n")
    stream.write(message.payload)
    stream.flush()


def receive(stream: BinaryIO) -> Message | None:
    """Read one message; None at the end. StoreError if it is none."""
    line = stream.readline(MOST_LINE_BYTES)
    if not line:
        return None
    head = _read(line)
    size = head.pop("payload_bytes", 0)
    if not isinstance(size, int) or not 0 <= size <= MOST_PAYLOAD_BYTES:
        raise StoreError(_NONSENSE)
    payload = stream.read(size)
    if len(payload) < size:
        raise StoreError("the running pipeline went away in the middle of an answer")
    return Message(head, payload)


def _read(line: bytes) -> Json:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict):
        raise StoreError(_NONSENSE)
    return head


def refusal(error: Exception, hint: str | None = None) -> Message:
    """The answer that says what is wrong."""
    return Message({"error": str(error), "hint": hint})
