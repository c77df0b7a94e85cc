"""The other examples on Spark, by their own files: what they leave is what embedded runs leave.

One process runs all of them: Java starts once.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.processes import tailrace
from tests.disturbed import plain
from tests.servers.kafka import Kafka
from tests.servers.redis import Redis
from tests.services.conftest import skipping
from tests.services.spark.refusals import Command, outcomes
from tests.services.spark.runs import stored, with_kafka

from tailrace.generate.bots import BotTraffic

EXAMPLES = Path(__file__).parents[3] / "examples"
STORE = "store.duckdb"

pytestmark = pytest.mark.timeout(900)


def clicks(kafka: Kafka) -> str:
    """A topic with botgen's lines of half a minute, which has just passed: keys live on."""
    topic = kafka.fresh_topic(partitions=3)
    start = int(time.time()) // 10 * 10 - 30
    traffic = BotTraffic(
        bots=10, users=50, freq=20, duration_us=30_000_000, seed=1, start_us=start * 1_000_000
    )
    lines = [line for chunk in traffic.chunks() for line in chunk.splitlines()]
    for partition in range(3):
        kafka.send(topic, lines[partition::3], partition=partition)
    return topic


def placed(example: str, folder: Path, **values: str) -> Command:
    """The command that runs a copy of an example in a folder of its own, embedded."""
    shutil.copytree(EXAMPLES / example, folder)
    (folder / "out").mkdir(exist_ok=True)
    name = "kafka.yaml" if "TAILRACE_KAFKA" in values else "pipeline.yaml"
    return Command(("run", name, "--store", STORE), folder, values)


def click_bots(folder: Path, kafka: Kafka, topic: str, redis: str) -> Command:
    command = placed("click-bots", folder, TAILRACE_KAFKA=kafka.address, TAILRACE_REDIS=redis)
    events = "path: out/events/, partition_by: hour"
    path = folder / "kafka.yaml"
    text = path.read_text()
    assert events in text
    text = text.replace(events, "path: out/events.ndjson")
    path.write_text(text.replace("topics: [bot-logs]", f"topics: [{topic}]"))
    return Command((*command.args, "--until-end"), folder, command.env)


def left(folder: Path, pipeline: str) -> dict[str, list[str]]:
    """What a run has left in its folder, sorted."""
    found = {
        path.name: sorted(filter(None, map(plain, path.read_text().splitlines())))
        for path in sorted((folder / "out").glob("*.ndjson"))
    }
    found["store"] = stored(folder / STORE, pipeline)
    return found


def keys(redis: Redis, number: int) -> dict[str, Any]:
    """What a database of Redis holds, but for accounts of batches, and when rows were sent."""
    client: Any = redis.client
    client.execute_command("SELECT", number)
    try:
        return dict(_values(client))
    finally:
        client.execute_command("SELECT", 0)


def _values(client: Any) -> Iterator[tuple[str, Any]]:
    for key in sorted(key for key in client.keys("*") if not key.startswith("tailrace:")):
        match client.type(key):
            case "string":
                yield key, client.get(key)
            case "set":
                yield key, sorted(client.smembers(key))
            case _:
                fields = client.hgetall(key)
                fields.pop("sent_at", None)
                yield key, fields


def test_the_examples(kafka: Kafka, redis: Redis, tmp_path: Path) -> None:
    with skipping():
        options = with_kafka("local[2]", shards=2)
    topic = clicks(kafka)
    made = tmp_path / "made"
    made.mkdir()
    for args in (
        "server-logs --count 3000 --out logs.ndjson --users users.csv",
        "packets --duration 2h --rate 3 --over 2 --below 3 --late 0.05 --out traffic.pcap",
    ):
        ended = tailrace("generate", *args.split(), "--seed", "1", cwd=made)
        assert ended.returncode == 0, ended.stderr
    # What is no record, and what has no time.
    with (made / "logs.ndjson").open("ab") as file:
        file.write(b'{"event_id": "0000\n\n{"event_timestamp": "x"}\n\xff\xfe\n')
    base, _, database = redis.url.rpartition("/")
    assert database == "0"

    found = {}
    for number, engine in enumerate(("embedded", "spark")):
        own = tmp_path / engine
        commands = [
            click_bots(own / "click-bots", kafka, topic, f"{base}/{number}"),
            placed(
                *("server-logs", own / "server-logs"),
                LOG=str(made / "logs.ndjson"),
                USERS=str(made / "users.csv"),
            ),
            placed("traffic-limits", own / "traffic-limits", PCAP=str(made / "traffic.pcap")),
        ]
        if engine == "spark":
            commands = [Command((*c.args, *options), c.cwd, c.env) for c in commands]
        for outcome in outcomes(commands):
            assert outcome.code == 0, outcome.said
        found[engine] = {c.cwd.name: left(c.cwd, _name(c)) for c in commands}
        found[engine]["redis"] = keys(redis, number)
    for name, wanted in found["embedded"].items():
        assert all(wanted.values()), f"{name}: something is empty"
        for part, lines in wanted.items():
            assert found["spark"][name].get(part) == lines, f"{name}: {part} differs"
        assert found["spark"][name].keys() == wanted.keys()
    assert any(name.startswith("bot:") for name in found["embedded"]["redis"])


def _name(command: Command) -> str:
    file = str(command.args[1])
    return command.cwd.name + ("-kafka" if file == "kafka.yaml" else "")
