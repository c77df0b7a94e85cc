"""What is asked of the cluster: its topics, and offsets of their partitions."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tailrace.config.kafka import is_pattern
from tailrace.config.suggestions import suggestion
from tailrace.errors import AwayError, Problem, SourceError
from tailrace.sources.kafka.client import admin, error_of, refusal, refused

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka.admin import AdminClient, OffsetSpec

    from tailrace.config import KafkaSource

_Answer = TypeVar("_Answer")

CONNECT_SECONDS = 10.0
"""How long a cluster that is slow to answer is waited for at the start."""
REACH_SECONDS = 3.0
"""How long one is tried of which every address turns us away."""
ANSWER_SECONDS = 5.0

Place = tuple[str, int]
"""A topic and the number of a partition."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the cluster knows it; ``identity`` changes when it is deleted and made anew."""

    name: str
    identity: str
    partitions: int


class Broker:
    """Asks the cluster; one thread at a time. SourceError says what can't be answered."""

    def __init__(self, config: KafkaSource) -> None:
        self._config = config
        self._errors: list[KafkaError] = []
        self._client: AdminClient = admin(config, self._errors.append)

    @property
    def client(self) -> AdminClient:
        """The library's own."""
        return self._client

    def connect(self) -> None:
        """Wait for the cluster; SourceError if nobody answers, or it refuses us."""
        begun = time.monotonic()
        while True:
            try:
                self._client.list_topics(timeout=1.0)
            except Exception as exception:
                error = _library_error(exception)
                self._client.poll(0)
                if refusing := [each for each in self._errors if refused(each)]:
                    raise refusal(self._config.bootstrap, refusing[-1]) from exception
                away = any(e.code() == e._ALL_BROKERS_DOWN for e in self._errors)  # noqa: SLF001 - a constant
                if time.monotonic() > begun + (REACH_SECONDS if away else CONNECT_SECONDS):
                    raise self._unreachable(error) from exception
            else:
                self._errors.clear()
                return

    def topics(self) -> dict[str, Topic]:
        """The topics that are configured; SourceError if one that is named isn't there."""
        found = self.known_topics()
        missing = [t for t in self._config.topics if not is_pattern(t) and t not in found]
        if missing:
            raise SourceError(problems=tuple(self._missing(missing)))
        return found

    def known_topics(self) -> dict[str, Topic]:
        """Those of the configured topics that are there."""
        names = self._config.topics
        only = names[0] if len(names) == 1 and not is_pattern(names[0]) else None
        everything = self._ask(
            lambda: self._client.list_topics(only, timeout=ANSWER_SECONDS)
        ).topics
        for name in names:
            error = everything[name].error if name in everything else None
            if error is not None and refused(error):
                raise refusal(self._config.bootstrap, error)
        there = {
            name: len(topic.partitions)
            for name, topic in everything.items()
            if topic.error is None and topic.partitions and self._configured(name)
        }
        identities = self.identities(there)
        return {name: Topic(name, identities[name], count) for name, count in there.items()}

    def _configured(self, name: str) -> bool:
        if name in self._config.topics:
            return True
        return not name.startswith("__") and any(
            re.fullmatch(topic, name) for topic in self._config.topics if is_pattern(topic)
        )

    def identities(self, names: Collection[str]) -> dict[str, str]:
        """What each topic's ``identity`` is now; empty where the cluster doesn't tell."""
        from confluent_kafka import KafkaException, TopicCollection

        found = dict.fromkeys(names, "")
        if not names:
            return found
        asked = self._client.describe_topics(
            TopicCollection(list(names)), request_timeout=ANSWER_SECONDS
        )
        for name, answer in asked.items():
            # A cluster without identities, or no right to ask.
            with suppress(KafkaException):
                found[name] = str(answer.result().topic_id)
        return found

    def earliest(self, places: Iterable[Place]) -> dict[Place, int]:
        """The offset of the first message that is kept."""
        from confluent_kafka.admin import OffsetSpec

        return self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # the library's

    def ends(self, places: Iterable[Place], *, committed: bool = True) -> dict[Place, int]:
        """The offset after the last message; ``committed``: before any open transaction."""
        from confluent_kafka.admin import OffsetSpec

        return self._offsets(places, OffsetSpec.latest(), committed=committed)  # type: ignore[no-untyped-call]  # as above

    def at(self, places: Iterable[Place], milliseconds: int) -> dict[Place, int]:
        """The offset of the first message not before a time, else the end."""
        from confluent_kafka.admin import OffsetSpec

        found = self._offsets(places, OffsetSpec.for_timestamp(milliseconds))
        after_all = [place for place, offset in found.items() if offset < 0]
        return found | self.ends(after_all)

    def _offsets(
        self, places: Iterable[Place], spec: OffsetSpec, *, committed: bool = True
    ) -> dict[Place, int]:
        from confluent_kafka import IsolationLevel, TopicPartition

        asked = {TopicPartition(*place): spec for place in places}
        if not asked:
            return {}
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        answers = self._client.list_offsets(
            asked, isolation_level=level, request_timeout=ANSWER_SECONDS
        )
        return {
            (place.topic, place.partition): self._ask(answer.result).offset
            for place, answer in answers.items()
        }

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        try:
            return question()
        except Exception as exception:
            error = _library_error(exception)
            if refused(error):
                raise refusal(self._config.bootstrap, error) from exception
            if error.code() in (error.UNKNOWN_TOPIC_OR_PART, error._UNKNOWN_TOPIC):  # noqa: SLF001 - a constant
                raise SourceError(
                    f"a topic that is read is not there any more at {self._config.bootstrap}",
                    hint="make it again, or take it out of the pipeline file",
                ) from exception
            raise self._unreachable(error) from exception

    def _unreachable(self, error: KafkaError) -> SourceError:
        seen = [each.str() for each in self._errors if each.code() != each._ALL_BROKERS_DOWN]  # noqa: SLF001 - a constant
        self._errors.clear()
        reason = seen[-1] if seen else error.str()
        return AwayError(
            f"no Kafka broker answers at {self._config.bootstrap}: {reason}",
            hint="is the address right (brokers), and is the broker up? Where it wants TLS or SASL,"
            " set the option security.protocol",
        )

    def _missing(self, topics: list[str]) -> Iterator[Problem]:
        try:
            names = [n for n in self._client.list_topics(timeout=ANSWER_SECONDS).topics if n]
        except Exception as exception:  # noqa: BLE001 - only a hint
            _library_error(exception)
            names = []
        for name in topics:
            near = suggestion(name, [n for n in names if not n.startswith("__")], "topics") or ""
            near = f"{near} or " if near.startswith("did you mean") else ""
            yield Problem(
                f"there is no topic {name} at {self._config.bootstrap}",
                hint=f"{near}'tailrace init PIPELINE' makes what a pipeline needs",
            )


def _library_error(exception: Exception) -> KafkaError:
    """The library's error; anything else is raised on."""
    from confluent_kafka import KafkaException

    if not isinstance(exception, KafkaException):
        raise exception
    return error_of(exception)


def places_of(topics: Mapping[str, Topic]) -> list[Place]:
    """All partitions of topics, in order."""
    return [(name, number) for name in sorted(topics) for number in range(topics[name].partitions)]
