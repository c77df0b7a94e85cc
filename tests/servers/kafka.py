"""A Kafka broker that is its own controller, and what tests do with its topics."""

import base64
import logging
import subprocess
import uuid
from collections.abc import Iterable, Mapping
from typing import ClassVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
from tests.servers.java import JavaServer
from tests.servers.kafka_settings import BROKER, LOGGING, sasl
from tests.servers.ports import free_port
from tests.servers.server import ServerFailed

QUIET = logging.getLogger("tests.servers.kafka.client")
"""Where clients say that a broker that is just starting can't be reached."""
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class Kafka(JavaServer):
    """`properties` are added to the broker's own; `heap`, `optimized`: see `JavaServer`.

    `accounts` (password by user) opens a second listener, `sasl_address`, which wants one of
    them by SASL/PLAIN.
    """

    name: ClassVar[str] = "kafka"
    variable: ClassVar[str] = "TAILRACE_KAFKA"
    usual_port: ClassVar[int] = 9092

    def __init__(
        self,
        *,
        given: str | None = None,
        properties: Mapping[str, str] | None = None,
        accounts: Mapping[str, str] | None = None,
        heap: str = "512m",
        optimized: bool = False,
    ) -> None:
        super().__init__(given=given, heap=heap, optimized=optimized)
        self.properties = dict(properties or {})
        self.accounts = dict(accounts or {})
        self._sasl_port = 0
        self._admin: AdminClient | None = None
        self._paused = False

    @property
    def own_url(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """What clients call `bootstrap.servers`."""
        return self.url

    @property
    def sasl_address(self) -> str:
        assert self.accounts, "opened only for accounts"
        return f"127.0.0.1:{self._sasl_port}"

    def prepare(self) -> None:
        controller = f"127.0.0.1:{free_port()}"
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://{controller}"
        settings = BROKER | {"controller.quorum.bootstrap.servers": controller}
        if self.accounts:
            self._sasl_port = free_port()
            listeners += f",SASL_PLAINTEXT://{self.sasl_address}"
            settings |= sasl(self.accounts)
        settings |= {"listeners": listeners} | self.properties
        (self.folder / "server.properties").write_text(
            "".join(f"{key}={value}\n" for key, value in settings.items())
        )
        (self.folder / "log4j2.properties").write_text(LOGGING)
        # One that begins with a minus would be taken for an option.
        cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        formatted = subprocess.run(
            [
                *self.java(),
                *("kafka.tools.StorageTool", "format", "--standalone"),
                *("--cluster-id", cluster, "--config", "server.properties"),
            ],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        if formatted.returncode != 0:
            raise ServerFailed(f"could not format: {formatted.stdout}{formatted.stderr}")

    def command(self) -> list[str]:
        config = "-Dlog4j2.configurationFile=log4j2.properties"
        return [*self.java(), config, "kafka.Kafka", "server.properties"]

    def answers(self) -> bool:
        """Whether the broker is there and every partition has a leader."""
        try:
            known = self.admin.list_topics(timeout=1)
        except KafkaException:
            return False
        partitions = [each for topic in known.topics.values() for each in topic.partitions.values()]
        return bool(known.brokers) and all(each.leader >= 0 for each in partitions)

    def pause(self) -> None:
        super().pause()
        self._paused = True

    def resume(self) -> None:
        super().resume()
        if self._paused:
            # One that asks a broker that is being let in again may take it for gone for minutes.
            self._paused, self._admin = False, None

    @property
    def client(self) -> dict[str, str | int | float | bool]:
        """Settings of a client that soon finds a broker that was away."""
        return {"bootstrap.servers": self.address, "reconnect.backoff.max.ms": 200}

    @property
    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient(self.client, logger=QUIET)
        return self._admin

    # Topics

    def create_topic(self, name: str, partitions: int = 1, **config: str | int) -> str:
        """Create a topic and return its name; `config` has underscores for dots."""
        written = {key.replace("_", "."): str(value) for key, value in config.items()}
        topic = NewTopic(name, partitions, 1, config=written)
        self.admin.create_topics([topic])[name].result(10)
        return name

    def fresh_topic(self, partitions: int = 1, **config: str | int) -> str:
        """Create a topic that no other test knows."""
        return self.create_topic(f"topic-{uuid.uuid4().hex[:12]}", partitions, **config)

    def delete_topic(self, name: str) -> None:
        self.admin.delete_topics([name])[name].result(10)

    def add_partitions(self, topic: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(10)

    def configure_topic(self, topic: str, **config: str | int) -> None:
        """Change settings of a topic, all others to their defaults."""
        written = {key.replace("_", "."): str(value) for key, value in config.items()}
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config=written)
        self.admin.alter_configs([resource])[resource].result(10)

    def expire(self, topic: str, before: int, partition: int = 0) -> None:
        """Delete the messages before an offset, as the broker does when they are too old."""
        place = TopicPartition(topic, partition, before)
        self.admin.delete_records([place])[place].result(10)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Offsets of a consumer group by partition."""
        request = ConsumerGroupTopicPartitions(group)
        offsets = self.admin.list_consumer_group_offsets([request])[group].result(10)
        places = offsets.topic_partitions or []
        return {place.partition: place.offset for place in places if place.topic == topic}

    # Messages

    def send(self, topic: str, values: Iterable[bytes | str | None], partition: int = 0) -> None:
        """Write messages without a key to one partition; returns when the broker has them.

        KafkaException if it refuses one.
        """
        refused: list[KafkaError] = []

        def told(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                refused.append(error)

        producer = Producer(self.client | {"enable.idempotence": True}, logger=QUIET)
        for value in values:
            while True:
                try:
                    producer.produce(topic, value, partition=partition, on_delivery=told)
                except BufferError:
                    producer.poll(0.1)
                else:
                    break
        left = producer.flush(60)
        if refused:
            raise KafkaException(refused[0])
        if left:
            raise ServerFailed(f"{left} messages could not be written to {topic}")

    def messages(self, topic: str, *, committed: bool = True) -> list[Message]:
        """All messages of a topic, by partition and offset; `committed`: only of transactions."""
        consumer = Consumer(
            self.client
            | {
                "group.id": "tests",
                "enable.auto.commit": False,
                "isolation.level": "read_committed" if committed else "read_uncommitted",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,  # it is asked for the end, not followed
            },
            logger=QUIET,
        )
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            consumer.assign(
                [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]
            )
            read: list[Message] = []
            unfinished = set(partitions)
            while unfinished:
                for message in consumer.consume(10_000, 0.05):
                    error = message.error()
                    if error is None:
                        read.append(message)
                    elif error.code() == error._PARTITION_EOF:
                        unfinished.discard(partition_of(message))
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()
        return sorted(read, key=lambda message: (partition_of(message), message.offset() or 0))

    def values(self, topic: str, *, committed: bool = True) -> list[bytes | None]:
        """What `messages` returns, the values alone."""
        return [message.value() for message in self.messages(topic, committed=committed)]


def partition_of(message: Message) -> int:
    partition = message.partition()
    assert partition is not None
    return partition
