"""The broker that the tests start: it keeps what it confirmed, and can be broken and mended."""

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from tests.servers.kafka import Kafka
from tests.services.conftest import Fresh


def test_keeps_messages_when_killed(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    address = kafka.address
    kafka.send(topic, [b"a", None, b""])
    kafka.kill()
    assert not kafka.answers()
    kafka.start()
    assert kafka.address == address
    kafka.send(topic, [b"b"], partition=1)
    assert kafka.values(topic) == [b"a", None, b"", b"b"]


def test_is_started_again_after_a_test_that_killed_it(kafka: Kafka) -> None:
    assert kafka.answers()


def test_paused_and_resumed(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.pause()
    assert not kafka.answers()
    kafka.resume()
    kafka.send(topic, [b"a"])
    assert kafka.values(topic) == [b"a"]


def test_transactions(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": topic})
    producer.init_transactions(10)
    for value, end in [
        (b"kept", producer.commit_transaction),
        (b"gone", producer.abort_transaction),
    ]:
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(10)
        end(10)
    assert kafka.values(topic) == [b"kept"]
    assert kafka.values(topic, committed=False) == [b"kept", b"gone"]


def test_messages_expire(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, [b"a", b"b", b"c"])
    kafka.expire(topic, before=2)
    assert [(m.offset(), m.value()) for m in kafka.messages(topic)] == [(2, b"c")]


def test_topics_are_not_made_by_mention(kafka: Kafka) -> None:
    for _ in range(2):
        known = kafka.admin.list_topics("never-made", timeout=10).topics["never-made"]
        assert known.error is not None
        assert known.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_accounts_and_properties(fresh: Fresh[Kafka]) -> None:
    kafka = fresh(Kafka(accounts={"reader": "right"}, properties={"message.max.bytes": "2000"}))
    topic = kafka.fresh_topic()
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        kafka.send(topic, [b"x" * 3000])
    settings = {
        "bootstrap.servers": kafka.sasl_address,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "reader",
        "group.id": "tests",
    }
    assert topic in Consumer(settings | {"sasl.password": "right"}).list_topics(timeout=10).topics
    with pytest.raises(KafkaException):
        Consumer(settings | {"sasl.password": "wrong"}).list_topics(timeout=3)
