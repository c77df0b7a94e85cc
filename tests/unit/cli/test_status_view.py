import json
from dataclasses import replace
from pathlib import Path

import click
from tests.unit.cli.moments import NOON, PROCESS, SECOND, SPARK, STATUS

from tailrace.cli.status_view import as_document, lines
from tailrace.engines.status import PartitionStatus, Status

HERE = Path(__file__).parent


def shown(status: Status) -> str:
    return click.unstyle("\n".join(lines(status)))


def test_what_it_looks_like() -> None:
    assert shown(STATUS) == (HERE / "status.txt").read_text().removesuffix("\n")


def test_counts_that_do_not_add_up_are_pointed_at() -> None:
    wrong = replace(STATUS, blank=2, rules=(replace(STATUS.rules[0], late=3),))
    text = shown(wrong)
    assert "! the counts of records do not add up" in text
    assert "! the counts of flood do not add up" in text
    assert "1,000,003 read != 1,000,000 events + 2 dead + 2 blank" in text


def test_a_watermark_far_behind_is_pointed_at() -> None:
    behind = replace(STATUS, at=NOON + 3600 * SECOND)
    assert "! the watermark is 1h behind; /log/\\x1b[2J\\x0a\\u202e\\x9b1m holds it back" in shown(
        behind
    )


def test_a_source_that_is_away_is_pointed_at() -> None:
    away = replace(STATUS, source_error="no broker answers", source_away_since=NOON)
    text = shown(replace(away, at=NOON + 300 * SECOND))
    assert "! the source: no broker answers (since 2024-05-01 12:00:00Z, for 5m)" in text
    assert as_document(away)["source_away_since"] == "2024-05-01T12:00:00.000Z"


def test_a_watermark_that_follows_the_clock() -> None:
    assert STATUS.newest is not None
    quiet = replace(STATUS, watermark=STATUS.newest + 344 * SECOND, at=NOON + 400 * SECOND)
    text = shown(quiet)
    assert "  2024-05-01 12:05:49Z, 51s behind the clock\n" in text
    assert "  no input: it follows the clock; the newest event is of 2024-05-01 12:00:05Z" in text
    assert "51s ahead of the clock" in shown(replace(quiet, at=NOON + 298 * SECOND))


def test_who_holds_the_watermark() -> None:
    waiting = PartitionStatus("/log/c", "live", 0, 0, 0, None)
    none_yet = replace(STATUS, watermark=None, partitions=(*STATUS.partitions, waiting))
    assert "  none yet: /log/c is live and has had no event" in shown(none_yet)
    assert "  none yet: no event was read" in shown(
        replace(STATUS, watermark=None, partitions=(waiting,))
    )


def test_after_the_run() -> None:
    text = shown(replace(STATUS, process=None))
    assert text.startswith("nginx: not running\n")
    assert "TIME BY STAGE" not in text
    text = shown(replace(STATUS, process=None, finished=True))
    assert text.startswith("nginx: not running; its input was read to the end\n")
    assert "  the input has ended; its newest event is of 2024-05-01 12:00:05Z" in text


def test_many_partitions_are_cut_to_the_slowest() -> None:
    many = tuple(PartitionStatus(f"p{n}", "live", 0, 0, 1, n) for n in range(100))
    text = shown(replace(STATUS, partitions=many))
    assert "  p0 " in text
    assert "  p99 " not in text
    assert "  and 70 more" in text


def test_json() -> None:
    document = json.loads(json.dumps(as_document(STATUS)))
    assert document["watermark"] == "2024-05-01T12:00:00.000Z"
    assert document["process"]["started_at"] == "2024-05-01T12:00:00.000Z"
    assert document["partitions"][0]["newest"] == "2024-05-01T12:00:05.000Z"
    assert document["partitions"][1]["newest"] is None
    assert (document["running"], document["adds_up"]) == (True, True)


def test_it_travels() -> None:
    assert Status.from_json(json.loads(json.dumps(STATUS.to_json()))) == STATUS
    stored = replace(STATUS, process=None)
    assert Status.from_json(json.loads(json.dumps(stored.to_json()))) == stored


def test_what_spark_tells() -> None:
    assert "SPARK" not in shown(STATUS)
    on_spark = replace(STATUS, process=replace(PROCESS, spark=SPARK))
    text = shown(on_spark)
    assert "SPARK\n  batch 17 took 1.2s, 123,457 messages/s\n" in text
    assert "  state 64 rows, 5.0 MiB in files, 9.0 KiB in memory\n" in text
    begun = replace(PROCESS, spark=replace(SPARK, batch=-1))
    assert "SPARK\n  no batch is done yet" in shown(replace(STATUS, process=begun))
    files = replace(PROCESS, spark=replace(SPARK, rows_per_second=None))
    assert "  batch 17 took 1.2s\n" in shown(replace(STATUS, process=files))
    assert Status.from_json(json.loads(json.dumps(on_spark.to_json()))) == on_spark
