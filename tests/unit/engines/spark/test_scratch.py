"""What dead runs left on the driver's machine is taken back, and nothing else."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tailrace.engines.spark.scratch import scratch_folder


def test_folders_of_dead_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {
        f"tailrace-spark-{ended.pid}-a": False,
        f"tailrace-spark-{os.getpid()}-b": True,
        "tailrace-spark-other": True,
        f"spark-{ended.pid}-c": True,
    }
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    mine = scratch_folder()
    assert mine.is_dir()
    assert {name: (tmp_path / name).exists() for name in names} == names
