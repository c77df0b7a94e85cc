"""A checkpoint and a store that don't belong together are refused, with the way out."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.services.spark.refusals import Command, Outcome, is_clear, one_process
from tests.services.spark.runs import on_spark

PIPELINE = """
name: small
source: {file: {path: in.ndjson}}
time: {field: t, grace: 0s}
fields: {k: text}
rules:
  - {record: seen, by: k, window: 10s, select: {n: count(*)}, to: [rows]}
outputs:
  rows: {file: {path: rows.ndjson}}
store: {path: a.duckdb}
"""


@pytest.fixture
def outcome_of() -> Iterator[Callable[[Command], Outcome]]:
    with one_process() as found:
        yield found


@pytest.mark.timeout(900)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, outcome_of: Callable[[Command], Outcome]
) -> None:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    lines = (f'{{"t": {number}, "k": "k{number % 3}"}}\n' for number in range(100))
    (tmp_path / "in.ndjson").write_text("".join(lines))
    spark = on_spark("local[1]")

    def run(*options: str, store: str = "a") -> Command:
        own = ("--store", f"{store}.duckdb", "--set", f"outputs.rows.file.path={store}.ndjson")
        return Command(("run", "p.yaml", *own, *options), tmp_path)

    def at(path: str) -> tuple[str, ...]:
        return (*spark, "--set", f"spark.checkpoint={path}")

    other = tmp_path / "other"
    (other / "offsets").mkdir(parents=True)
    (other / "offsets" / "0").write_text("v1\n")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    mark = {"format": 99, "id": "x", "pipeline": "small", "store": "y", "shards": 1}
    (foreign / "tailrace.json").write_text(json.dumps(mark))
    commands = (
        run(*spark),
        run(store="embedded"),
        run(*spark, store="embedded"),
        run(*at(str(tmp_path / "a.duckdb.checkpoint")), store="b"),
        run(*at(str(tmp_path / "nothing-there"))),
        run(*at(str(other)), store="c"),
        run(*at(str(foreign)), store="d"),
        run(*spark),
        run(),
    )
    made = [outcome_of(command) for command in commands]
    assert made[0].code == 0, made[0].said
    assert made[1].code == 0, made[1].said
    is_clear(made[2], "embedded.duckdb was made by the embedded engine", "--store")
    is_clear(made[3], "belongs to another store (of pipeline small)", "b.duckdb", "--store")
    is_clear(made[4], "a.duckdb goes with a checkpoint that is not at", "spark.checkpoint")
    is_clear(made[5], "is a checkpoint, but not one of Tailrace's", "spark.checkpoint")
    is_clear(made[6], "of another version of Tailrace (format 99)")
    assert made[7].code == 0, made[7].said  # all of it was read
    is_clear(made[8], "a.duckdb was made by the Spark engine", "--engine spark")

    checkpoint = tmp_path / "a.duckdb.checkpoint"
    for folder in ("offsets", "commits"):
        newest = max((checkpoint / folder).glob("[0-9]*"), key=lambda path: int(path.name))
        newest.unlink()
        newest.with_name(f".{newest.name}.crc").unlink()
    broken = tmp_path / "a.duckdb.broken"
    shutil.copytree(checkpoint, broken)
    (broken / "tailrace.json").write_text("{")  # its checksum is another
    made = [outcome_of(run(*spark)), outcome_of(run(*at(str(broken))))]
    is_clear(made[0], "is older than", "batch", "restore both from one copy")
    is_clear(made[1], "tailrace.json can't be read", "spark.checkpoint")
