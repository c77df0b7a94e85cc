"""Commands that are to be refused, run one after the other in one process, and what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from tests.servers.spark import environment

SEVERAL = Path(__file__).parent / "several.py"


@dataclass(frozen=True)
class Command:
    args: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    code: int
    said: str


def outcomes(commands: Sequence[Command]) -> list[Outcome]:
    with one_process() as outcome_of:
        return [outcome_of(command) for command in commands]


@contextmanager
def one_process() -> Iterator[Callable[[Command], Outcome]]:
    """A function that runs commands, all in one process, which ends afterwards."""
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, str(SEVERAL)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(),
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def outcome_of(command: Command) -> Outcome:
            body = {"args": list(command.args), "cwd": str(command.cwd), "env": dict(command.env)}
            print(json.dumps(body), file=asked, flush=True)
            answer = answers.readline()
            if not answer:
                errors.seek(0)
                pytest.fail(f"the process has ended: {errors.read()[-3000:]!r}")
            return Outcome(**json.loads(answer))

        try:
            yield outcome_of
        except BaseException:
            process.kill()
            raise
        asked.close()
        assert process.wait(60) == 0


def is_clear(outcome: Outcome, *words: str) -> None:
    """Assert that a mistake is told in a few lines, with a hint, and nobody's stack."""
    said = outcome.said
    assert outcome.code == 2, said
    assert said.count("tailrace: ") == 1, said
    for word in words:
        assert word in said, said
    assert "Hint: " in said, said
    assert "Traceback" not in said, said
    assert not re.search(
        r"^\s*at [\w$.]+\(|\b(?:org|java|scala)\.[\w.]+(?:Exception|Error)", said, re.MULTILINE
    ), said
    assert len(said.splitlines()) <= 6, said
    assert max(map(len, said.splitlines())) <= 400, said
