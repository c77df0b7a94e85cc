"""The archive for workers: it runs elsewhere, and has nothing of this machine's paths."""

import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from tailrace.cli import package
from tailrace.engines.spark import packing
from tailrace.errors import PipelineError, TailraceError

PIPELINE = """\
name: p
source: {file: {path: a.log}}
time: {field: t}
fields: {a: text}
rules:
  - {alert: one, by: a, window: 1m, when: count(*) > 1}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One package is installed; the working folder is a new one."""
    (tmp_path / "installed" / "mine").mkdir(parents=True)
    (tmp_path / "installed" / "mine" / "__init__.py").write_text("WORD = 'here'\n")
    (tmp_path / "installed" / "mine.pth").write_text("/no/such/folder\n")
    monkeypatch.setattr(packing, "installed", lambda: [tmp_path / "installed"])
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "pipeline.yaml").write_text(PIPELINE)
    return work


def test_it_runs_wherever_it_is_unpacked(small: Path) -> None:
    result = CliRunner().invoke(package.command, ["pipeline.yaml"], standalone_mode=False)
    assert result.exception is None
    assert "spark-submit --master yarn" in result.stdout
    assert "p.tar.gz#environment" in result.stdout
    archive = small / "p.tar.gz"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    place = small / "another place" / "environment"
    place.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    archive.unlink()
    assert (place / "pipeline.yaml").read_text() == PIPELINE
    asked = "import mine, os, ssl, sqlite3, sys; print(mine.WORD, sys.prefix, os.__file__)"
    told = subprocess.run(
        ["./environment/bin/python", "-c", asked],
        cwd=place.parent,
        env={"PYTHONPATH": "/nowhere", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    inside = f"{place}/lib/{packing.VERSION}/os.py"
    assert told.stdout.strip() == f"here {place} {inside}"


def test_what_is_in_it() -> None:
    names = dict(packing.contents())
    site = f"lib/{packing.VERSION}/site-packages"
    for name in (
        f"bin/{packing.VERSION}",
        f"lib/{packing.VERSION}/os.py",
        f"{site}/tailrace/cli/main.py",
        f"{site}/duckdb/__init__.py",
        f"{site}/pyspark/daemon.py",
    ):
        assert names[name].is_file()
    assert not any("/pyspark/jars/" in name or "__pycache__" in name for name in names)


def test_what_spark_lacks_is_not_packed(small: Path) -> None:
    (small / "pipeline.yaml").write_text(PIPELINE + "dedup: {by: a, within: 1m}\n")
    with pytest.raises(PipelineError, match="dedup is not there on Spark"):
        package.command.main(["pipeline.yaml"], standalone_mode=False)
    assert not list(small.glob("*.tar.gz*"))


def test_where_it_cant_be_written(small: Path) -> None:
    with pytest.raises(TailraceError, match="could not be written"):
        packing.pack(small / "missing" / "p.tar.gz", PIPELINE)
