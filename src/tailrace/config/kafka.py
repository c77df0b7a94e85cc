"""Kafka as a source: brokers, topics, where reading starts; and what a message has beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from tailrace.config.base import Given, Model
from tailrace.config.cluster import (
    RESERVED,
    Brokers,
    NewTopic,
    bootstrap,
    is_topic,
    reserved_options,
)
from tailrace.config.complaints import Complaint, expected, refusal
from tailrace.config.event import EventField, TimeSettings
from tailrace.config.kinds import Kind
from tailrace.config.scalars import Filled, LabelText
from tailrace.config.several import Several
from tailrace.config.suggestions import suggestion
from tailrace.config.values import escaped, shown

HEADER = "_headers."
"""Before a header's name: `_headers.trace-id`."""

_TYPES: Mapping[str, tuple[str, ...]] = {
    "_key": ("text", "integer", "double", "boolean", "time"),
    "_headers": ("text",),
    "_topic": ("text",),
    "_partition": ("integer", "text"),
    "_offset": ("integer", "text"),
    "_timestamp": ("time", "text"),
}
"""What a message has beside its value, and the types in which fields may take it."""

_RESERVED = {
    **RESERVED,
    "group.id": "the key 'group' says it",
    "auto.offset.reset": "the keys 'start' and 'on_gap' say it",
    "enable.auto.commit": "positions are kept in the store",
    "enable.auto.offset.store": "positions are kept in the store",
    "enable.partition.eof": "the end of a partition must be known",
}


def beside_name(key: str | tuple[str, ...] | None) -> str | None:
    """Return the name of what a message has beside its value, None for a key of the record.

    A list always is a way into the record: ``from: [_key]`` is its own key ``_key``.
    """
    known = isinstance(key, str) and (key in _TYPES or key.startswith(HEADER))
    return str(key) if known else None


def beside_names(time: TimeSettings, fields: Mapping[str, EventField]) -> tuple[str, ...]:
    """Return the names of all that a pipeline takes of messages beside their values."""
    keys = (time.field, *(f.from_ if f.from_ is not None else n for n, f in fields.items()))
    found = (beside_name(key) for key in keys)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def is_pattern(topic: str) -> bool:
    """Whether it stands for all topics that a regular expression matches."""
    return topic.startswith("^")


def _topics(topics: tuple[str, ...]) -> tuple[str, ...]:
    for topic in topics:
        if is_pattern(topic):
            try:
                re.compile(topic)
            except (re.error, OverflowError, RecursionError) as error:
                raise refusal(
                    f"{shown(topic)} is not a regular expression: {escaped(str(error))}"
                ) from None
        elif not is_topic(topic):
            hint = "letters, digits, '.', '_' and '-'; a regular expression begins with '^'"
            raise refusal(f"{shown(topic)} is not the name of a topic", hint)
        if topics.count(topic) > 1:
            raise refusal(f"the topic {shown(topic)} is named twice")
    return topics


def _start(value: object) -> object:
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise expected("earliest, latest or a time", value)
    if value not in ("earliest", "latest") and start_ms(value) is None:
        hint = "earliest, latest, milliseconds since 1970, or a time such as 2026-01-31T12:00:00Z"
        raise refusal(f"{shown(value)} is no place to start", hint)
    return value


def start_ms(start: str) -> int | None:
    """Return the time at which to start, in milliseconds since 1970 UTC; None for the two words."""
    if re.fullmatch(r"[0-9]{1,15}", start):
        return int(start)
    try:
        at = datetime.fromisoformat(start)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000)


