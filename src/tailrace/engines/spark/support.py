"""What the Spark engine doesn't have, in one table: refused by name, and printed in the docs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.config import CaptureSource, KafkaSource
from tailrace.config.positions import Positions
from tailrace.engines.spark.kafka_options import untranslated
from tailrace.errors import PipelineError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.config import PipelineConfig


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that pipelines can ask for: ``path`` in the file, and what to do without it."""

    path: tuple[str, ...]
    what: str
    hint: str
    asked: Callable[[PipelineConfig], bool]


LACKS = (
    Lack(
        ("dedup",),
        "dedup",
        "remove duplicates where they arise, or run the embedded engine",
        lambda config: config.dedup is not None,
    ),
    Lack(
        ("source", "kafka", "on_gap"),
        "on_gap: count",
        "leave it out: messages that are gone stop the run; go on with a new store and checkpoint",
        lambda config: isinstance(config.source, KafkaSource) and config.source.on_gap == "count",
    ),
    Lack(
        ("source", "capture"),
        "live capture",
        "send packets to a topic (`tailrace capture --to`) or read capture files (`pcap`)",
        lambda config: isinstance(config.source, CaptureSource),
    ),
    Lack(
        ("explain", "retain"),
        "explain from kept counts",
        "leave explain.retain out; `tailrace explain --input FILES` counts again",
        lambda config: config.explain.retain > 0,
    ),
)
"""What is refused."""

LEFT_OUT = (
    ("early notices", "alerts come when their windows close; no alert is missing, none changes"),
)
"""What doesn't happen on Spark, without a word, for no result depends on it."""


def lacks(config: PipelineConfig) -> tuple[Lack, ...]:
    """What a pipeline asks for that this engine doesn't have."""
    return tuple(lack for lack in LACKS if lack.asked(config))


def problems(config: PipelineConfig, positions: Positions | None = None) -> tuple[Problem, ...]:
    """What a run on Spark would refuse, each with its place in the file."""
    places = Positions() if positions is None else positions
    found = [
        Problem(f"{lack.what} is not there on Spark", places.where_key(lack.path), lack.hint)
        for lack in lacks(config)
    ]
    source = config.source
    if isinstance(source, KafkaSource):
        found += [
            Problem(
                f"the Kafka option {name} is librdkafka's and has no counterpart on Spark",
                places.where_key(("source", "kafka", "options", name)),
                "leave it out for --engine spark",
            )
            for name in untranslated(source)
        ]
    return tuple(found)


def refuse(config: PipelineConfig, positions: Positions | None = None) -> None:
    """PipelineError if a pipeline asks for something that this engine doesn't have."""
    found = problems(config, positions)
    if found:
        raise PipelineError(problems=found)
