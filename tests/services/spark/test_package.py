"""`tailrace package`: driver and workers run from the archive, as `spark-submit` starts them."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.servers.spark import Spark, environment, home

from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import parse_time_us

PIPELINE = """\
name: packed
source: {file: {path: INPUT}}
time: {field: "@timestamp", grace: 5s}
fields: {client_ip: text, host: text, request_time: double}
rules:
  - record: hosts
    by: host
    window: 10s
    select: {n: count(*), mean: avg(request_time), p95: "quantile(request_time, 0.95)"}
    to: [hosts]
outputs:
  hosts: {file: {path: hosts.ndjson}, rows: windows}
spark: {shards: 2, conf: {spark.executor.memory: 512m}}
"""
PYTHON = "./environment/bin/python"


def command(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        arguments, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_driver_and_workers_run_from_the_archive(tmp_path: Path) -> None:
    start = parse_time_us("2024-05-01T00:00:00Z")
    NginxTraffic(count=20_000, rate=500.0, seed=1, start_us=start).write(tmp_path / "in.log")
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "pipeline.yaml").write_text(PIPELINE.replace("INPUT", str(tmp_path / "in.log")))
    tailrace = (sys.executable, "-m", "tailrace.cli.main")
    command(here, *tailrace, "run", "pipeline.yaml")
    command(there, *tailrace, "package", "pipeline.yaml")
    with tarfile.open(there / "packed.tar.gz") as tar:
        tar.extractall(there / "environment", filter="data")
    # Nothing leads to the Python of the tests: not the path, and no variable.
    bare = {name: value for name, value in environment().items() if "PYTHON" not in name}
    bare |= {"PATH": os.defpath, "SPARK_HOME": str(home())}
    bare |= {"PYSPARK_PYTHON": PYTHON, "PYSPARK_DRIVER_PYTHON": PYTHON}
    with Spark(workers=2) as spark:
        command(
            there,
            *(str(home() / "bin/spark-submit"), "--master", spark.url),
            *("--archives", "packed.tar.gz#environment", "environment/run.py"),
            *("run", "environment/pipeline.yaml", "--store", "packed.duckdb"),
            *("--engine", "spark", "--master", spark.url),
            env=bare,
        )
    rows = [sorted((folder / "hosts.ndjson").read_text().splitlines()) for folder in (here, there)]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 100
