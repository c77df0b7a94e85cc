"""The place in the consumer group: who else reads this pipeline, and positions for lag tools.

Reading doesn't need the group: partitions are assigned by hand and positions live in the store. The
member here subscribes, takes no partition, and so shows that somebody reads. Its client id names
the store: only one process has a store, so a member of the same name is one that died, and one of
another name somebody else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tailrace.errors import SourceError
from tailrace.sources.kafka.broker import ANSWER_SECONDS
from tailrace.sources.kafka.client import consumer, error_of

if TYPE_CHECKING:
    from confluent_kafka import Consumer, TopicPartition
    from confluent_kafka.admin import AdminClient, MemberDescription

    from tailrace.config import KafkaSource
    from tailrace.sources.kafka.broker import Place

SESSION_SECONDS = 6.0
"""After so long a member that says nothing is dead, unless the option session.timeout.ms says
otherwise; brokers allow no less by default."""
MIRROR_SECONDS = 2.0
LEAVE_SECONDS = 2.0


class Membership:
    """One thread uses it at a time."""

    def __init__(self, config: KafkaSource, group: str, instance: str, admin: AdminClient) -> None:
        """``instance``: what tells this reader from others of the group."""
        self._config = config
        self._group = group
        self._name = f"tailrace-{instance}"
        self._admin = admin
        self._session_seconds = _session_seconds(config.options)
        self._member: Consumer | None = None
        self._mirrored: Mapping[Place, int] = {}
        self._mirror_at = 0.0
        self._look_around = False
        self.problem: str | None = None
        """Why the group can't be used, which stops nobody."""

    def claim(self) -> None:
        """Join the group once nobody else is in it; SourceError if somebody stays.

        A member that died is counted out after its session, so that is waited for.
        """
        deadline = time.monotonic() + self._session_seconds + 2.0
        while others := [other for other in self._members() if other.client_id != self._name]:
            if time.monotonic() > deadline:
                raise self._taken(others[0])
            time.sleep(0.25)
        if self.problem is not None:
            return
        self._member = consumer(
            self._config,
            {
                "group.id": self._group,
                "enable.auto.commit": False,
                "session.timeout.ms": int(self._session_seconds * 1000),
                "heartbeat.interval.ms": int(self._session_seconds * 1000 / 3),
            },
            fixed={"client.id": self._name},
        )

        def take_nothing(member: Consumer, _: list[TopicPartition]) -> None:
            member.assign([])
            self._look_around = True

        self._member.subscribe(list(self._config.topics), on_assign=take_nothing)

    def turn(self, positions: Mapping[Place, int]) -> None:
        """Stay a member and copy positions now and then; SourceError if another took over."""
        member = self._member
        if member is None:
            return
        member.poll(0.0)
        if self._look_around:
            self._look_around = False
            # Who is in a group that has just settled is alive. Of two that began at the same
            # moment and saw nobody, or that have copies of one store, one stays.
            mine = (self._name, member.memberid())
            for other in self._members():
                if (str(other.client_id), str(other.member_id)) < mine:
                    raise self._taken(other)
        if positions != self._mirrored and time.monotonic() >= self._mirror_at:
            self._mirror_at = time.monotonic() + MIRROR_SECONDS
            self._copy(member, positions)

    def _copy(self, member: Consumer, positions: Mapping[Place, int]) -> None:
        from confluent_kafka import KafkaException

        changed = [item for item in positions.items() if self._mirrored.get(item[0]) != item[1]]
        try:
            member.commit(offsets=_offsets(changed), asynchronous=True)
        except KafkaException:
            return  # not joined yet, or the broker is away; the next turn tries again
        self._mirrored = dict(positions)

    def leave(self, positions: Mapping[Place, int]) -> None:
        """Copy the last positions and be gone; the broker may be away."""
        from confluent_kafka import KafkaException

        if self._member is None:
            return
        member, self._member = self._member, None
        try:
            if positions:
                member.commit(offsets=_offsets(list(positions.items())), asynchronous=True)
                member.poll(0.2)
        except (KafkaException, RuntimeError):
            pass
        member.close()

    def _members(self) -> list[MemberDescription]:
        from confluent_kafka import KafkaException

        asked = self._admin.describe_consumer_groups([self._group], request_timeout=ANSWER_SECONDS)
        try:
            members: list[MemberDescription] = asked[self._group].result().members
        except KafkaException as exception:
            error = error_of(exception)
            self.problem = (
                f"the consumer group {self._group} can't be used ({error.str()}): positions are not"
                " copied to it, and a second process on this pipeline isn't noticed"
            )
            return []
        return members

    def _taken(self, other: MemberDescription) -> SourceError:
        return SourceError(
            f"another process reads this pipeline: {other.client_id} at {other.host} is in the"
            f" consumer group {self._group}",
            hint="one process reads a pipeline, with one store; several share the work with the"
            " Spark engine. If that is another pipeline, give this one its own source.kafka.group",
        )


def _session_seconds(options: Mapping[str, str]) -> float:
    """How long a member that died is waited for; what is no number the library refuses."""
    with suppress(KeyError, ValueError):
        return int(options["session.timeout.ms"]) / 1000
    return SESSION_SECONDS


def _offsets(positions: list[tuple[Place, int]]) -> list[TopicPartition]:
    from confluent_kafka import TopicPartition

    return [TopicPartition(*place, offset) for place, offset in positions]
