"""From a producer's timestamp to the alert in a Kafka topic, at 50,000 events a second: Spark.

As `bench_kafka_latency.py`, with an alert on single events, which waits for no window: what is
measured is the way of an event through an engine. Both engines, one after the other. Nothing is
promised for Spark: a batch has its price. TAILRACE_KAFKA names a running broker; without it one is
started. The jars of Spark's Kafka connector are those that `make servers` fetches.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import threading
from multiprocessing.queues import Queue
from pathlib import Path

from bench_kafka_latency import PARTITIONS, collect, produce, watch
from measuring import working_folder
from spark_runs import MASTER

sys.path.append(str(Path(__file__).parents[1]))

from tests.servers.kafka import Kafka
from tests.servers.spark import connector

WARM_UP_SECONDS = {"embedded": 10.0, "spark": 40.0}
PATIENCE_SECONDS = 20
PIPELINE = """
name: latency
source: {{kafka: {{brokers: "{brokers}", topics: {topic}, group: {topic}}}}}
format: json
time: {{field: "@timestamp", grace: 5s}}
fields: {{client_ip: text, host: text, country: text, status: integer, request_time: double}}
rules:
  - {{alert: crossed, when: "client_ip like '203.%'", to: [alerts]}}
  - {{record: hosts, by: host, window: 1m, select: {{mean: avg(request_time)}}, to: [hosts]}}
outputs:
  alerts: {{kafka: {{brokers: "{brokers}", topic: {alerts}}}}}
  hosts: {{file: {{path: hosts.ndjson}}}}
store: {{path: store.duckdb}}
spark: {{trigger: {trigger}, jars: {jars}}}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=50_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=60, help="how long, after a warm-up")
    parser.add_argument("--trigger", default="100ms", help="spark.trigger")
    given = parser.parse_args()
    named = Kafka.found()
    with named if named.given else Kafka(heap="1g", optimized=True) as kafka:
        print(f"{'':<12} {'alerts':>7} {'p50':>9} {'p90':>9} {'p99':>9} {'max':>9}")
        for engine in WARM_UP_SECONDS:
            measure(kafka, engine, given)


def measure(kafka: Kafka, engine: str, given: argparse.Namespace) -> None:
    """Run one engine, and print its line."""
    crossed: Queue[tuple[str, float]] = multiprocessing.Queue()
    topic, alerts = kafka.fresh_topic(PARTITIONS), kafka.fresh_topic()
    warm_up = WARM_UP_SECONDS[engine]
    with working_folder() as path:
        text = PIPELINE.format(
            brokers=kafka.address,
            topic=topic,
            alerts=alerts,
            trigger=given.trigger,
            jars=json.dumps(connector()),
        )
        (path / "pipeline.yaml").write_text(text)
        command = [sys.executable, "-m", "tailrace.cli.main", "run", "pipeline.yaml"]
        if engine == "spark":
            command += ["--engine", "spark", "--master", MASTER]
        environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
        with subprocess.Popen(
            command, cwd=path, env=environment, stdout=subprocess.DEVNULL
        ) as process:
            writer = multiprocessing.Process(
                target=produce,
                args=(kafka.address, topic, given.rate, given.seconds + warm_up, crossed),
            )
            written: dict[str, float] = {}
            # All the while: a pipe holds only so much, and the writer waits for it to be emptied.
            crossings = threading.Thread(target=collect, args=(crossed, written))
            crossings.start()
            writer.start()
            found = watch(kafka.address, alerts, writer, PATIENCE_SECONDS)
            writer.join()
            crossings.join()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    written.pop("")
    first = min(written.values()) + warm_up
    times = [(found[c][1] - at) * 1000 for c, at in written.items() if at >= first and c in found]
    at = statistics.quantiles(times, n=100, method="inclusive")
    shown = "".join(f"{value:>6.0f} ms" for value in (at[49], at[89], at[98], max(times)))
    print(f"{engine:<12} {len(times):>7} {shown}")
    missing = sum(c not in found for c, at in written.items() if at >= first)
    if missing:
        print(f"{missing} alerts were not there {PATIENCE_SECONDS} s after the last event")
    for name in (topic, alerts):
        kafka.delete_topic(name)


if __name__ == "__main__":
    main()
