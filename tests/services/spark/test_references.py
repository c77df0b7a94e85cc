"""Spark with references: they travel with the job, a new version starts the query again."""

import json
import signal
from pathlib import Path

import pytest
from tests.services.conftest import skipping
from tests.services.spark.conftest import Made
from tests.services.spark.runs import Run, on_spark

PIPELINE = """
name: limited
source: {file: {path: in.ndjson, follow: true}}
time: {field: t, grace: 0s, idle_after: 1h}
fields: {host: text, n: integer}
references:
  limits: {file: {path: limits.csv}, key: host, columns: {host: text, least: integer}}
rules:
  - record: quiet
    by: host
    window: 10s
    when: sum(n) < limits.least
    select: {n: sum(n)}
    to: [rows]
  - {alert: unknown, when: not known(limits), to: [unknown]}
outputs:
  rows: {file: {path: rows.ndjson}}
  unknown: {file: {path: unknown.ndjson}}
store: {path: store.duckdb}
"""

pytestmark = pytest.mark.timeout(900)


def send(run: Run, second: int, host: str, n: int) -> None:
    with (run.folder / "in.ndjson").open("a") as file:
        file.write(json.dumps({"t": second, "host": host, "n": n}) + "\n")


def limits(run: Run, text: str) -> None:
    fresh = run.folder / "limits.new"
    fresh.write_text(text)
    fresh.rename(run.folder / "limits.csv")


def rows(run: Run, name: str) -> list[dict[str, object]]:
    path = run.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def seen(run: Run) -> list[tuple[object, object, object]]:
    return sorted(
        (row["window"]["start"][17:19], row["host"], row["n"])  # type: ignore[index]
        for row in rows(run, "rows.ndjson")
    )


def test_limits_that_change_while_it_runs(tmp_path: Path, run: Made) -> None:
    with skipping():
        options = on_spark("local[2]")
    one = run(tmp_path / "spark", "{stdin: {}}", options)
    (one.folder / "pipeline.yaml").write_text(PIPELINE)
    limits(one, "host,least\na,5\nb,1\n")
    send(one, 1, "a", 3)
    send(one, 2, "c", 3)
    send(one, 11, "a", 7)
    one.start()
    one.until(lambda: len(rows(one, "rows.ndjson")) == 2)
    assert seen(one) == [("00", "a", 3), ("00", "b", 0)]
    limits(one, "host,least\na,9\nc,1\n")
    one.until(lambda: one.said.count("reference limits: version") == 2)
    send(one, 21, "b", 7)
    one.until(lambda: len(rows(one, "rows.ndjson")) == 4)
    # By the new version, of which b is no part any more.
    assert seen(one)[2:] == [("10", "a", 7), ("10", "c", 0)]
    versions = {str(row["references"]) for row in rows(one, "rows.ndjson")}
    assert len(versions) == 2
    one.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    one.ended()
    (one.folder / "limits.csv").unlink()
    send(one, 31, "a", 9)
    one.start()
    one.until(lambda: len(rows(one, "rows.ndjson")) == 6)
    assert seen(one)[4:] == [("20", "a", 0), ("20", "c", 0)]
    one.stop()
    unknown = [row["fields"]["host"] for row in rows(one, "unknown.ndjson")]  # type: ignore[index]
    assert unknown == ["c", "b"]
