"""The Kafka output against a broker: each batch once in committed reads, whatever was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from tests.servers.kafka import Kafka

from tailrace.config.outputs import Output as OutputConfig
from tailrace.errors import HaltedError, OutputError, UnreachableError
from tailrace.outputs import OutboxBatch, OutputContext, Receipt
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import Content, Form, batch_table
from tailrace.outputs.kafka import client, make, place, sending, topic
from tailrace.outputs.kafka.topic import KafkaTopic

if TYPE_CHECKING:
    from tests.services.conftest import Fresh

LIMIT = 1_048_588
"""Bytes of a message that the broker takes by itself."""


class Place:
    """A topic, and outputs to it as one store makes them."""

    def __init__(self, kafka: Kafka, stack: ExitStack, **options: Any) -> None:
        self.kafka = kafka
        self.stack = stack
        name = options.pop("topic", None) or kafka.fresh_topic(partitions=3)
        brokers = options.pop("brokers", kafka.address)
        self.config = OutputConfig.model_validate(
            {"kafka": {"brokers": brokers, "topic": name, **options}}
        )
        self.topic = name
        self.group = f"tailrace-outbox.{name}.out"

    def output(self, newest: int | None = None) -> KafkaTopic:
        made = make("out", self.config, OutputContext("p", self.topic))
        assert isinstance(made, KafkaTopic)
        self.stack.callback(made.close)
        if newest is not None:
            made.expect(newest)
        return made

    def batch(self, seq: int, values: Sequence[str]) -> OutboxBatch:
        rows = batch_table({"json": pa.array(values)}, Form.ROWS, Content.WINDOWS, "r")
        assert self.config.kafka is not None
        row = pa.array([value.partition(":")[0] for value in values])
        times = pa.repeat(pa.scalar(0, pa.int64()), len(values))
        table = addressed(rows, row, times, self.config.kafka.templates, {"id": row})
        return OutboxBatch(seq, table)

    @property
    def values(self) -> list[str]:
        """The committed messages, sorted."""
        return sorted((value or b"").decode() for value in self.kafka.values(self.topic))

    def forget(self) -> None:
        """Let the marker vanish."""
        self.kafka.admin.delete_consumer_groups([self.group])[self.group].result(10)


@pytest.fixture
def at(kafka: Kafka) -> Iterator[Callable[..., Place]]:
    with ExitStack() as stack:
        yield lambda **options: Place(options.pop("kafka", kafka), stack, **options)


def delivered(output: KafkaTopic, batch: OutboxBatch, seconds: float = 120) -> Receipt:
    """Deliver as the engine does: again until it is taken."""
    until = time.monotonic() + seconds
    while True:
        try:
            return output.deliver(batch)
        except HaltedError:
            raise
        except OutputError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def test_batches_are_messages(at: Callable[..., Place]) -> None:
    there = at(key="{id}", partition="2")
    output = there.output(-1)
    state = output.open(None)
    assert state["seq"] == -1
    receipt = output.deliver(there.batch(3, ["a:1", "b:2"]))
    assert receipt == Receipt({**state, "seq": 3})
    messages = there.kafka.messages(there.topic)
    assert [(m.key(), m.value(), m.partition()) for m in messages] == [
        (b"a", b"a:1", 2),
        (b"b", b"b:2", 2),
    ]
    assert there.kafka.committed(there.group, there.topic) == {0: 4}


def test_values_are_templates(at: Callable[..., Place]) -> None:
    there = at(value="client {id}")
    output = there.output(-1)
    output.open(None)
    output.deliver(there.batch(0, ["a:1", "ä:2"]))
    assert there.values == ["client a", "client ä"]
    assert {message.key() for message in there.kafka.messages(there.topic)} == {None}


def murmur2(key: bytes) -> int:
    """Hash as Java's clients do for keys shorter than four bytes, without its sign."""
    assert len(key) < 4
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    found = 0x9747B28C ^ len(key)
    for at, byte in enumerate(key):
        found ^= byte << (8 * at)
    found = found * factor & mask
    found ^= found >> 13
    found = found * factor & mask
    return (found ^ found >> 15) & 0x7FFFFFFF


def test_hash_of_keys() -> None:
    assert murmur2(b"21") == -973932308 & 0x7FFFFFFF


