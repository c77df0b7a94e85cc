"""The command as users run it: a process, its lines as they come, never waited for in vain."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tailrace.engines.control.client import Client
from tailrace.engines.status import Status

PATIENCE = 120.0
"""Seconds after which something that was to happen is said not to have."""

COMMAND = (sys.executable, "-m", "tailrace.cli.main")


def environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}


def tailrace(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(
        (*COMMAND, *args),
        cwd=cwd,
        env=environment() | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


class Running:
    """A process that goes on; ``lines`` are those that it has printed on stdout so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        assert process.stdout is not None
        self._thread = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def until(self, wanted: Callable[[str], bool]) -> str:
        """Wait for a line that has not been seen yet."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                line = self._queue.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                raise AssertionError(f"it ended first:\n{self.said()}")
            self.lines.append(line)
            if wanted(line):
                return line
        raise AssertionError(f"it did not come:\n{self.said()}")

    def says(self, *words: str) -> str:
        """Wait for a line with these words."""
        return self.until(lambda line: all(word in line for word in words))

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end; its exit code, negative if a signal killed it."""
        code = self.process.wait(timeout=PATIENCE)
        self._thread.join()
        while (line := self._queue.get()) is not None:
            self.lines.append(line)
        return code

    def said(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def running(*args: str, cwd: Path, stdin: bool = False) -> Iterator[Running]:
    """A process that is killed when the test is over, if it still runs."""
    process = subprocess.Popen(
        (*COMMAND, *args),
        cwd=cwd,
        env=environment(),
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def eventually(what: Callable[[], Any]) -> Any:
    """The first true value that ``what`` gives; AssertionErrors in it are not yet failures."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            value = what()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            value = None
        if value or time.monotonic() > deadline:
            assert value
            return value
        time.sleep(0.05)


def asked(folder: Path) -> Status:
    """What the running process says of itself, asked through its socket."""
    client = Client.connect(folder / ".tailrace" / "web.duckdb")
    assert client is not None, "nobody listens"
    with client:
        return client.status()


def reload_error(folder: Path) -> str | None:
    process = asked(folder).process
    assert process is not None
    return process.reload_error
