"""Runs the command several times in one process: Spark's Java starts once.

Standard input: a JSON list of objects with ``args``, ``cwd`` and ``env``. Standard output: a list
of objects with ``code`` and ``said``, what was printed.
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
    results = [one(**each) for each in json.loads(sys.stdin.read())]
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    run_all()
