"""Ctrl-C before the command line is there: no traceback, and the exit code of shells."""

import subprocess
import sys

import pytest

# Ctrl-C as a module is looked for, and as some library makes another error of it.
PROGRAM = """
import os, signal, sys

class AtImport:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                raise ImportError("it was interrupted") from None

sys.meta_path.insert(0, AtImport())
sys.argv = ["tailrace", *{words!r}]
{before}
from tailrace.__main__ import main
main()
"""


def run(name: str, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(name=name, words=words, before=before)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["tailrace.cli.main", "click", "tailrace.errors"])
def test_while_it_is_imported(name: str) -> None:
    ended = run(name, "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_in_the_background_of_a_shell_it_is_ignored() -> None:
    ended = run("click", "--version", before="signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_as_a_module_it_is_the_same_program() -> None:
    command = [sys.executable, "-m", "tailrace", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stdout.startswith("tailrace ")
