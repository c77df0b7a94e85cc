"""`tailrace init` makes the topics of a pipeline, changes none, and says what a person would do."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailrace.cli.main import run

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

PIPELINE = """
name: init
source: {kafka: {brokers: "BROKERS", topics: [NAME-in, "^NAME-x.*"], create: {partitions: 2}}}
time: {field: time}
fields: {host: text}
rules:
  - {record: hosts, by: host, window: 1m, select: {count: count(*)}, to: [one, other, again, file]}
outputs:
  one: {kafka: {brokers: "BROKERS", topic: NAME-one, create: {partitions: 3, replication: 1}}}
  other: {kafka: {brokers: "BROKERS", topic: NAME-other, create: {config: {retention.ms: 5000}}}}
  again: {kafka: {brokers: "BROKERS", topic: NAME-other}}
  file: {file: {path: out.ndjson}}
"""


class Case:
    """A pipeline file and the topics that it names."""

    def __init__(self, kafka: Kafka, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.kafka = kafka
        self.name = f"init-{uuid.uuid4().hex[:8]}"
        self.file = folder / "pipeline.yaml"
        self.file.write_text(PIPELINE.replace("NAME", self.name).replace("BROKERS", kafka.address))
        self._capsys = capsys

    def init(self, *options: str) -> tuple[int, list[str], str]:
        """The exit code, the lines printed, the errors."""
        code = run(["init", str(self.file), *options])
        out, err = self._capsys.readouterr()
        lines = out.replace(f" at {self.kafka.address}", "").replace(self.name, "NAME").splitlines()
        return code, lines, err

    def topics(self) -> dict[str, int]:
        """Partitions by topic."""
        known = self.kafka.admin.list_topics(timeout=10).topics
        return {
            name.removeprefix(self.name): len(topic.partitions)
            for name, topic in known.items()
            if name.startswith(self.name)
        }


@pytest.fixture
def case(kafka: Kafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Case:
    return Case(kafka, tmp_path, capsys)


def test_makes_what_is_missing(case: Case) -> None:
    missing = [
        "missing  topic NAME-in: 2 partitions",
        "missing  topic NAME-one: 3 partitions",
        "missing  topic NAME-other: the broker's number of partitions",
    ]
    assert case.init("--plan") == (0, missing, "")
    assert case.topics() == {}
    assert case.init() == (0, [line.replace("missing ", "made    ") for line in missing], "")
    assert case.topics() == {"-in": 2, "-one": 3, "-other": 1}
    there = [
        "there    topic NAME-in: 2 partitions, 1 copy",
        "there    topic NAME-one: 3 partitions, 1 copy",
        "there    topic NAME-other: 1 partition, 1 copy",
    ]
    assert case.init() == (0, there, "")


@pytest.mark.parametrize("options", [[], ["--plan"]])
def test_changes_nothing(case: Case, options: list[str]) -> None:
    for topic, partitions in (("in", 5), ("one", 1), ("other", 1)):
        case.kafka.create_topic(f"{case.name}-{topic}", partitions)
    until = time.monotonic() + 120
    while len(case.topics()) < 3:
        assert time.monotonic() < until
    code, lines, errors = case.init(*options)
    assert (code, errors) == (1, "")
    assert lines[0] == "differs  topic NAME-in: 5 partitions, 1 copy"
    assert lines[1].strip().startswith("create.partitions: 5")
    assert lines[2] == "differs  topic NAME-one: 1 partition, 1 copy"
    assert "kafka-topics.sh" in lines[3]
    assert "--alter --topic NAME-one --partitions 3" in lines[3]
    assert lines[4:] == ["there    topic NAME-other: 1 partition, 1 copy"]
    assert case.topics() == {"-in": 5, "-one": 1, "-other": 1}


def test_says_everything_that_fails(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from tailrace.outputs.kafka import preparing

    monkeypatch.setattr(preparing, "CONNECT_SECONDS", 0.2)
    code, lines, errors = case.init(
        *("--set", "outputs.one.kafka.brokers=127.0.0.1:1"),
        *("--set", "outputs.other.kafka.create.replication=7"),
    )
    assert code == 2
    assert lines == ["made     topic NAME-in: 2 partitions"]
    assert "the output one: no Kafka broker answers at 127.0.0.1:1" in errors
    assert "the output other: the topic" in errors
    assert "can't be made" in errors
