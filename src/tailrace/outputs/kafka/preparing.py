"""Topics for `tailrace init`: made where they are missing, never changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tailrace.errors import OutputError
from tailrace.outputs.kafka.client import admin, failed, refusal, refuses, unreachable
from tailrace.outputs.kafka.sending import is_out_of_reach
from tailrace.outputs.preparing import Step, StepState
from tailrace.sources.kafka.client import error_of

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka.admin import ClusterMetadata, TopicMetadata

    from tailrace.config.cluster import NewTopic

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 10.0


class Topics:
    """Topics of one cluster, which are all made alike."""

    def __init__(
        self, bootstrap: str, options: Mapping[str, str], names: Sequence[str], wanted: NewTopic
    ) -> None:
        """Nothing is asked yet. OutputError if an option isn't one of librdkafka's."""
        self._bootstrap = bootstrap
        self._names = tuple(names)
        self._wanted = wanted
        self._errors: list[KafkaError] = []
        self._client = admin(bootstrap, options, self._errors.append)

    def inspect(self) -> list[Step]:
        """See ``Preparation.inspect``."""
        found = self._metadata().topics
        return [self._step(name, found.get(name)) for name in self._names]

    def create(self, step: Step) -> None:
        """See ``Preparation.create``."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import NewTopic

        wanted = self._wanted
        (name,) = (name for name in self._names if self._target(name) == step.target)
        topic = NewTopic(
            name,
            -1 if wanted.partitions is None else wanted.partitions,
            -1 if wanted.replication is None else wanted.replication,
            config=dict(wanted.config),
        )
        try:
            self._client.create_topics([topic], operation_timeout=ANSWER_SECONDS)[name].result()
        except KafkaException as exception:
            error = error_of(exception)
            if error.code() == error.TOPIC_ALREADY_EXISTS:
                return
            if refuses(error):
                raise refusal(self._bootstrap, error) from exception
            raise OutputError(f"the topic {name} can't be made: {error.str()}") from exception
        # Brokers hear of it one after the other; a run that follows at once is to find it.
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until and not self._is_known(name):
            time.sleep(0.02)

    def _is_known(self, name: str) -> bool:
        return self._step(name, self._metadata().topics.get(name)).state is not StepState.MISSING

    def _target(self, name: str) -> str:
        return f"topic {name} at {self._bootstrap}"

    def _step(self, name: str, found: TopicMetadata | None) -> Step:
        target, wanted = self._target(name), self._wanted
        if found is not None and found.error is not None and refuses(found.error):
            raise refusal(self._bootstrap, found.error)
        if found is None or found.error is not None or not found.partitions:
            count = "the broker's number of" if wanted.partitions is None else wanted.partitions
            return Step(target, StepState.MISSING, f"{count} {_noun(wanted.partitions)}")
        partitions = len(found.partitions)
        copies = min(len(partition.replicas) for partition in found.partitions.values())
        by_hand = []
        if wanted.partitions is not None and partitions < wanted.partitions:
            by_hand.append(
                f"kafka-topics.sh --bootstrap-server {self._bootstrap} --alter --topic {name}"
                f" --partitions {wanted.partitions}   # keys move to other partitions"
            )
        if wanted.partitions is not None and partitions > wanted.partitions:
            by_hand.append(f"create.partitions: {partitions}   # a topic never gets fewer")
        if wanted.replication is not None and copies != wanted.replication:
            by_hand.append(
                f"kafka-reassign-partitions.sh --bootstrap-server {self._bootstrap} ..."
                f"   # {wanted.replication} replicas for each partition of {name}"
            )
        state = StepState.DIFFERS if by_hand else StepState.PRESENT
        detail = f"{partitions} {_noun(partitions)}, {copies} {'copy' if copies == 1 else 'copies'}"
        return Step(target, state, detail, tuple(by_hand))

    def _metadata(self) -> ClusterMetadata:
        from confluent_kafka import KafkaException

        until = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return self._client.list_topics(timeout=1.0)
            except KafkaException as exception:
                error = error_of(exception)
                self._client.poll(0)
                for each in (error, *self._errors):
                    if refuses(each):
                        raise refusal(self._bootstrap, each) from exception
                if not is_out_of_reach(error):
                    raise failed(self._bootstrap, error) from exception
                if time.monotonic() > until:
                    seen = [e for e in self._errors if not is_out_of_reach(e)] or [error]
                    raise unreachable(self._bootstrap, seen[-1]) from exception


def _noun(count: int | None) -> str:
    return "partition" if count == 1 else "partitions"
