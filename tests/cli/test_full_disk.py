"""A disk that is full: a clear message, and nothing lost or twice once there is room again.

The kernel's limit on the size of a file stands for the disk: writing beyond it fails in the same
places.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PIPELINE = """
name: full
source: {file: {path: in.ndjson}}
time: {field: t, grace: 0s}
fields: {k: text}
rules:
  - record: seen
    by: k
    window: 10s
    select: {n: count(*)}
    to: [rows]
outputs:
  rows: {file: {path: rows.ndjson}}
store: {path: store.duckdb}
"""
ROWS = 30_000


def run(folder: Path, limit_kib: int | None) -> subprocess.CompletedProcess[str]:
    limit = "" if limit_kib is None else f"ulimit -f {limit_kib}; "
    command = f'{limit}exec "$0" -m tailrace.cli.main run pipeline.yaml'
    return subprocess.run(
        ["bash", "-c", command, sys.executable],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("limit_kib", [150, 400, 900])
def test_the_run_ends_clearly_and_goes_on_later(tmp_path: Path, limit_kib: int) -> None:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    lines = (f'{{"t": {number // 10}, "k": "key {number % 977}"}}\n' for number in range(ROWS))
    (tmp_path / "in.ndjson").write_text("".join(lines))

    failed = run(tmp_path, limit_kib)
    assert failed.returncode in {1, 2}, failed.stderr
    assert "Traceback" not in failed.stderr
    assert "written" in failed.stderr + failed.stdout

    done = run(tmp_path, None)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "rows.ndjson").read_text().splitlines()]
    assert sum(row["n"] for row in rows) == ROWS
    assert len({(row["window"]["start"], row["k"]) for row in rows}) == len(rows)
