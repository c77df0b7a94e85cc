"""What all servers have in common: they are started, asked whether they live, broken and mended."""

import os
import pwd
import shutil
import signal
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.servers.installed import ROOT, Missing
from tests.servers.ports import free_port
from tests.servers.process import Process, launch

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it have names that nobody knows
ROOM = 3 << 30
LOGS = ROOT / ".cache/logs"
"""Logs of servers that failed, or whose test did."""


class ServerFailed(Exception):  # noqa: N818 - reads as what happened
    """A server that is installed but doesn't start or answer."""


class Server(ABC):
    """A server of our own on 127.0.0.1 or, if `given` is its URL, somebody else's.

    Used as a context it is started and, at the end, removed with its data. Only one of our own
    can be stopped, killed and paused.
    """

    name: ClassVar[str]
    variable: ClassVar[str]
    """The environment variable with the URL of one that runs already."""
    usual_port: ClassVar[int]
    """Where people expect it; tests choose a free one."""
    user: ClassVar[str | None] = None
    """Whom it runs as where the tests run as root and it refuses to."""
    in_memory: ClassVar[bool] = True
    """Whether its data may lie in a file system in memory."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    START_SECONDS: ClassVar[float] = 150

    def __init__(self, *, given: str | None = None) -> None:
        self.given = given
        self._port: int | None = None
        self._folder: Path | None = None
        self._process: Process | None = None

    @classmethod
    def found(cls) -> Self:
        """Return the server that the environment names, else one of our own, not started yet."""
        return cls(given=os.environ.get(cls.variable) or None)

    # What each server says of itself

    @property
    @abstractmethod
    def own_url(self) -> str:
        """What clients connect to, if it is our own."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what it needs in `folder`, before its first start; `Missing` if not installed."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return what starts it, in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it does what clients want of it; asked by a client, in a second or two."""

    @classmethod
    def place(cls) -> Path | None:
        """Where its folder is: in memory, if that has room; None for the usual place.

        What a server wrote outlives its process there, too.
        """
        with suppress(OSError):
            if cls.in_memory and shutil.disk_usage(IN_MEMORY).free >= ROOM:
                return IN_MEMORY
        return None

    # Its life

    @property
    def url(self) -> str:
        return self.given or self.own_url

    @property
    def port(self) -> int:
        """The same one for its whole life."""
        if self._port is None:
            self._port = free_port()
        return self._port

    def choose_port(self, port: int) -> None:
        """Before its first start."""
        self._port = port

    @property
    def folder(self) -> Path:
        """Its own temporary folder, for data, settings and log."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"tailrace-{self.name}-", dir=self.place()))
            if self.runs_as is not None:
                owner = pwd.getpwnam(self.runs_as)
                os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        return self._folder

    @property
    def runs_as(self) -> str | None:
        if self.user is None or os.geteuid() != 0:
            return None
        if self.user not in {account.pw_name for account in pwd.getpwall()}:
            raise Missing(f"{self.name} does not run as root, and there is no user {self.user}")
        return self.user

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def alive(self) -> bool:
        return self.given is not None or (self._process is not None and self._process.alive)

    def start(self) -> None:
        """Start it, on the data and the port that it had; returns when it answers."""
        if self.given is None:
            if self._folder is None:
                self.prepare()
            self._close()
            self._process = launch(self.command(), self.folder, self.log, self.runs_as)
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        seconds = self.START_SECONDS if self.given is None else 10
        deadline = time.monotonic() + seconds
        while not self.answers():
            if not self.alive:
                raise ServerFailed(f"{self.name} ended; {self.last_words()}")
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"{self.name} at {self.url} does not answer; {self.last_words()}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and wait for that; its data stay."""
        process = self._running()
        process.thaw()
        process.send(self.stop_signal)
        if not process.wait(30):
            raise ServerFailed(f"{self.name} does not stop; {self.last_words()}")

    def kill(self) -> None:
        """kill -9; its data stay."""
        self._running().kill()

    def restart(self) -> None:
        """Stop it if it lives, and start it on the same data and port."""
        if self.alive:
            self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay, nobody answers."""
        self._running().freeze()

    def resume(self) -> None:
        self._running().thaw()

    def remove(self) -> None:
        """End it and delete its data; one that isn't ours stays as it is."""
        self._close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def keep_log(self, label: str) -> Path | None:
        """Copy the log to where it outlives the server, and return where."""
        if self._folder is None or not self.log.exists():
            return None
        kept = LOGS / f"{label}-{self.name}.txt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(self.log, kept))

    def last_words(self) -> str:
        """The end of its log, for an error, and where the whole of it is."""
        if (kept := self.keep_log(f"{int(time.time())}-{os.getpid()}")) is None:
            return "there is no log"
        lines = kept.read_text(errors="replace").splitlines()[-15:]
        return "\n    ".join([f"its log, {kept.relative_to(ROOT)}, ends:", *lines])

    def _running(self) -> Process:
        if self.given is not None:
            raise ServerFailed(f"{self.url} is not ours to stop ({self.variable})")
        if self._process is None or not self._process.alive:
            raise ServerFailed(f"{self.name} does not run; {self.last_words()}")
        return self._process

    def _close(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()
