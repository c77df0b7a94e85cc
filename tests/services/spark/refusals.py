"""Commands that are to be refused, run one after the other in one process, and what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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


def outcomes(commands: Sequence[Command], seconds: float = 500) -> list[Outcome]:
    asked = [
        {"args": list(each.args), "cwd": str(each.cwd), "env": dict(each.env)} for each in commands
    ]
    done = subprocess.run(
        [sys.executable, str(SEVERAL)],
        input=json.dumps(asked),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [Outcome(**each) for each in json.loads(done.stdout)]


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
