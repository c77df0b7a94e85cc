"""What the Kafka source reads: partitions, positions, transactions, what isn't a plain message."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from confluent_kafka import KafkaException, Producer
from tests.cli.processes import eventually
from tests.servers.kafka import Kafka
from tests.services.kafka.topics import Taken, opened

from tailrace.errors import SourceError


def values(count: int, mark: str = "m") -> list[bytes]:
    return [f"{mark}{number}".encode() for number in range(count)]


def test_reads_partitions_in_order(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=3)
    for number in range(3):
        kafka.send(topic, values(5000, f"{number}-"), partition=number)
    taken = Taken(opened(kafka, topic)).to_end().close()
    assert taken.appeared == [f"{topic}/{number}" for number in range(3)]
    for number in range(3):
        assert taken.values[f"{topic}/{number}"] == values(5000, f"{number}-")
        assert taken.offsets[f"{topic}/{number}"] == list(range(5000))


def test_stored_positions_win_over_the_start(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(10))
    first = Taken(opened(kafka, topic)).to_end().close()
    kafka.send(topic, values(3, "later"))
    for start in ("earliest", "latest", "2020-01-01T00:00:00Z"):
        again = Taken(opened(kafka, topic, start=start), first.resume).to_end().close()
        assert again.all == values(3, "later")


def test_slices_are_read_again_exactly(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    for number in range(2):
        kafka.send(topic, values(2000, f"{number}-"), partition=number)
    taken = Taken(opened(kafka, topic, wanted=["_offset"]))
    taken.until(lambda _: len(taken.all) == 4000, max_bytes=10_000)
    assert len(taken.slices) > 10
    source = taken.source
    for piece, read in (*taken.slices[:3], *taken.slices[-3:]):
        again = source.reread(piece)
        assert [again.data[a:b].to_pybytes() for a, b in bounds(again.offsets)] == read
        assert again.beside is not None
        assert again.beside["_offset"].to_pylist() == list(map(str, again.positions.tolist()))
        assert again.arrival is not None
    source.close()


def bounds(offsets: object) -> list[tuple[int, int]]:
    return list(pairwise(offsets.tolist()))  # type: ignore[attr-defined]  # an array


def transactions(kafka: Kafka, topic: str) -> Callable[[list[bytes], bool], None]:
    producer = Producer(kafka.client | {"transactional.id": topic})
    producer.init_transactions(20)

    def write(some: list[bytes], commit: bool) -> None:
        producer.begin_transaction()
        for value in some:
            producer.produce(topic, value, partition=0)
        producer.flush(20)
        if commit:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)

    return write


def test_only_committed_messages_and_positions_past_marks(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    write = transactions(kafka, topic)
    write(values(3, "a"), True)
    write(values(3, "b"), False)
    write(values(2, "c"), True)
    taken = Taken(opened(kafka, topic)).to_end()
    assert taken.all == [*values(3, "a"), *values(2, "c")]
    assert taken.offsets[f"{topic}/0"] == [0, 1, 2, 8, 9]
    # The end of the log is a mark; it is no message, and the position gets past it.
    taken.until(lambda _: taken.resume[f"{topic}/0"]["offset"] == 11)
    piece = taken.slices[-1][0]
    assert len(taken.source.reread(piece)) == len(taken.slices[-1][1])
    taken.close()
    assert not Taken(opened(kafka, topic), taken.resume).to_end().close().all


def test_the_end_is_after_what_was_aborted_wherever_reading_was_cut(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    write = transactions(kafka, topic)
    write(values(3, "a"), True)
    write(values(3, "b"), False)
    before = Taken(opened(kafka, topic, until_end=True)).to_end().close()
    assert before.resume[f"{topic}/0"]["offset"] == 8
    for cut in range(3, 8):
        resume = {f"{topic}/0": before.resume[f"{topic}/0"] | {"offset": cut}}
        taken = Taken(opened(kafka, topic, until_end=True), resume).to_end().close()
        assert not taken.all
        assert taken.ended == [f"{topic}/0"]
        assert taken.resume[f"{topic}/0"]["offset"] == 8, cut


def test_an_open_transaction_is_the_end(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(2))
    producer = Producer(kafka.client | {"transactional.id": topic})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush(20)
    taken = Taken(opened(kafka, topic, until_end=True)).to_end().close()
    assert taken.all == values(2)
    assert taken.ended == [f"{topic}/0"]
    producer.commit_transaction(20)
    assert Taken(opened(kafka, topic), taken.resume).to_end().close().all == [b"open"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_batches(kafka: Kafka, codec: str) -> None:
    topic = kafka.fresh_topic()
    producer = Producer(kafka.client | {"compression.type": codec, "linger.ms": 20})
    for value in values(3000):
        producer.produce(topic, value)
    producer.flush(20)
    assert Taken(opened(kafka, topic)).to_end().close().all == values(3000)


def test_until_end_stops_at_what_was_there(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    kafka.send(topic, values(100))
    taken = Taken(opened(kafka, topic, until_end=True))
    assert taken.source.bounded
    kafka.send(topic, values(50, "later"))
    kafka.send(topic, values(50, "later"), partition=1)
    taken.until(lambda _: len(taken.ended) == 2).close()
    assert taken.all == values(100)
    assert taken.resume[f"{topic}/0"]["offset"] == 100
    totals = taken.source.totals()
    assert totals is not None
    assert totals[0] == totals[1] > 0


def test_starts_where_it_is_told(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    producer = Producer(kafka.client)
    for number in range(10):
        producer.produce(topic, f"m{number}", partition=0, timestamp=1_700_000_000_000 + number)
    producer.flush(20)
    for start, expected in [
        ("earliest", values(10)),
        ("latest", []),
        ("1700000000007", values(10)[7:]),
        ("2023-11-14T22:13:20.004Z", values(10)[4:]),
        ("2030-01-01", []),
    ]:
        taken = Taken(opened(kafka, topic, start=start)).to_end().close()
        assert taken.all == expected, start
    # Where reading began is stored, so that nothing is lost if it is killed at once.
    late = Taken(opened(kafka, topic, start="latest")).to_end().close()
    kafka.send(topic, [b"new"])
    again = Taken(opened(kafka, topic, start="latest"), late.resume).to_end().close()
    assert again.all == [b"new"]


def test_partitions_that_are_added_are_read_from_their_beginning(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    taken = Taken(opened(kafka, topic, start="latest")).to_end()
    kafka.add_partitions(topic, 3)
    kafka.send(topic, [b"second"], partition=1)
    taken.has(1)
    assert taken.all == [b"second"]
    assert set(taken.appeared) == {f"{topic}/{number}" for number in range(3)}
    taken.close()
    kafka.add_partitions(topic, 4)
    kafka.send(topic, [b"fourth"], partition=3)
    again = Taken(opened(kafka, topic, start="latest"), taken.resume).to_end().close()
    assert again.all == [b"fourth"]


def test_topics_that_a_pattern_matches(kafka: Kafka) -> None:
    stem = kafka.fresh_topic()
    kafka.create_topic(f"{stem}.a")
    kafka.create_topic(f"other.{stem}.a")
    kafka.send(f"{stem}.a", [b"a"])
    taken = Taken(opened(kafka, f"^{stem}\\..*", start="latest", wanted=["_topic"]))
    taken.to_end()
    assert not taken.all
    kafka.create_topic(f"{stem}.b", partitions=2)
    kafka.send(f"{stem}.b", [b"b"], partition=1)
    kafka.send(f"{stem}.a", [b"c"])
    taken.has(2).close()
    assert taken.appeared == [f"{stem}.a/0", f"{stem}.b/0", f"{stem}.b/1"]
    assert sorted(zip(taken.all, taken.beside["_topic"], strict=True)) == [
        (b"b", f"{stem}.b"),
        (b"c", f"{stem}.a"),
    ]


def test_what_a_message_has_beside_its_value(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    producer = Producer(kafka.client)
    headers: list[tuple[str, str | bytes | None]] = [
        ("t", b"1"),
        ("u", b"\xff"),
        ("t", b"2"),
        ("n", None),
    ]
    at = 1_700_000_000_123
    producer.produce(topic, b"x", key=b"k\xc3\xa9", headers=headers, partition=1, timestamp=at)
    producer.produce(topic, b"y", key=b"\xff", partition=1, timestamp=at + 1)
    producer.produce(topic, b"z", partition=1, timestamp=at + 2)
    producer.flush(20)
    names = ("_key", "_headers", "_headers.t", "_topic", "_partition", "_offset", "_timestamp")
    taken = Taken(opened(kafka, topic, wanted=names)).to_end().close()
    assert taken.beside == {
        "_key": ["ké", "\ufffd", None],
        "_headers": ['{"t": "2", "u": "\ufffd", "n": null}', None, None],
        "_headers.t": ["2", None, None],
        "_topic": [topic] * 3,
        "_partition": ["1"] * 3,
        "_offset": ["0", "1", "2"],
        "_timestamp": [f"2023-11-14 22:13:20.{milli}Z" for milli in (123, 124, 125)],
    }
    assert taken.arrivals == [(at + more) * 1000 for more in range(3)]


def test_tombstones_empty_and_long_messages(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, [b"a", None, b"", b"x" * 100, b"x" * 101, b"b"])
    taken = Taken(opened(kafka, topic, max_record_bytes=100)).to_end().close()
    assert taken.all == [b"a", b"", b"", b"x" * 100, b"x" * 100, b"b"]
    assert taken.oversize == [False] * 4 + [True, False]


def test_messages_that_expired(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(10))
    first = Taken(opened(kafka, topic, until_end=True)).to_end().close()
    kafka.send(topic, values(20, "later"))
    kafka.expire(topic, before=15)
    assert first.resume[f"{topic}/0"]["offset"] == 10
    with pytest.raises(SourceError, match=r"messages 10 to 14 are gone .* were not read") as caught:
        Taken(opened(kafka, topic), first.resume)
    assert "on_gap: count" in caught.value.render()
    taken = Taken(opened(kafka, topic, on_gap="count"), first.resume).to_end().close()
    assert taken.all == values(20, "later")[5:]
    assert taken.counts == {"log_gap": 5}


def test_messages_that_expire_before_they_are_fetched(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(10))
    taken = Taken(opened(kafka, topic, on_gap="count")).to_end()
    # Its own reader is held up; the log moves on under it.
    taken.source._reader.pause(taken.source._reader.assignment())
    kafka.send(topic, values(30, "later"))
    kafka.expire(topic, before=25)
    taken.source._reader.resume(taken.source._reader.assignment())
    taken.until(lambda _: values(30, "later")[-1] in taken.all).close()
    assert taken.all == [*values(10), *values(30, "later")[15:]]
    assert taken.counts == {"log_gap": 15}


def test_a_topic_made_anew(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(5))
    first = Taken(opened(kafka, topic)).to_end().close()
    kafka.delete_topic(topic)
    eventually(lambda: created(kafka, topic))
    kafka.send(topic, values(7, "anew"))
    with pytest.raises(SourceError, match="made anew"):
        Taken(opened(kafka, topic), first.resume)
    taken = Taken(opened(kafka, topic, on_gap="count"), first.resume).to_end().close()
    assert taken.all == values(7, "anew")
    assert taken.resume[f"{topic}/0"]["generation"] == 1
    assert taken.notes == ["log_replaced"]


@pytest.mark.parametrize("on_gap", ["count", "stop"])
@pytest.mark.parametrize("count", [2, 5, 9])
def test_a_topic_made_anew_while_it_is_read(kafka: Kafka, count: int, on_gap: str) -> None:
    """Whether its new log is shorter than what was read of the old one, as long, or longer."""
    topic = kafka.fresh_topic()
    kafka.send(topic, values(5))
    taken = Taken(opened(kafka, topic, on_gap=on_gap)).to_end()
    kafka.delete_topic(topic)
    eventually(lambda: created(kafka, topic))
    kafka.send(topic, values(count, "anew"))
    if on_gap == "stop":
        with pytest.raises(SourceError, match="made anew"):
            taken.noted("log_replaced")
        taken.close()
        assert taken.all == values(5)
        return
    taken.noted("log_replaced").has(5 + count).to_end().close()
    assert taken.all == [*values(5), *values(count, "anew")]
    assert taken.resume[f"{topic}/0"]["generation"] == 1
    again = Taken(opened(kafka, topic), taken.resume).to_end().close()
    assert again.all == []
    assert again.notes == []


def test_slices_of_a_topic_that_was_made_anew_are_not_read_again(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(5))
    first = Taken(opened(kafka, topic)).to_end().close()
    piece = next(piece for piece, read in first.slices if read)
    kafka.delete_topic(topic)
    eventually(lambda: created(kafka, topic))
    kafka.send(topic, values(9, "anew"))
    source = opened(kafka, topic, on_gap="count")
    source.open({})
    with pytest.raises(SourceError, match="made anew"):
        source.reread(piece)
    source.close()


def created(kafka: Kafka, topic: str) -> bool:
    """Whether it is made; deleting the one before takes a moment."""
    with suppress(KafkaException):
        return bool(kafka.create_topic(topic))
    return False


def test_the_end_is_confirmed_by_the_broker_alone(kafka: Kafka) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, values(3))
    taken = Taken(opened(kafka, topic)).to_end()
    kafka.kill()
    taken.noted("broker_down")
    taken.until(lambda found: not found.at_end)
    kafka.start()
    kafka.send(topic, [b"after"])
    taken.has(4).noted("broker_back").to_end().close()
    assert taken.all == [*values(3), b"after"]
    assert taken.notes == ["broker_down", "broker_back"]


def test_the_partition_that_is_behind_is_read_first(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    for number in range(2):
        kafka.send(topic, values(20_000, f"{number}-"), partition=number)
    taken = Taken(opened(kafka, topic))
    behind = {f"{topic}/0": 10, f"{topic}/1": 5}
    taken.until(lambda found: found.chunks, max_bytes=1)  # something of both is fetched
    taken.until(
        lambda _: len(taken.values.get(f"{topic}/1", ())) == 20_000,
        max_bytes=50_000,
        watermarks=behind,
    )
    assert len(taken.values.get(f"{topic}/0", ())) < 10_000
    taken.has(40_000).close()


def test_positions_are_copied_to_the_group(kafka: Kafka) -> None:
    topic = kafka.fresh_topic(partitions=2)
    kafka.send(topic, values(10))
    taken = Taken(opened(kafka, topic, holder="one", group=f"g-{topic}")).to_end()
    taken.source.committed(taken.resume)
    taken.until(lambda _: kafka.committed(f"g-{topic}", topic).get(0) == 10)
    kafka.send(topic, values(5))
    taken.has(15)
    taken.source.committed(taken.resume)
    taken.close()
    assert kafka.committed(f"g-{topic}", topic)[0] == 15