def test_one_key_one_partition_as_java_has_it(at: Callable[..., Place]) -> None:
    there = at(key="{id}")
    output = there.output(-1)
    output.open(None)
    output.deliver(there.batch(0, [f"{key}:{n}" for n in range(5) for key in "abcdef"]))
    found = {(m.key(), m.partition()) for m in there.kafka.messages(there.topic)}
    assert found == {(key, murmur2(key) % 3) for key in (b"a", b"b", b"c", b"d", b"e", b"f")}


def test_what_is_there_is_not_sent_again(at: Callable[..., Place]) -> None:
    there = at()
    first = there.output(-1)
    state = first.open(None)
    for seq in (0, 1, 4):
        first.deliver(there.batch(seq, [f"{seq}"]))
        first.deliver(there.batch(seq, [f"{seq}"]))
    # The store has heard of none of it.
    second = there.output(6)
    second.open(state)
    for seq in (0, 1, 4, 6):
        assert second.deliver(there.batch(seq, [f"{seq}"])).refused == ()
    assert there.values == ["0", "1", "4", "6"]


def test_a_dead_process_leaves_no_open_transaction(at: Callable[..., Place]) -> None:
    there = at()
    output = there.output(-1)
    state = output.open(None)
    settings = {"bootstrap.servers": there.kafka.address, "transactional.id": there.group}
    dead = Producer(settings)
    dead.init_transactions(10)
    dead.begin_transaction()
    dead.produce(there.topic, b"half")
    dead.flush(10)
    second = there.output(0)
    second.open(state)
    second.deliver(there.batch(0, ["whole"]))
    assert there.values == ["whole"]


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("restarted", [True, False])
def test_the_answer_to_a_commit_is_lost(
    at: Callable[..., Place], monkeypatch: pytest.MonkeyPatch, *, sent: bool, restarted: bool
) -> None:
    there = at()
    output = there.output(-1)
    state = output.open(None)
    output.deliver(there.batch(0, ["a"]))

    def lost(call: Callable[[float], object], until: float) -> None:
        commits = getattr(call, "__name__", "") == "commit_transaction"
        if sent or not commits:
            again(call, until)
        if commits:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    again = sending.again
    with monkeypatch.context() as patch:
        patch.setattr(sending, "again", lost)
        with pytest.raises(UnreachableError, match="no Kafka broker answers"):
            output.deliver(there.batch(1, ["b", "c"]))
    if restarted:
        output = there.output(1)
        output.open({**state, "seq": 0})
    output.deliver(there.batch(1, ["b", "c"]))
    output.deliver(there.batch(2, ["d"]))
    assert there.values == ["a", "b", "c", "d"]


