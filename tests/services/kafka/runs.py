"""`tailrace run` as a process on a pipeline file whose outputs are topics, and what is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka


@dataclass
class Run:
    """A pipeline file in a folder of its own, with a topic for each of its outputs."""

    kafka: Kafka
    folder: Path
    topics: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def log(self) -> str:
        return (self.folder / "run.log").read_text()

    def command(self, verb: str, *options: str) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-m", "tailrace.cli.main", verb, str(self.pipeline), *options]
        with (self.folder / "run.log").open("ab") as log:
            return subprocess.Popen(
                program, stdout=log, stderr=log, cwd=self.folder, env=os.environ | self.environment
            )

    def start(self, *options: str) -> None:
        self.process = self.command("run", *options)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(120) in (0, 143), self.log[-3000:]

    def wait_for(self, output: str, count: int) -> None:
        """Until the output's topic has so many committed messages."""
        until = time.monotonic() + 120
        while len(self.kafka.values(self.topics[output])) < count:
            assert time.monotonic() < until, self.log[-3000:]
            time.sleep(0.1)

    def wait_until_open(self) -> None:
        """Until it listens beside the store, which is after its outputs were opened."""
        until = time.monotonic() + 120
        while not (self.folder / "store.duckdb.sock").exists():
            assert time.monotonic() < until, self.log[-3000:]
            time.sleep(0.05)

    def marker(self, output: str) -> str:
        """The consumer group of an output's marker."""
        groups = self.kafka.admin.list_consumer_groups().result(10).valid or []
        (found,) = (
            group.group_id
            for group in groups
            if group.group_id.startswith("tailrace-outbox.")
            and self.kafka.committed(group.group_id, self.topics[output])
        )
        return str(found)

    def finish(self, *options: str, code: int = 0) -> None:
        """Run to the end of the input."""
        done = self.command("run", "--until-end", *options)
        try:
            assert done.wait(timeout=180) == code, self.log[-3000:]
        finally:
            done.kill()
            done.wait()

    def messages(self) -> dict[str, list[str]]:
        """Committed messages by output, sorted; without early notices."""
        return {
            name: sorted(filter(None, map(without_chance, self.kafka.values(topic))))
            for name, topic in self.topics.items()
        }


def without_chance(value: bytes | None) -> str:
    """A row without what is outside the promise: nothing for an early notice."""
    row = json.loads(value or b"")
    if row.get("state") == "notice":
        return ""
    row.pop("notices", None)
    return json.dumps(row)
