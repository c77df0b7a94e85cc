"""A `tailrace run` process that follows a log, and what it has written so far."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services.nginx.server import wait_until

PIPELINES = Path(__file__).parent
COMMAND = [sys.executable, "-m", "tailrace.cli.main"]


@dataclass(frozen=True, slots=True)
class Follower:
    """`folder` has the pipeline's store and its outputs."""

    pipeline: Path
    folder: Path
    logs: Path
    process: subprocess.Popen[bytes]

    def rows(self, output: str) -> list[dict[str, Any]]:
        """The whole rows in an output's file."""
        path = self.folder / f"{output}.ndjson"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def stop(self) -> int:
        """End as Ctrl-C or a service manager would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def status(self) -> Any:
        """What `tailrace status` says."""
        return json.loads(tailrace(self.folder, self.logs, "status", self.pipeline))


@contextmanager
def following(name: str, logs: Path, folder: Path) -> Iterator[Follower]:
    """Run the pipeline `name`.yaml on the logs, with `folder` as its current directory."""
    folder.mkdir()
    pipeline = PIPELINES / f"{name}.yaml"
    errors = (folder / "stderr.txt").open("wb")
    with (
        errors,
        subprocess.Popen(
            [*COMMAND, "run", str(pipeline)],
            cwd=folder,
            env=environment(logs),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        follower = Follower(pipeline, folder, logs, process)
        try:
            wait_until(lambda: begun(follower), 30, f"{name} to begin")
            yield follower
        finally:
            if process.poll() is None:
                process.kill()


def begun(follower: Follower) -> bool:
    if follower.process.poll() is not None:
        errors = (follower.folder / "stderr.txt").read_text()
        raise AssertionError(f"tailrace ended with {follower.process.returncode}: {errors}")
    return (follower.folder / "store.duckdb").exists()


def tailrace(folder: Path, logs: Path, verb: str, pipeline: Path, *args: str) -> str:
    """Run another verb on the same pipeline; returns what it prints as JSON."""
    command = [*COMMAND, verb, str(pipeline), "--output", "json", *args]
    done = subprocess.run(
        command, cwd=folder, env=environment(logs), capture_output=True, text=True, check=True
    )
    return done.stdout


def environment(logs: Path) -> dict[str, str]:
    return {**os.environ, "LOGS": str(logs)}
