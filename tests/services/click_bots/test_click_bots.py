"""examples/click-bots between a real broker and a real Redis: who is a bot, and what is told of it.

The pipelines are the example's own files; only the servers' addresses, the topic and where events
go are a test's.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.services.processes import Running

from tailrace.generate.bots import BotTraffic

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka
    from tests.servers.redis import Redis

pytestmark = pytest.mark.services

EXAMPLE = Path(__file__).parents[3] / "examples" / "click-bots"
BOT, USER, FILLER = "172.20.0.1", "172.10.0.1", "172.10.9.9"
LINE = re.compile(r"ip: (\S+), event rate: (\d+), clickRate: (\d+), viewRate: (\d+), categories: 1")


def placed(folder: Path, name: str, kafka: Kafka, topic: str, redis: Redis) -> Running:
    """A pipeline of the example, not running yet; its events go to ``events.ndjson``."""
    text = (EXAMPLE / name).read_text()
    for old, new in (
        ("${TAILRACE_KAFKA:-localhost:9092}", kafka.address),
        ("${TAILRACE_REDIS:-redis://localhost:6379/0}", redis.url),
        ("topics: [bot-logs]", f"topics: [{topic}]"),
        ("path: out/events/, partition_by: hour", "path: events.ndjson"),
        ("path: out/clickstream/, partition_by: hour", "path: events.ndjson"),
    ):
        text = text.replace(old, new)
    return Running(folder, text)


@contextmanager
def started(run: Running) -> Iterator[Running]:
    run.start()
    try:
        yield run
    finally:
        run.end()


def events(base: int, ip: str, seconds: Iterable[int]) -> list[dict[str, Any]]:
    """A view of one category at each of these seconds."""
    return [
        {"unix_time": base + at, "category_id": 1000, "ip": ip, "type": "view"} for at in seconds
    ]


def as_array(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Messages as they are when somebody sends the lines of botgen's file."""
    lines = [json.dumps(row) for row in rows]
    return ["[" + lines[0] + ",", *(line + "," for line in lines[1:-1]), lines[-1] + "]"]


def test_twice_the_limit_half_the_limit_and_after_the_expiry(
    kafka: Kafka, redis: Redis, tmp_path: Path
) -> None:
    redis.client.flushall()
    topic = kafka.fresh_topic()
    base = int(time.time())
    bot = events(base, BOT, [at for at in range(8) for _ in range(5)])
    user = events(base, USER, range(8)) + events(base, USER, (3, 5))
    early = sorted(bot + user, key=lambda row: row["unix_time"])
    after = events(base, BOT, (1207,)) + events(base, USER, (1207,))
    run = placed(tmp_path / "run", "kafka.yaml", kafka, topic, redis)
    with started(run):
        kafka.send(topic, as_array(early + events(base, FILLER, (25,))))
        run.eventually(lambda: redis.client.exists(f"bot_{BOT}") == 1)
        listed = redis.client.hgetall(f"bot:{BOT}")
        left = redis.client.ttl(f"bot_{BOT}")
        line = redis.client.get(f"bot_{BOT}")
        assert redis.client.smembers("bots") == {BOT}
        run.eventually(lambda: redis.client.exists(f"stat_{USER}") == 1)
        # What was in flight comes again, and counts once.
        run.kill()
        run.start()
        kafka.send(topic, as_array(after + events(base, FILLER, (1260,))))
        run.eventually(lambda: redis.client.exists(f"bot_{BOT}") == 0)
        assert run.stop() == 0, run.log
    assert not redis.client.exists(f"bot:{BOT}", "bots", f"bot_{USER}", f"bot:{USER}")
    # It fires until ten seconds after its last event at most, and is listed ten minutes longer.
    assert 0 < left <= 618
    assert isinstance(line, str)
    found = LINE.fullmatch(line)
    assert found is not None, line
    assert found[1] == BOT
    assert 20 < int(found[2]) == int(found[4]) <= 40
    assert found[3] == "0"
    assert listed["state"] in {"listed", "extended"}
    assert set(listed) >= {"reasons.rate", "measures.events", "first_seen", "last_seen", "until"}
    assert listed["key.ip"] == BOT
    run.finish()
    archived = run.rows("events.ndjson")
    # Seconds 0 to 3 have 20 events; the 21st is the first of second 4.
    bots = [second(row) - base for row in archived if row["is_bot"]]
    assert bots == [at for at in range(4, 8) for _ in range(5)]
    assert {row["ip"] for row in archived if row["is_bot"]} == {BOT}
    assert len(archived) == len(early) + len(after) + 2