@pytest.mark.parametrize("broken", ["killed", "paused"])
def test_the_broker_is_away(
    at: Callable[..., Place], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(topic, "SEND_SECONDS", 1.0)
    monkeypatch.setattr(place, "CONNECT_SECONDS", 1.0)
    monkeypatch.setitem(client.PRODUCING, "socket.timeout.ms", 1000)
    there = at()
    output = there.output(-1)
    output.open(None)
    output.deliver(there.batch(0, ["a"]))
    there.kafka.kill() if broken == "killed" else there.kafka.pause()
    for _ in range(2):
        with pytest.raises(UnreachableError):
            output.deliver(there.batch(1, ["b"]))
    there.kafka.start() if broken == "killed" else there.kafka.resume()
    monkeypatch.undo()
    delivered(output, there.batch(1, ["b"]))
    output.deliver(there.batch(2, ["c"]))
    assert there.values == ["a", "b", "c"]


def test_another_process_takes_over(at: Callable[..., Place]) -> None:
    there = at()
    first = there.output(-1)
    state = first.open(None)
    first.deliver(there.batch(0, ["a"]))
    second = there.output(0)
    second.open({**state, "seq": 0})
    with pytest.raises(HaltedError, match="another process delivers the rows of this store"):
        delivered(first, there.batch(1, ["not"]))
    # What the first one tried has fenced the second, too; but the marker is the second's.
    delivered(second, there.batch(1, ["b"]))
    assert there.values == ["a", "b"]


# The store's last batch, the newest in its outbox, the marker, and what is there after all: batches
# 1 and 2 were sent; None: it can't be known.
DOUBTS = [
    pytest.param(2, 2, None, ["1", "2"], id="vanished, nothing waits"),
    pytest.param(2, 3, None, None, id="vanished, a batch waits"),
    pytest.param(1, 2, None, None, id="vanished, a batch waits that was sent"),
    pytest.param(1, 2, 2, ["1", "2"], id="a batch waits that was sent"),
    pytest.param(2, 2, 2, ["1", "2"], id="all is well"),
    pytest.param(1, 1, 2, None, id="an older copy of the store"),
    pytest.param(2, 3, 1, None, id="set back"),
]


@pytest.mark.parametrize(("known", "newest", "marker", "expected"), DOUBTS)
def test_doubt(
    at: Callable[..., Place],
    known: int,
    newest: int,
    marker: int | None,
    expected: list[str] | None,
) -> None:
    there = at()
    output = there.output(-1)
    state = output.open(None)
    for seq in (1, 2):
        output.deliver(there.batch(seq, [str(seq)]))
    output.close()
    if marker is None:
        there.forget()
    elif marker == 1:
        output = there.output(2)
        output.open({**state, "seq": 2})
        assert output._sender is not None
        output._sender.send((), marker, 10)
    second = there.output(newest)
    saved = {**state, "seq": known}
    if expected is None:
        with pytest.raises(HaltedError) as halted:
            second.open(saved)
        assert "on_doubt=deliver" in halted.value.render()
        assert there.values == ["1", "2"]
        brave = Place(there.kafka, there.stack, topic=there.topic, on_doubt="deliver")
        second = brave.output(newest)
    second.open(saved)
    for seq in range(known + 1, newest + 1):
        second.deliver(there.batch(seq, [str(seq)]))
    second.deliver(there.batch(9, ["9"]))
    again = [str(seq) for seq in range(known + 1, newest + 1)] if expected is None else []
    assert there.values == sorted([*(expected or ["1", "2"]), *again, "9"])
    # Afterwards nothing is in doubt.
    third = there.output(9)
    third.open({**state, "seq": newest})
    third.deliver(there.batch(9, ["9"]))
    assert there.values.count("9") == 1


def test_another_topic_begins_with_what_waits(at: Callable[..., Place]) -> None:
    there = at()
    output = there.output(-1)
    output.open(None)
    state = output.deliver(there.batch(0, ["a"])).state
    output.deliver(there.batch(1, ["b"]))
    other = there.kafka.fresh_topic()
    moved = Place(there.kafka, there.stack, topic=other)
    moved.group = there.group
    second = make("out", moved.config, OutputContext("p", there.topic))
    assert isinstance(second, KafkaTopic)
    second.expect(1)
    there.stack.callback(second.close)
    second.open(state)
    second.deliver(there.batch(1, ["b"]))
    assert (there.values, moved.values) == (["a", "b"], ["b"])


def test_too_large_messages_are_refused(at: Callable[..., Place]) -> None:
    there = at(key="{id}")
    output = there.output(-1)
    output.open(None)
    fits, large = "x" * (LIMIT - 200), "y" * (LIMIT + 1)
    receipt = output.deliver(there.batch(0, ["a:1", f"b:{fits}", f"c:{large}", "d:2"]))
    (refused,) = receipt.refused
    assert refused.row == 2
    assert "bytes; the topic takes" in refused.reason
    assert [len(value) for value in there.values] == [3, len(fits) + 2, 3]
    # The confirmation was lost: the same rows are refused again.
    assert output.deliver(there.batch(0, ["a:1", f"b:{fits}", f"c:{large}", "d:2"])) == receipt


def test_a_topic_that_takes_less_than_before(at: Callable[..., Place]) -> None:
    there = at()
    output = there.output(-1)
    output.open(None)
    there.kafka.configure_topic(there.topic, max_message_bytes=2000)
    values = [*(f"{n}:{'x' * 500}" for n in range(20)), "large:" + "x" * 2500, "last"]
    receipt = delivered(output, there.batch(0, values))
    assert [refused.row for refused in receipt.refused] == [20]
    assert there.values == sorted([*values[:20], "last"])
    output.deliver(there.batch(1, ["next"]))
    assert "next" in there.values


def test_a_limit_that_may_not_be_seen(
    at: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.Place, "_settings", lambda _: {})
    there = at()
    there.kafka.configure_topic(there.topic, max_message_bytes=2000)
    output = there.output(-1)
    output.open(None)
    values = [*(f"{n}:{'x' * 500}" for n in range(9)), *(f"{n}:{'x' * 2500}" for n in range(9))]
    receipt = delivered(output, there.batch(0, values))
    assert [refused.row for refused in receipt.refused] == list(range(9, 18))
    assert there.values == values[:9]


@pytest.mark.parametrize("text", ["3", "-1", "x", "", "1.0", "99999999999999999999", "²"])
def test_partitions_that_are_none(at: Callable[..., Place], text: str) -> None:
    there = at(partition="{id}")
    output = there.output(-1)
    output.open(None)
    receipt = output.deliver(there.batch(0, ["0:a", f"{text}:b", "2:c"]))
    (refused,) = receipt.refused
    assert refused.row == 1
    assert refused.reason == f"'{text}' is none of the topic's 3 partitions"
    assert there.values == ["0:a", "2:c"]


def test_partitions_that_were_added(at: Callable[..., Place]) -> None:
    there = at(partition="{id}")
    output = there.output(-1)
    output.open(None)
    there.kafka.add_partitions(there.topic, 5)
    assert delivered(output, there.batch(0, ["4:a"])).refused == ()
    assert there.values == ["4:a"]


def test_a_missing_topic(at: Callable[..., Place]) -> None:
    with pytest.raises(OutputError, match="there is no topic never-made") as error:
        at(topic="never-made").output(-1).open(None)
    assert "tailrace init" in error.value.render()
    known = at().kafka.admin.list_topics(timeout=10).topics
    assert "never-made" not in known


def test_a_topic_that_is_deleted(at: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic, "SEND_SECONDS", 2.0)
    there = at()
    output = there.output(-1)
    output.open(None)
    output.deliver(there.batch(0, ["a"]))
    there.kafka.delete_topic(there.topic)
    with pytest.raises(OutputError):
        output.deliver(there.batch(1, ["b"]))
    with pytest.raises(OutputError, match="there is no topic"):
        output.deliver(there.batch(1, ["b"]))


def test_a_compacted_topic_needs_keys(at: Callable[..., Place]) -> None:
    there = at()
    there.kafka.configure_topic(there.topic, cleanup_policy="compact")
    with pytest.raises(OutputError, match="is compacted: its messages need keys"):
        there.output(-1).open(None)
    keyed = at(topic=there.topic, key="{id}")
    keyed.output(-1).open(None)


def test_nobody_answers(at: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "CONNECT_SECONDS", 0.5)
    with pytest.raises(UnreachableError, match=r"no Kafka broker answers at 127\.0\.0\.1:1:"):
        at(brokers="127.0.0.1:1").output(-1).open(None)


def test_a_wrong_option(at: Callable[..., Place]) -> None:
    with pytest.raises(OutputError, match=r'No such configuration property: "no\.such"'):
        at(options={"no.such": "1"}).output(-1).open(None)


def test_accounts(fresh: Fresh[Kafka], at: Callable[..., Place]) -> None:
    own = fresh(Kafka(accounts={"writer": "right"}))
    options = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "writer",
        "compression.type": "zstd",
    }
    brokers, name = own.sasl_address, own.fresh_topic()
    there = at(
        kafka=own, brokers=brokers, topic=name, options={**options, "sasl.password": "right"}
    )
    output = there.output(-1)
    output.open(None)
    output.deliver(there.batch(0, ["a"]))
    assert there.values == ["a"]
    wrong = at(
        kafka=own, brokers=brokers, topic=name, options={**options, "sasl.password": "guessed"}
    )
    with pytest.raises(OutputError, match="refuses us") as error:
        wrong.output(-1).open(None)
    assert not isinstance(error.value, UnreachableError)
    assert "guessed" not in error.value.render()


def test_the_marker_of_a_quiet_topic_is_written_again(at: Callable[..., Place]) -> None:
    there = at()
    assert there.config.kafka is not None
    now = 0.0
    output = KafkaTopic("out", there.config.kafka, there.topic, lambda: now)
    there.stack.callback(output.close)
    state = output.open(None)
    output.deliver(there.batch(3, ["3"]))
    assert output.renew() == topic.RENEW_SECONDS
    # As brokers do with groups and transactional ids of which they heard nothing for long.
    there.forget()
    now += topic.RENEW_SECONDS
    assert output.renew() == topic.RENEW_SECONDS
    again = there.output(4)
    assert again.open({**state, "seq": 3})["seq"] == 3
    again.deliver(there.batch(4, ["4"]))
    assert there.values == ["3", "4"]
