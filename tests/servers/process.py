"""A server's process with its children: signals that reach all of them, and its end."""

import os
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GUARD = Path(__file__).parent / "guard.py"


@dataclass(slots=True)
class Process:
    """What `launch` started; `descriptor` becomes readable when it has ended."""

    guard: subprocess.Popen[bytes]
    pid: int
    descriptor: int

    @property
    def alive(self) -> bool:
        return not self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Wait for the end, and return whether it came."""
        return ended(self.descriptor, seconds)

    def code(self) -> int:
        """Return code of a process that has ended; negative is a signal."""
        assert self.guard.stdout is not None
        return int(self.guard.stdout.readline())

    def send(self, sent: signal.Signals) -> None:
        """Send a signal to the process alone."""
        if self.alive:
            os.kill(self.pid, sent)

    def freeze(self) -> list[int]:
        """Stop the process, then its children, and return all their ids."""
        self.send(signal.SIGSTOP)
        family = [self.pid, *descendants(self.pid)] if self.alive else []
        signal_each(family[1:], signal.SIGSTOP)
        return family

    def thaw(self) -> None:
        if self.alive:
            signal_each([*descendants(self.pid), self.pid], signal.SIGCONT)

    def kill(self) -> None:
        """kill -9 for the process and its children at one moment; returns when all are gone."""
        ends = [end for pid in self.freeze() if (end := end_of(pid)) is not None]
        # Frozen first: no child is born or reacts while the others are being killed.
        for descriptor in ends:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        for descriptor in ends:
            ended(descriptor, 10)
            os.close(descriptor)
        # PostgreSQL takes one that its guard has not reaped yet for a server that lives.
        deadline = time.monotonic() + 10
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.005)

    def close(self) -> None:
        """End what is left of it, and its guard."""
        self.kill()
        self.guard.terminate()
        self.guard.wait()
        if self.guard.stdout is not None:
            self.guard.stdout.close()
        os.close(self.descriptor)


def launch(command: list[str], folder: Path, log: Path, user: str | None = None) -> Process:
    """Start a server under a guard that ends it with this process.

    Its output is appended to `log`. `user`: whom it runs as, if not as whoever runs the tests.
    """
    guard = subprocess.Popen(
        [sys.executable, "-IS", GUARD, str(os.getpid()), folder, log, user or "", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert guard.stdout is not None
    told = guard.stdout.readline()
    if not told:
        raise ChildProcessError(f"could not start {command[0]}")
    pid = int(told)
    # Until the guard has reaped it, an ended process can be opened, too.
    end = end_of(pid)
    if end is None:
        raise ChildProcessError(f"{command[0]} ended at once; see {log}")
    return Process(guard, pid, end)


def ended(descriptor: int, seconds: float) -> bool:
    watched = select.poll()
    watched.register(descriptor, select.POLLIN)
    return bool(watched.poll(seconds * 1000))


def end_of(pid: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends; None if it has ended."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def signal_each(pids: list[int], sent: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sent)


def descendants(pid: int) -> list[int]:
    """Return the ids of a process's children and of theirs, parents first."""
    children = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in parentheses, may contain anything.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children[parent].append(int(stat.parent.name))
    found = children[pid]
    for child in found:
        found.extend(children[child])
    return found
