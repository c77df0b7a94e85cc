"""A pipeline that runs in a process of its own, with its outputs and store in a folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Running:
    """`tailrace run` in `folder`, started and ended as often as a test wants."""

    folder: Path
    text: str
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "p.yaml").write_text(self.text)

    def start(self, *options: str) -> None:
        self.process = self._launch(*options)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def finish(self) -> None:
        """Run to the end of what there is."""
        assert self._launch("--until-end").wait(200) == 0, self.log

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "run.log").read_text()[-3000:]

    def rows(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()]

    def eventually(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for it while the process, if there is one, runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process is None or self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.03)

    def _launch(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tailrace.cli.main", "run", "p.yaml", *options]
        with (self.folder / "run.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
