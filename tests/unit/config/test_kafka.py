"""The Kafka source in a pipeline file: what it may say, and what is wrong with the rest."""

import pytest

from tailrace.config import KafkaSource, loads
from tailrace.config.kafka import beside_name, beside_names, start_ms
from tailrace.errors import PipelineError

TEXT = """
name: k
source: {kafka: {brokers: "b:9092", topics: t}}
time: {field: "@timestamp"}
fields: {a: text}
rules:
  - {record: r, by: a, window: 1m, select: {n: count(*)}}
"""
SOURCE = '{brokers: "b:9092", topics: t}'


def source(text: str) -> KafkaSource:
    found = loads(TEXT.replace(SOURCE, text), env={"WORD": "s3cret"}).config.source
    assert isinstance(found, KafkaSource)
    return found


def test_defaults() -> None:
    found = source(SOURCE)
    assert (found.topics, found.start, found.on_gap, found.group) == (
        ("t",),
        "earliest",
        "stop",
        None,
    )


def test_brokers_in_one_text_or_several() -> None:
    found = source("{brokers: ['a:1, b:2', '[::1]:3'], topics: [t, '^x.*']}")
    assert found.bootstrap == "a:1,b:2,[::1]:3"


@pytest.mark.parametrize(
    ("start", "milliseconds"),
    [
        ("earliest", None),
        ("latest", None),
        ("1700000000123", 1_700_000_000_123),
        ("2023-11-14T22:13:20.123Z", 1_700_000_000_123),
        ("2023-11-14T23:13:20.123456+01:00", 1_700_000_000_123),
        ("2023-11-14", 1_699_920_000_000),
    ],
)
def test_starts(start: str, milliseconds: int | None) -> None:
    found = source(f'{{brokers: "b:9092", topics: t, start: "{start}"}}')
    assert start_ms(found.start) == milliseconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{topics: t}", "the key 'brokers' is missing"),
        ('{brokers: "b:9092"}', "the key 'topics' is missing"),
        ("{brokers: b, topics: t}", "'b' is not the address of a broker"),
        ('{brokers: "http://b:9092", topics: t}', "is not the address of a broker"),
        ('{brokers: "b:9092", topics: []}', "the list is empty"),
        ('{brokers: "b:9092", topics: "a b"}', "'a b' is not the name of a topic"),
        ('{brokers: "b:9092", topics: "^(a"}', "is not a regular expression"),
        ('{brokers: "b:9092", topics: [t, t]}', "is named twice"),
        ('{brokers: "b:9092", topics: t, start: soon}', "'soon' is no place to start"),
        ('{brokers: "b:9092", topics: t, on_gap: skip}', "expected stop or count"),
        ('{brokers: "b:9092", topic: t}', "the topics are a list"),
        ('{brokers: "b:9092", topics: t, options: {group.id: g}}', "the key 'group' says it"),
        ('{brokers: "b:9092", topics: t, options: {isolation.level: x}}', "only committed"),
        ('{brokers: "b:9092", topics: t, options: {plugin.library.paths: x}}', "foreign code"),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    with pytest.raises(PipelineError) as caught:
        source(text)
    assert said in caught.value.render()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("a: text", "a: {type: integer, from: _topic}"), "_topic is text, not integer"),
        (("a: text", "a: {type: integer, from: _timestamp}"), "_timestamp is time or text"),
        (("a: text", "a: {type: time, from: _offset}"), "_offset is integer or text"),
        (("a: text", "a: {type: text, from: _kay}"), "did you mean '_key'"),
        (('"@timestamp"', "_offset"), "_offset is no time"),
        (("time:", "format: csv\ntime:"), "messages have no header"),
        (('"@timestamp"', "_timestamp, format: epoch"), "the time of a message has no other"),
        (('"@timestamp"', '"@timestamp", arrival: _timestamp'), "its arrival in any case"),
    ],
)
def test_mistakes_about_what_is_beside_a_message(change: tuple[str, str], said: str) -> None:
    with pytest.raises(PipelineError) as caught:
        loads(TEXT.replace(*change), env={})
    assert said in caught.value.render()


def test_a_list_means_the_record_itself() -> None:
    fields = "{a: {type: text, from: _key}, b: {type: text, from: [_key]}, _offset: integer}"
    config = loads(TEXT.replace("{a: text}", fields), env={}).config
    assert beside_names(config.time, config.fields) == ("_key", "_offset")
    assert beside_name(("_key",)) is None
    assert beside_name("_headers.x") == "_headers.x"
    assert beside_name("key") is None


def test_passwords_stay_out_of_errors() -> None:
    text = '{brokers: "b:9092", topics: t, start: "${WORD}", options: {sasl.password: "${WORD}"}}'
    with pytest.raises(PipelineError) as caught:
        source(text)
    assert "s3cret" not in caught.value.render()
