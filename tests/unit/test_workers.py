"""A worker of the test run that is lost, and tests that nobody ran, fail the run and are told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = "from tests.conftest import pytest_configure, pytest_xdist_make_scheduler\n"
ALL_WELL = "def test_a(): pass\ndef test_b(): pass\n"
DIES_AT_ITS_END = """
import os, pytest

@pytest.fixture(scope="session", autouse=True)
def dies():
    yield
    os._exit(0)

def test_a(): pass
"""
DIES_BETWEEN = """
import os

def test_a(): pass
def test_b(): os._exit(0)
def test_c(): pass
def test_d(): pass
"""


def run(folder: Path, text: str, *options: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:cacheprovider", *options]
    inside = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    clean = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    ended = subprocess.run(
        [*command, str(folder), "--rootdir", str(folder)],
        cwd=folder,
        env=clean | inside,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_when_all_is_well_nothing_is_told(tmp_path: Path) -> None:
    code, told = run(tmp_path, ALL_WELL)
    assert (code, "died" in told, "not run" in told) == (0, False, False)


@pytest.mark.parametrize(
    ("text", "options", "wanted"),
    [
        (DIES_AT_ITS_END, (), ["worker gw0 died"]),
        (
            DIES_BETWEEN,
            ("--max-worker-restart", "0"),
            ["worker gw0 died", "2 tests were not run:", "::test_c", "::test_d"],
        ),
    ],
)
def test_a_lost_worker_fails_the_run(
    tmp_path: Path, text: str, options: tuple[str, ...], wanted: list[str]
) -> None:
    code, told = run(tmp_path, text, *options)
    assert code == 1, told
    assert [one for one in wanted if one not in told] == [], told
