"""What a row becomes in Redis: commands on its key, by type."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.outputs.batches import Content

if TYPE_CHECKING:
    from tailrace.config.targets.redis import RedisOutput
    from tailrace.outputs.batches import OutboxBatch

Command = tuple[str | int, ...]

SAMPLES = "TS.ADD"

TYPES = {
    "string": "string",
    "hash": "hash",
    "set": "set",
    "list": "list",
    "stream": "stream",
    "timeseries": "TSDB-TYPE",
}
"""What the server calls a key of each type."""

_OF_NOW = ("string", "hash", "set")
"""Types that say who is listed now; the others have a row for each change."""


@dataclass(frozen=True, slots=True)
class Write:
    """What is done for one row: its number in the batch, its key and commands.

    ``unfit``: why no command can be made of it.
    """

    row: int
    key: str
    commands: tuple[Command, ...] = ()
    unfit: str | None = None

    @property
    def size(self) -> int:
        """About the bytes that are sent."""
        return sum(len(str(word)) for command in self.commands for word in command)


def writes(batch: OutboxBatch, options: RedisOutput, first: int = 0) -> Iterator[Write]:
    """The rows of a batch from number ``first`` on, in order."""
    rows, ids, keys = batch.json, batch.ids, batch.texts("key")
    times = batch.times.cast("int64").to_pylist()
    values = batch.texts("value") or rows
    labels = {name: batch.texts(f"labels.{name}") for name in options.labels}
    deleting = options.on_resolved == "delete"
    resolving = deleting and batch.content is Content.INCIDENTS
    for number in range(first, len(rows)):
        key = keys[number] if keys is not None else ids[number]
        value = values[number]
        if deleting and batch.content is Content.NOTICES:
            # Nothing would ever delete it: a notice has a fingerprint of its own.
            yield Write(number, key)
            continue
        if resolving and json.loads(rows[number])["state"] == "resolved":
            removed: Command = ("SREM", key, value) if options.type == "set" else ("DEL", key)
            yield Write(number, key, (removed,))
            continue
        time = times[number]
        listing = batch.content is Content.VERDICTS and options.type in _OF_NOW
        if listing and not json.loads(rows[number])["live"]:
            gone: Command = ("SREM", key, value) if options.type == "set" else ("DEL", key)
            yield Write(number, key, (gone,))
            continue
        named = {n: texts[number] for n, texts in labels.items() if texts is not None}
        try:
            made = tuple(_made(options, key, value, rows[number], ids[number], time, named))
        except ValueError as error:
            yield Write(number, key, unfit=str(error))
            continue
        yield Write(number, key, (*made, *_expiry(batch, options, key, time)) if made else ())


def _made(
    options: RedisOutput,
    key: str,
    value: str,
    row: str,
    row_id: str,
    time: int | None,
    labels: Mapping[str, str],
) -> Iterator[Command]:
    most = options.max_entries
    match options.type:
        case "string":
            yield ("SET", key, value)
        case "hash":
            # What an earlier row had and this one doesn't must go.
            yield ("DEL", key)
            fields = flat(json.loads(row))
            if fields:
                yield ("HSET", key, *(word for pair in fields.items() for word in pair))
        case "set":
            yield ("SADD", key, value)
        case "list":
            yield ("RPUSH", key, value)
            if most is not None:
                yield ("LTRIM", key, -most, -1)
        case "stream":
            bound: Command = () if most is None else ("MAXLEN", "~", most)
            yield ("XADD", key, *bound, "*", "id", row_id, "value", value)
        case "timeseries":
            yield from _sample(options, key, value, time, labels)


def _sample(
    options: RedisOutput, key: str, value: str, time: int | None, labels: Mapping[str, str]
) -> Iterator[Command]:
    if value == "null":
        return
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("the value is not a number that a time series can hold")
    if time is None or time < 0:
        raise ValueError("a sample needs an event time after 1970")
    command: Command = (SAMPLES, key, time // 1000, value)
    if options.retention is not None:
        command = (*command, "RETENTION", options.retention // 1000)
    command = (*command, "ON_DUPLICATE", "LAST")
    if labels:
        command = (*command, "LABELS", *(word for pair in labels.items() for word in pair))
    yield command


def _expiry(
    batch: OutboxBatch, options: RedisOutput, key: str, time: int | None
) -> Iterator[Command]:
    if options.ttl is None:
        verdicts = batch.content is Content.VERDICTS and options.type in ("string", "hash")
        if verdicts and time is not None:
            # The time of a verdict is when it ends.
            yield ("PEXPIREAT", key, max(0, time // 1000))
        return
    if options.ttl_from == "time" and time is not None:
        yield ("PEXPIREAT", key, max(0, (time + options.ttl) // 1000))
    else:
        yield ("PEXPIRE", key, options.ttl // 1000)


def flat(values: Mapping[str, object], before: str = "") -> dict[str, str]:
    """A row's values as fields of a hash: ``key.client_ip``; lists are JSON, null has no field."""
    fields: dict[str, str] = {}
    for name, value in values.items():
        match value:
            case None:
                pass
            case dict():
                fields |= flat(value, f"{before}{name}.")
            case str():
                fields[before + name] = value
            case _:
                fields[before + name] = json.dumps(value, ensure_ascii=False)
    return fields
