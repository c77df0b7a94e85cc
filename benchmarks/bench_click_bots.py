"""examples/click-bots: from an event in Kafka to the key in Redis, and how fast files are read.

Latency: a producer writes 200,000 events a minute, as the course asks, among them every second one
new address that does what one of the three rules is about, all at once. `tailrace run kafka.yaml`
reads them; the time runs from the message that crosses the limit to `bot_ADDRESS`. The bound is the
course's minute. TAILRACE_KAFKA and TAILRACE_REDIS name running servers; else they are started.

Throughput: `pipeline.yaml` and parts of it over a file of as much traffic, of users who do as much
as botgen's, against DuckDB's `read_json` of the same fields on two threads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import yaml
from confluent_kafka import Producer
from measuring import (
    CORES,
    START_US,
    Run,
    Stopwatch,
    Timing,
    alternating,
    folder,
    head,
    row,
    run,
    speed_ratio,
    stages,
    verdict,
    verdict_of,
    working_folder,
)

sys.path.append(str(Path(__file__).parents[1]))

from tests.servers.kafka import Kafka
from tests.servers.redis import Redis

from tailrace.generate.bots import BotTraffic

if TYPE_CHECKING:
    from redis import Redis as Client

EXAMPLE = Path(__file__).parents[1] / "examples" / "click-bots"
PER_MINUTE = 200_000
TARGET_SECONDS = 60
TARGET_SPEED = 0.25
STEP_SECONDS = 0.01
USERS = 33_000
CROSSINGS = {
    "rate": [("view", 1000)] * 21,
    "clicks": [("click", 1000)] * 15,
    "categories": [("click", 1000 + n) for n in range(8)],
}
LINE = '{"unix_time": %d, "category_id": %d, "ip": "%s", "type": "%s"},'


# Latency


def produce(brokers: str, topic: str, seconds: float, crossed: Queue[tuple[str, float]]) -> None:
    """Write events for so long, and tell of each address that crosses a limit, and when."""
    rng = random.Random(1)
    users = [f"172.10.{n // 255}.{n % 255}" for n in range(USERS)]
    types = ("click", "view", "view", "view")
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 1, "acks": 1})
    begun = time.monotonic()
    written, crossers = 0, 0
    while (now := time.monotonic()) < begun + seconds:
        at = time.time()
        due = int((now - begun) * PER_MINUTE / 60) - written
        acts = [
            (who, rng.choice(types), rng.randrange(1000, 1010)) for who in rng.choices(users, k=due)
        ]
        if now - begun >= crossers + 1:
            kind = list(CROSSINGS)[crossers % len(CROSSINGS)]
            crosser = f"172.20.{crossers // 255}.{crossers % 255}"
            acts += [(crosser, type_, category) for type_, category in CROSSINGS[kind]]
            crossers += 1
            crossed.put((f"{kind} {crosser}", at))
        for who, type_, category in acts:
            producer.produce(topic, LINE % (at, category, who, type_))
        written += due
        producer.poll(0)
        time.sleep(max(0.0, now + STEP_SECONDS - time.monotonic()))
    producer.flush(10)
    crossed.put(("", float(written)))


def watch(
    client: Client, crossed: Queue[tuple[str, float]], patience: float
) -> tuple[dict[str, list[float]], dict[str, int], int]:
    """Seconds by rule from the event to the key; how many crossed; how many events there were."""
    waiting: dict[str, float] = {}
    found: dict[str, list[float]] = {kind: [] for kind in CROSSINGS}
    count = dict.fromkeys(CROSSINGS, 0)
    written, until = 0, float("inf")
    while time.monotonic() < until and (waiting or not written):
        while not crossed.empty():
            name, at = crossed.get()
            if name:
                waiting[name] = at
                count[name.split()[0]] += 1
            else:
                written, until = int(at), time.monotonic() + patience
        names = list(waiting)
        values = client.mget([f"bot_{name.split()[1]}" for name in names]) if names else []
        seen = time.time()
        for name, value in zip(names, values, strict=True):
            if value is not None:
                found[name.split()[0]].append(seen - waiting.pop(name))
        time.sleep(0.02)
    return found, count, written


def latency(kafka: Kafka, redis: Redis, seconds: float) -> None:
    """Run everything, and print how long it took each rule."""
    topic = kafka.fresh_topic()
    crossed: Queue[tuple[str, float]] = multiprocessing.Queue()
    environment = os.environ | {"TAILRACE_KAFKA": kafka.address, "TAILRACE_REDIS": redis.url}
    with working_folder() as path:
        text = (EXAMPLE / "kafka.yaml").read_text().replace("[bot-logs]", f"[{topic}]")
        (path / "kafka.yaml").write_text(text)
        command = [sys.executable, "-m", "tailrace.cli.main", "run", "kafka.yaml"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=path, stdout=quiet, env=environment) as engine:
            writer = multiprocessing.Process(
                target=produce, args=(kafka.address, topic, seconds, crossed)
            )
            writer.start()
            found, count, written = watch(redis.client, crossed, patience=TARGET_SECONDS)
            writer.join()
            engine.send_signal(signal.SIGTERM)
            assert engine.wait(60) == 0
    kafka.delete_topic(topic)
    print(f"events written: {written}, {written / seconds * 60:.0f} a minute")
    for kind, latencies in found.items():
        assert len(latencies) == count[kind] > 1, f"{kind}: {len(latencies)} of {count[kind]} found"
        ordered = sorted(latencies)
        print(
            f"{kind:<11} {count[kind]:>4} addresses, all found;"
            f" median {statistics.median(ordered):5.1f} s, max {ordered[-1]:5.1f} s"
        )
    verdict_of(
        "seconds from the event to the key, at most",
        round(max(max(each) for each in found.values()), 1),
        TARGET_SECONDS,
    )


# Throughput


def bare_decode(log: Path) -> Timing:
    """Bare DuckDB: decode the fields of each line, and look at each value."""
    columns = {"ip": "VARCHAR", "type": "VARCHAR", "category_id": "BIGINT", "unix_time": "BIGINT"}
    with duckdb.connect(config={"threads": CORES}) as connection:
        watch = Stopwatch()
        connection.execute(
            "SELECT count(*), sum(strlen(ip)), sum(strlen(type)), sum(category_id), sum(unix_time)"
            " FROM read_json(?, format = 'newline_delimited', columns = ?)",
            [str(log), columns],
        ).fetchall()
        return watch.stop()


def variant(log: Path, without: tuple[str, ...] = (), *, archive: bool = True) -> str:
    """The pipeline over a file, without some of its rules."""
    config = yaml.safe_load((EXAMPLE / "pipeline.yaml").read_text())
    config["source"] = {"file": {"path": str(log)}}
    config["rules"] = [
        each
        for each in config["rules"]
        if {each.get("alert"), each.get("record")}.isdisjoint(without)
    ]
    config["verdicts"]["bots"]["from"] = [r["alert"] for r in config["rules"] if "alert" in r]
    if not archive:
        del config["archive"]
    return json.dumps(config)


def written(rows: int) -> Path:
    """A file of about so many lines, 200,000 a minute of event time, in the page cache."""
    traffic = BotTraffic(
        bots=100,
        users=USERS,
        freq=PER_MINUTE // 60 - 50,
        duration_us=rows * 60_000_000 // PER_MINUTE,
        seed=1,
        start_us=START_US,
    )
    path = folder() / f"{hashlib.sha256(repr(traffic).encode()).hexdigest()[:16]}.log"
    if not path.exists():
        with path.open("wb") as file:
            file.writelines(traffic.chunks())
    path.read_bytes()
    return path


def throughput(rows: int, runs: int) -> None:
    """Measure the pipeline and parts of it in turns with the baseline, and print."""
    log = written(rows)
    texts = {
        "clicks, verdicts": variant(log, ("rate", "categories"), archive=False),
        "all three rules, verdicts": variant(log, archive=False),
        "and every event with is_bot": variant(log),
    }
    last: dict[str, Run] = {}

    def measured(name: str) -> Timing:
        last[name] = run(texts[name])
        return last[name].timing

    bare, *found = alternating(
        runs, lambda: bare_decode(log), *(lambda name=name: measured(name) for name in texts)
    )
    events = last["clicks, verdicts"].events
    head()
    row("bare DuckDB decode", bare, events)
    for name, timings in zip(texts, found, strict=True):
        row(name, timings, events, bare)
    for name, done in last.items():
        stages(name, done)
    for name, timings in zip(texts, found, strict=True):
        verdict(f"{name}, to bare decode", speed_ratio(bare, timings), TARGET_SPEED)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120, help="of traffic through Kafka")
    parser.add_argument("--rows", type=int, default=4_000_000, help="events of the file")
    parser.add_argument("--runs", type=int, default=3, help="of the file")
    given = parser.parse_args()
    if given.seconds:
        kafka, redis = Kafka.found(), Redis.found()
        with (
            kafka if kafka.given else Kafka(heap="1g", optimized=True) as broker,
            redis if redis.given else Redis() as keys,
        ):
            latency(broker, keys, given.seconds)
    if given.rows:
        throughput(given.rows, given.runs)


if __name__ == "__main__":
    main()