class KafkaSource(Model):
    """Messages of Kafka topics, read committed, each partition of a topic being one.

    Beside its value a message has `_key`, `_headers` (JSON text; one alone: `_headers.NAME`),
    `_topic`, `_partition`, `_offset` and `_timestamp`: `from` and `time.field` take them by these
    names. A list means the record itself: `from: [_key]` is its own key `_key`. Messages without a
    value (tombstones) are blank records. The library is installed by `pip install
    'tailrace[kafka]'`.
    """

    kind: ClassVar[str] = "kafka"

    elsewhere: ClassVar[Mapping[str, str]] = {
        "topic": "the topics are a list: topics: [...]",
        "bootstrap_servers": "did you mean 'brokers'?",
        "bootstrap.servers": "did you mean 'brokers'?",
        "follow": "topics are followed; `tailrace run --until-end` stops at what is there now",
    }

    brokers: Brokers = Field(
        description="Addresses of some brokers of the cluster, `host:port`; the rest is found.",
        examples=["localhost:9092"],
    )
    topics: Annotated[Several, AfterValidator(_topics)] = Field(
        description=(
            "Names of topics. One that begins with `^` is a regular expression and stands for every"
            " topic whose whole name it matches, also for those that are made later."
        ),
        examples=[["access-logs"]],
    )
    start: Annotated[
        str,
        BeforeValidator(_start),
        WithJsonSchema({"type": ["string", "integer"], "examples": ["earliest", "latest"]}),
        Kind("`earliest`, `latest` or time"),
    ] = Field(
        default="earliest",
        description=(
            "Where reading starts when the store has no position yet: at the first message, after"
            " the last one, or at the first message whose timestamp isn't before a time"
            " (milliseconds since 1970, or ISO 8601). What comes later, new partitions or topics of"
            " a pattern, is read from its first message in any case."
        ),
        examples=["latest"],
    )
    on_gap: Literal["stop", "count"] = Field(
        default="stop",
        description=(
            "What follows when messages after the stored position are gone (expired, deleted, a"
            " topic made anew): `stop` with an error, or `count` them as missing in the notes of"
            " `status` and go on."
        ),
    )
    group: Filled | None = Field(
        default=None,
        description=(
            "The consumer group to which positions are copied, so that tools that watch the lag see"
            " them; it is also how a second process on the same pipeline is noticed. By default"
            " `tailrace-` and the pipeline's name."
        ),
        examples=["tailrace-nginx"],
    )
    options: Mapping[str, LabelText] = Field(
        default={},
        description=(
            "Further options of librdkafka, such as `security.protocol`, `sasl.mechanism`,"
            " `sasl.username`, `sasl.password`, `ssl.ca.location`. Passwords are best taken from"
            " the environment: `${KAFKA_PASSWORD}`."
        ),
        examples=[{"security.protocol": "SASL_SSL"}],
    )
    create: NewTopic = Field(
        default=NewTopic(),
        description="How `tailrace init` makes those of the named topics that are not there.",
        examples=[{"partitions": 3}],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Options that would undo what the source promises."""
        yield from reserved_options(given, _RESERVED)

    @property
    def bootstrap(self) -> str:
        """The addresses as librdkafka takes them."""
        return bootstrap(self.brokers)


def beside_complaints(given: Given) -> Iterator[Complaint]:
    """Yield fields that take what a message has beside its value in a type that doesn't fit."""
    fields = given.get("fields")
    for name, field in fields.items() if isinstance(fields, Mapping) else ():
        options = field if isinstance(field, Mapping) else getattr(field, "__dict__", {})
        key = options.get("from", options.get("from_"))
        beside = beside_name(key) if isinstance(key, str) else None
        if isinstance(key, str) and key.startswith("_") and beside is None:
            near = suggestion(key, tuple(_TYPES), "parts of a message")
            if near is not None and near.startswith("did"):
                yield Complaint(
                    ("fields", str(name), "from"),
                    f"a message has no {shown(key)}",
                    f"{near} a key of the record itself is written as a list: [{key}]",
                )
        types = _TYPES["_key"] if beside is None else _TYPES.get(beside, _TYPES["_key"])
        if options.get("type") in _TYPES["_key"] and options.get("type") not in types:
            yield Complaint(
                ("fields", str(name), "type"),
                f"{beside} is {' or '.join(types)}, not {options['type']}",
            )
    yield from _time_complaints(given.get("time"))
    yield from _csv_complaints(given.get("format"))


def _csv_complaints(format_: object) -> Iterator[Complaint]:
    csv = format_.get("csv") if isinstance(format_, Mapping) else format_
    options = csv if isinstance(csv, Mapping) else getattr(csv, "__dict__", {})
    is_csv = csv == "csv" or (isinstance(format_, Mapping) and "csv" in format_)
    if (is_csv or getattr(csv, "kind", None) == "csv") and not options.get("columns"):
        hint = "name the columns: format: {csv: {columns: [time, client_ip]}}"
        yield Complaint(("format",), "messages have no header that names the columns", hint)


def _time_complaints(time: object) -> Iterator[Complaint]:
    options = time if isinstance(time, Mapping) else getattr(time, "__dict__", {})
    field, form = options.get("field"), options.get("format", "auto")
    if field in ("_headers", "_topic", "_partition", "_offset"):
        yield Complaint(("time", "field"), f"{field} is no time", "did you mean '_timestamp'?")
    if field == "_timestamp" and form not in ("auto", "iso"):
        message = "the time of a message has no other format"
        yield Complaint(("time", "format"), message, "remove 'format'", at_key=True)
    if options.get("arrival") == "_timestamp":
        message = "the time of a message is its arrival in any case"
        yield Complaint(("time", "arrival"), message, "remove 'arrival'", at_key=True)
