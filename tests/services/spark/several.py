"""Runs the command several times in one process: Spark's Java starts once.

Each line of standard input is a JSON object with ``args``, ``cwd`` and ``env``; for each there is a
line of standard output, an object with ``code`` and ``said``, what was printed.
"""

import io
import json
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any


def one(args: list[str], cwd: str, env: Mapping[str, str]) -> dict[str, Any]:
    from tailrace.cli.main import run

    os.chdir(cwd)
    before = dict(os.environ)
    os.environ.update(env)
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            code = run(args)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return {"code": code, "said": said.getvalue()}


def run_all() -> None:
    """Do what standard input says."""
    with os.fdopen(os.dup(1), "w") as answers:
        # What else is printed here is not an answer.
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(one(**json.loads(line))) + "\n")
            answers.flush()


if __name__ == "__main__":
    run_all()
