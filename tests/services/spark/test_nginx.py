"""The nginx example from a topic of eight partitions: the same by either engine, whatever dies."""

import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from os import kill
from pathlib import Path

import pytest
from tests.servers.kafka import Kafka
from tests.servers.spark import Spark
from tests.services.conftest import skipping
from tests.services.spark.conftest import Made
from tests.services.spark.runs import Run, agree, pieces, with_kafka

PARTITIONS = 8
SMALL = pytest.param(300_000, id="300k")
LARGE = pytest.param(10_000_000, id="10M", marks=pytest.mark.soak)

pytestmark = [pytest.mark.timeout(3000), pytest.mark.usefixtures("connector")]


@dataclass(frozen=True)
class Filled:
    """A topic with traffic, and what the embedded engine makes of it."""

    source: str
    count: int
    plain: Run


@pytest.fixture(scope="module")
def filled(
    kafka: Kafka, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Filled]:
    topic = kafka.fresh_topic(partitions=PARTITIONS)
    done, count = 0, request.param
    for piece in pieces(7, count, rate=1000.0):
        for number in range(PARTITIONS):
            # One ends early: its watermark would hold all others back if it didn't end.
            most = count // 2 if number == 0 else count
            mine = piece[(number - done) % PARTITIONS : max(0, most - done) : PARTITIONS]
            kafka.send(topic, (line.rstrip(b"\n") for line in mine), partition=number)
        done += len(piece)
    source = f"{{kafka: {{brokers: '{kafka.address}', topics: [{topic}]}}}}"
    plain = Run(tmp_path_factory.mktemp("nginx") / "embedded", source)
    try:
        plain.finish()
        yield Filled(source, count, plain)
    finally:
        plain.end()


@pytest.fixture(scope="module")
def connector() -> None:
    with skipping():
        with_kafka("local[2]")


@pytest.mark.parametrize("filled", [SMALL, LARGE], indirect=True)
def test_local(filled: Filled, tmp_path: Path, run: Made) -> None:
    spark = run(tmp_path / "spark", filled.source, with_kafka("local[2]"))
    spark.finish()
    agree(spark.contents(), filled.plain.contents(), spark.said)


@pytest.mark.parametrize("filled", [SMALL, LARGE], indirect=True)
def test_an_executor_is_killed(filled: Filled, spark: Spark, tmp_path: Path, run: Made) -> None:
    options = with_kafka(spark.url, shards=4, max_records=filled.count // 4)
    cluster = run(tmp_path / "spark", filled.source, options)
    cluster.start("--until-end")
    cluster.until(lambda: cluster.batches("commits"))
    kill(spark.executors()[-1], signal.SIGKILL)
    assert cluster.ended() == 0, cluster.said
    agree(cluster.contents(), filled.plain.contents(), cluster.said)


@pytest.mark.soak
@pytest.mark.parametrize("filled", [SMALL, LARGE], indirect=True)
def test_a_cluster_undisturbed(filled: Filled, spark: Spark, tmp_path: Path, run: Made) -> None:
    cluster = run(tmp_path / "spark", filled.source, with_kafka(spark.url))
    cluster.finish()
    agree(cluster.contents(), filled.plain.contents(), cluster.said)


@pytest.mark.soak
@pytest.mark.parametrize("filled", [SMALL], indirect=True)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("victim", ["executor", "worker", "driver"])
def test_killed_at_random_moments(
    filled: Filled,
    spark: Spark,
    tmp_path: Path,
    run: Made,
    victim: str,
    seed: int,
) -> None:
    draw = random.Random(seed)
    options = with_kafka(spark.url, shards=4, max_records=filled.count // 6)
    cluster = run(tmp_path / "spark", filled.source, options)
    cluster.start("--until-end")
    cluster.until(lambda: cluster.batches("offsets"))
    cluster.wait(draw.random() * 20)
    match victim:
        case "executor":
            with suppress(ProcessLookupError):
                kill(draw.choice(spark.executors()), signal.SIGKILL)
        case "worker":
            worker = draw.choice(spark.workers)
            worker.kill()
            worker.start()
        case "driver":
            cluster.kill()
            cluster.start("--until-end")
    assert cluster.ended() == 0, cluster.said
    agree(cluster.contents(), filled.plain.contents(), cluster.said)
