"""Runs that are taken up: after kill -9, with another number of cores, with another file."""

import random
from pathlib import Path

import pytest
from tests.services.spark.conftest import Made
from tests.services.spark.runs import GOALS, agree, on_spark, traffic

CHANGED = (
    GOALS.replace("count(*) > 10", "count(*) > 12")  # changed
    .replace("  - {alert: slow, when: request_time > 2, to: [slow]}", "")  # removed
    .replace("record: goal4", "record: goal4b")  # one went and one came
)
"""Other rules: one as it was, one changed, one gone."""

pytestmark = pytest.mark.timeout(1200)


def append(log: Path, lines: list[bytes]) -> None:
    with log.open("ab") as sink:
        sink.writelines(lines)


def read(lines: list[bytes]) -> int:
    """How many lines stand in the archive or among the dead letters when all were read."""
    return sum(bool(line.strip()) for line in lines)


def test_a_killed_driver_goes_on_with_more_cores_and_changed_rules(
    tmp_path: Path, run: Made
) -> None:
    lines = traffic(1, 9000)
    parts = [lines[:3000], lines[3000:6000], lines[6000:]]
    log = tmp_path / "access.ndjson"
    source = f"{{file: {{path: '{log}', follow: true}}}}"
    done = read(parts[0])

    plain = run(tmp_path / "embedded", source)
    append(log, parts[0])
    plain.start()
    plain.until(lambda: plain.lines("events") + plain.lines("rejects") >= done)
    plain.stop()
    plain.write(CHANGED)
    append(log, parts[1] + parts[2])
    plain.finish()

    log.write_bytes(b"")
    append(log, parts[0])
    spark = run(tmp_path / "spark", source, on_spark("local[1]", shards=3))
    spark.start()
    spark.until(lambda: spark.lines("events") + spark.lines("rejects") >= done)
    spark.kill()
    # Concluded by the store, not by Spark: it runs again, after the rules have changed.
    last = spark.batches("offsets")[-1]
    spark.forget("commits", last)

    spark.write(CHANGED)
    spark.options = on_spark("local[2]", shards=3)
    append(log, parts[1])
    spark.start()
    spark.until(lambda: spark.batches("offsets")[-1] > last)
    spark.kill()  # with a batch under way

    append(log, parts[2])
    spark.finish()
    agree(spark.contents(), plain.contents(), spark.said)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6))
def test_a_driver_killed_at_random_moments(tmp_path: Path, run: Made, seed: int) -> None:
    draw = random.Random(seed)
    lines = traffic(seed, 40_000)
    log = tmp_path / "access.ndjson"
    source = f"{{file: {{path: '{log}', follow: true}}}}"
    spark = run(tmp_path / "spark", source)
    written = 0
    for _ in range(4):
        spark.options = on_spark(f"local[{draw.randint(1, 3)}]", shards=4)
        upto = min(len(lines), written + draw.randint(3000, 10_000))
        append(log, lines[written:upto])
        written = upto
        spark.start()
        before = len(spark.batches("commits"))
        spark.until(lambda before=before: len(spark.batches("offsets")) > before)  # type: ignore[misc]
        spark.wait(draw.random() * 4)
        spark.kill()
    append(log, lines[written:])
    spark.finish()
    plain = run(tmp_path / "embedded", source)
    plain.finish()
    agree(spark.contents(), plain.contents(), spark.said)
