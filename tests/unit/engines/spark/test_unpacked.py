"""PySpark is taken from where it is installed, where that is the same one."""

import os
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tailrace.engines.spark.unpacked import HOME, VERSION, home_without_archive, without_archive


def archive(folder: Path, text: str) -> str:
    path = folder / "pyspark.zip"
    with ZipFile(path, "w") as file:
        file.writestr(VERSION, text)
    return str(path)


def installed(folder: Path, text: str) -> str:
    package = folder / "installed" / "pyspark"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "version.py").write_text(text)
    return str(package.parent)


CASES = {
    "the same": ("1", "1", True),
    "another version": ("1", "2", False),
    "not installed": ("1", None, False),
    "no archive": (None, "1", False),
}


@pytest.mark.parametrize(("theirs", "ours", "left_out"), CASES.values(), ids=CASES)
def test_archives_left_out(
    tmp_path: Path, theirs: str | None, ours: str | None, *, left_out: bool
) -> None:
    others = [str(tmp_path / "py4j-0.10-src.zip"), str(tmp_path / "own.zip"), str(tmp_path)]
    path = others if theirs is None else [archive(tmp_path, theirs), *others]
    if ours is not None:
        path.append(installed(tmp_path, ours))
    found = without_archive(path)
    assert found == ([*others[1:], path[-1]] if left_out else path)


def test_an_archive_that_is_gone(tmp_path: Path) -> None:
    path = [str(tmp_path / "pyspark.zip"), installed(tmp_path, "1")]
    assert without_archive(path) == path


def test_a_home_without_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.SparkContext._gateway", None)
    for name in (HOME, "PYSPARK_GATEWAY_PORT", "PYSPARK_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    with home_without_archive(lambda: tmp_path):
        home = Path(os.environ[HOME])
        assert (home / "bin" / "spark-submit").is_file()
        assert list((home / "jars").glob("spark-core_*.jar"))
        assert not (home / "python").exists()
    assert HOME not in os.environ


@pytest.mark.parametrize(
    ("name", "value"),
    [(HOME, "/opt/spark"), ("PYSPARK_GATEWAY_PORT", "1"), ("PYSPARK_PYTHON", sys.executable + "x")],
)
def test_what_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setattr("pyspark.SparkContext._gateway", None)
    monkeypatch.delenv(HOME, raising=False)
    monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with home_without_archive(lambda: pytest.fail("no folder is needed")):
        assert os.environ == before