def second(row: dict[str, Any]) -> int:
    """When an archived event was, in seconds since 1970."""
    return int(datetime.fromisoformat(row["unix_time"]).timestamp())


def test_the_keys_and_sets_of_the_spark_job(kafka: Kafka, redis: Redis, tmp_path: Path) -> None:
    """botgen's lines as messages, against a count of what is in them."""
    redis.client.flushall()
    topic = kafka.fresh_topic()
    start = int(time.time()) // 10 * 10
    traffic = BotTraffic(
        bots=10, users=50, freq=20, duration_us=30_000_000, seed=1, start_us=start * 1_000_000
    )
    rows = [json.loads(line) for chunk in traffic.chunks() for line in chunk.splitlines()]
    kafka.send(topic, as_array(rows))
    run = placed(tmp_path / "run", "seed.yaml", kafka, topic, redis)
    run.finish()
    windows: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows:
        windows.setdefault((row["unix_time"] // 10, row["ip"]), []).append(row)
    lines = {place: line_of(place[1], mine) for place, mine in sorted(windows.items())}
    accused = {place: lines[place] for place, mine in sorted(windows.items()) if is_bot(mine)}
    assert redis.client.smembers("statistics") == set(lines.values())
    assert redis.client.smembers("bots") == set(accused.values())
    last = {f"stat_{ip}": line for (_, ip), line in lines.items()}
    last |= {f"bot_{ip}": line for (_, ip), line in accused.items()}
    keys = sorted(redis.client.keys("stat_*") + redis.client.keys("bot_*"))
    assert {key: redis.client.get(key) for key in keys} == last
    assert all(0 < redis.client.ttl(key) <= 600 for key in (*keys, "bots", "statistics"))


def line_of(ip: str, rows: list[dict[str, Any]]) -> str:
    clicks = sum(row["type"] == "click" for row in rows)
    categories = len({row["category_id"] for row in rows})
    return (
        f"ip: {ip}, event rate: {len(rows)}, clickRate: {clicks},"
        f" viewRate: {len(rows) - clicks}, categories: {categories}"
    )


def is_bot(rows: list[dict[str, Any]]) -> bool:
    """The Spark job's three conditions."""
    clicks = sum(row["type"] == "click" for row in rows)
    views = len(rows) - clicks
    categories = len({row["category_id"] for row in rows})
    return len(rows) > 10 or views == 0 or clicks // views > 3 or categories > 10


def test_lines_that_kafka_connect_wraps(kafka: Kafka, redis: Redis, tmp_path: Path) -> None:
    redis.client.flushall()
    topic = kafka.fresh_topic()
    base = int(time.time())
    for ip, count in ((BOT, 21), (USER, 20)):
        event = {"type": "click", "ip": ip, "event_time": str(base), "url": "https://a"}
        schema = {"type": "string", "optional": False}
        kafka.send(topic, [json.dumps({"schema": schema, "payload": json.dumps(event)})] * count)
    run = placed(tmp_path / "run", "gridu-v2.yaml", kafka, topic, redis)
    run.finish()
    assert redis.client.keys("bot_*") == [f"bot_{BOT}"]
    assert redis.client.hget(f"bot_{BOT}", "measures.count") == "21"
    assert [row["is_bot"] for row in run.rows("events.ndjson")] == [True] * 21 + [False] * 20
