"""What a pipeline needs on its servers before it runs: the source's topics, and each output's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.config import KafkaSource
from tailrace.config.kafka import is_pattern
from tailrace.engines.shapes import shapes_of
from tailrace.errors import OutputError, TailraceError
from tailrace.outputs import OutputContext
from tailrace.outputs.preparing import prepare_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from tailrace.outputs.preparing import Preparation
    from tailrace.plan.model import Plan

SOURCE: Final = "the source"


def preparations(plan: Plan) -> Iterator[tuple[str, Preparation | TailraceError]]:
    """What has something to prepare, with its name: the source, references, outputs in order.

    An error stands for what can't be asked at all: a library is missing, an option is wrong.
    """
    source = plan.config.source
    if isinstance(source, KafkaSource):
        try:
            yield SOURCE, _topics(source)
        except OutputError as error:
            yield SOURCE, error
    yield from _tables(plan)
    for name, output in plan.config.outputs.items():
        # No store is needed to make what all stores of a pipeline use.
        context = OutputContext(plan.name, "", shapes_of(plan, name))
        try:
            found = prepare_output(name, output, context)
        except OutputError as error:
            yield f"the output {name}", error
        else:
            if found is not None:
                yield f"the output {name}", found


def _tables(plan: Plan) -> Iterator[tuple[str, Preparation | TailraceError]]:
    from tailrace.engines.references.seeding import Seeding

    for name, config in plan.config.references.items():
        if config.sql is not None and config.sql.table is not None:
            try:
                yield f"the reference {name}", Seeding(name, config)
            except OutputError as error:
                yield f"the reference {name}", error


def _topics(source: KafkaSource) -> Preparation:
    from tailrace.outputs.extras import extra

    extra("kafka", "confluent_kafka")
    from tailrace.outputs.kafka.preparing import Topics

    named = [topic for topic in source.topics if not is_pattern(topic)]
    return Topics(source.bootstrap, source.options, named, source.create)
