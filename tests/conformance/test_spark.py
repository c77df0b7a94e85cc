"""The conformance corpus on Spark: real streaming queries, many cases in each."""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tests.conformance.accounts import account
from tests.conformance.packed import SHARDS, Packed
from tests.conformance.test_corpus import by_oracle, expect, name_of
from tests.conformance.test_sharded import FITTING
from tests.conformance.variations import PIECES
from tests.servers.spark import QUICK

from tailrace.config.spark import SparkSettings
from tailrace.engines.spark.launching import launch, missing
from tailrace.engines.turns import Turns
from tailrace.testing.case import Case
from tailrace.testing.compare import differences
from tailrace.testing.outcome import WHOLE, Variation

PACK = 96
"""So many cases in one query; workers keep fewer mappers, and make them again."""

PACKS = range(0, len(FITTING), PACK)


@cache
def in_step(feed: Variation) -> list[Case]:
    """All cases, those together that stop the query (pipelines change) or take many batches.

    A query has as many batches as the longest of its cases: one event at a time some take hundreds.
    """

    def costs(case: Case) -> tuple[int, int]:
        turns = list(Turns(case, feed))
        return sum(bool(turn.plan or turn.snapshots) for turn in turns), len(turns)

    return sorted(FITTING, key=costs, reverse=True)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    problems = missing()
    if problems and os.environ.get("CI") != "true":
        pytest.skip(problems[0].message)
    folder = tmp_path_factory.mktemp("spark")
    session = launch(
        "conformance",
        SparkSettings(conf={"spark.driver.extraJavaOptions": QUICK}),
        "local[2]",
        folder=folder,
        log=folder / "spark.log",
        kafka=False,
        shards=SHARDS,
    )
    yield session
    session.stop()


def agree(packed: Packed, cases: Sequence[Case], *, seed: int, kill: float = 0.0) -> None:
    outcomes = packed.run(cases, seed=seed, kill=kill)
    wrong = []
    for case, outcome in zip(cases, outcomes, strict=True):
        expect(case, outcome)
        account(case, outcome)
        found = differences(by_oracle(case), outcome)
        wrong += [f"{name_of(case)}: {line}" for line in found]
    assert not wrong, "oracle -, spark +\n" + "\n".join(wrong)


@pytest.mark.parametrize("first", PACKS)
@pytest.mark.timeout(600)
def test_spark_agrees(spark: SparkSession, first: int, tmp_path: Path) -> None:
    agree(Packed(spark, tmp_path, (WHOLE,)), in_step(WHOLE)[first : first + PACK], seed=first)


@pytest.mark.timeout(600)
def test_spark_agrees_cut_and_killed(spark: SparkSession, tmp_path: Path) -> None:
    packed = Packed(spark, tmp_path, PIECES[1:])
    agree(packed, FITTING[::24], seed=1, kill=0.2)
    assert packed.kills


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("feed", PIECES, ids=lambda feed: str(feed.name))
@pytest.mark.parametrize("first", PACKS)
def test_spark_agrees_in_all_pieces_killed(
    spark: SparkSession, first: int, feed: Variation, tmp_path: Path
) -> None:
    cases = in_step(feed)[first : first + PACK]
    agree(Packed(spark, tmp_path, (feed,)), cases, seed=first, kill=0.1)
