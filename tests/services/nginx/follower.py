"""A `tailrace run` process that follows a log, and what it has written so far."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        return self.process.wait(120)

    def status(self) -> Any:
        """What `tailrace status` says."""
        printed = tailrace("status", self.pipeline, self.folder, self.logs, "--json")
        return json.loads(printed)


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
            wait_until(lambda: begun(follower), 120, f"{name} to begin")
            yield follower
        finally:
            if process.poll() is None:
                process.kill()


def begun(follower: Follower) -> bool:
    """Whether the process has a log open; what is rotated before that is none of its business."""
    if follower.process.poll() is not None:
        errors = (follower.folder / "stderr.txt").read_text()
        raise AssertionError(f"tailrace ended with {follower.process.returncode}: {errors}")
    files = []
    for link in Path(f"/proc/{follower.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            files.append(link.readlink())
    return any(file.parent == follower.logs for file in files)


def tailrace(verb: str, pipeline: Path, folder: Path, logs: Path, *options: str) -> str:
    """Run a verb to its end in a folder; returns what it prints."""
    done = subprocess.run(
        [*COMMAND, verb, str(pipeline), *options],
        cwd=folder,
        env=environment(logs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(logs: Path) -> dict[str, str]:
    return {**os.environ, "LOGS": str(logs)}
