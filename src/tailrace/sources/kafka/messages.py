"""Messages into records: whole batches by ``map``, no Python statement for a single message."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tailrace.config.kafka import HEADER
from tailrace.formats.records import UNKNOWN_ARRIVAL, Records

if TYPE_CHECKING:
    from confluent_kafka import Message
    from numpy.typing import NDArray

    Messages = Sequence[Message[bytes, bytes]]


def records_of(messages: Messages, max_bytes: int, wanted: Collection[str]) -> Records:
    """The messages of one partition as records, positions being their offsets.

    A tombstone (no value) is a record of 0 bytes. A longer one than ``max_bytes`` is cut.
    ``wanted``: what fields take of the rest of a message, the names of ``Records.beside``.
    """
    from confluent_kafka import Message

    count = len(messages)
    values = list(map(Message.value, messages))
    try:
        lengths = np.fromiter(map(len, values), np.int64, count)  # type: ignore[arg-type]  # None: below
    except TypeError:
        values = [value or b"" for value in values]
        lengths = np.fromiter(map(len, values), np.int64, count)  # type: ignore[arg-type]  # as above
    oversize = None
    if count and lengths.max() > max_bytes:
        oversize = lengths > max_bytes
        for row in np.flatnonzero(oversize).tolist():
            values[row] = values[row][:max_bytes]  # type: ignore[index]  # it is not None
        lengths = np.minimum(lengths, max_bytes)
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(lengths, dtype=np.int32, out=offsets[1:])
    stamps = np.fromiter(map(itemgetter(1), map(Message.timestamp, messages)), np.int64, count)
    known = stamps >= 0
    return Records(
        pa.py_buffer(b"".join(values)),  # type: ignore[arg-type]  # as above
        offsets,
        np.fromiter(map(Message.offset, messages), np.int64, count),
        arrival=np.where(known, stamps * 1000, UNKNOWN_ARRIVAL),
        oversize=oversize,
        beside={name: _beside(name, messages, stamps, known) for name in wanted},
    )


def _beside(
    name: str, messages: Messages, stamps: NDArray[np.int64], known: NDArray[np.bool_]
) -> pa.StringArray:
    from confluent_kafka import Message

    if name == "_timestamp":
        return pa.array(stamps, pa.timestamp("ms", "UTC"), mask=~known).cast(pa.string())
    if name == "_key":
        return texts(list(map(Message.key, messages)))
    if name == "_topic":
        return pa.array(map(Message.topic, messages), pa.string())
    if name == "_partition":
        return pa.array(map(Message.partition, messages), pa.int64()).cast(pa.string())
    if name == "_offset":
        return pa.array(map(Message.offset, messages), pa.int64()).cast(pa.string())
    take: Callable[[Any], str | None] = header_json
    if name.startswith(HEADER):
        header = name.removeprefix(HEADER)
        take = lambda headers: header_text(headers, header)  # noqa: E731 - one of two
    return pa.array(map(take, map(Message.headers, messages)), pa.string())


def texts(values: list[bytes | None]) -> pa.StringArray:
    """Bytes as texts."""
    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: bytes | str | None) -> str | None:
    """Bytes as text; those that are not UTF-8 show as U+FFFD."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def header_text(headers: list[tuple[str, bytes | None]] | None, name: str) -> str | None:
    """The last header of a name."""
    return next((_text(value) for key, value in reversed(headers or ()) if key == name), None)


def header_json(headers: list[tuple[str, bytes | None]] | None) -> str | None:
    """All headers as a JSON object; None without any."""
    if not headers:
        return None
    return json.dumps({name: _text(value) for name, value in headers}, ensure_ascii=False)


def beside_of(partition: str, positions: NDArray[np.int64]) -> Mapping[str, Any]:
    """What is known of messages whose values alone were kept, as ``Records.beside``."""
    topic, _, number = partition.rpartition("/")
    count = len(positions)
    return Known(
        count,
        {
            "_topic": pa.repeat(pa.scalar(topic), count),
            "_partition": pa.repeat(pa.scalar(number), count),
            "_offset": pa.array(positions).cast(pa.string()),
        },
    )


class Known(dict[str, Any]):
    """What is known; everything else is null."""

    def __init__(self, count: int, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._count = count

    def __missing__(self, name: str) -> pa.StringArray:
        """Nulls."""
        return pa.nulls(self._count, pa.string())


def by_partition(messages: Messages, parts: Mapping[str, int]) -> list[tuple[str, int, Messages]]:
    """The messages by topic and partition, each in order; ``parts``: a number for each topic."""
    from confluent_kafka import Message

    count = len(messages)
    if not count:
        return []
    where = np.fromiter(map(Message.partition, messages), np.int64, count)
    if len(parts) > 1:
        topics = map(parts.__getitem__, map(Message.topic, messages))  # type: ignore[arg-type]  # as above
        where += np.fromiter(topics, np.int64, count) << 32
    changes = np.flatnonzero(where[1:] != where[:-1]) + 1
    if len(changes) >= 2:
        order = np.argsort(where, kind="stable")
        messages = [messages[row] for row in order.tolist()]
        where = where[order]
        changes = np.flatnonzero(where[1:] != where[:-1]) + 1
    bounds = [0, *changes.tolist(), count]
    found = []
    for begin, end in pairwise(bounds):
        first = messages[begin]
        found.append((str(first.topic()), int(where[begin] & 0xFFFFFFFF), messages[begin:end]))
    return found
