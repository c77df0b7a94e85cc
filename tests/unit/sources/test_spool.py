"""Anything that may happen to a followed folder: each line is read once."""

import gzip
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sources.taking import Taking

from tailrace.sources.folder import FolderSource

EVENTS = [
    "new",
    "late",
    "append",
    "half",
    "rotate",
    "compress",
    "remove",
    "poll",
    "time",
    "restart",
]


class Spool:
    """A folder with numbered files and one log that is rotated, and its reader."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.number = 0
        self.files = 50
        self.written: set[bytes] = set()
        self.read: list[bytes] = []
        self.notes: list[str] = []
        self.log = path / "z.log"
        self.append()
        self.taking = Taking(self.source())
        self.catch_up()

    def source(self) -> FolderSource:
        return FolderSource(str(self.path), follow=True, clock=lambda: self.now)

    def put(self, path: Path, end: str = "\n") -> None:
        with path.open("a") as file:
            line = f"{self.number} of {path.name}"
            file.write(line + end)
        self.number += 1
        self.written.add(line.encode() + b"\n")

    def new(self) -> None:
        """A complete file; spooled files come by rename."""
        self.files += 1
        hidden = self.path / ".new"
        self.put(hidden)
        hidden.rename(self.path / f"z{self.files}")

    def late(self) -> None:
        self.put(self.path / f"a{self.number}")

    def append(self) -> None:
        self.put(self.log)

    def half(self) -> None:
        self.put(self.log, end="")
        with self.log.open("a") as file:
            self.poll()
            file.write("\n")

    def rotate(self) -> None:
        for number in range(30, 0, -1):
            for suffix in ("", ".gz"):
                old = self.path / f"z.log.{number}{suffix}"
                if old.exists():
                    old.rename(self.path / f"z.log.{number + 1}{suffix}")
        if self.log.exists():
            self.log.rename(self.path / "z.log.1")

    def compress(self) -> None:
        """Long after it was written to."""
        self.catch_up()
        path = self.path / "z.log.2"
        if path.exists():
            path.with_name("z.log.2.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()

    def remove(self) -> None:
        """Somebody tidies up what was read."""
        self.catch_up()
        for path in self.path.glob("a*"):
            path.unlink()

    def poll(self) -> None:
        self.taking.poll(30)

    def time(self) -> None:
        self.now += 0.7

    def restart(self) -> None:
        self.keep()
        self.taking = Taking(self.source(), self.taking.resume)

    def keep(self) -> None:
        self.taking.close()
        self.read += self.taking.all_lines
        self.notes += self.taking.notes

    def catch_up(self) -> None:
        quiet = 0
        for _ in range(200):
            self.now += 0.7
            found = self.taking.poll()
            quiet = quiet + 1 if found.at_end and not found.chunks else 0
            if quiet == 5:
                return
        raise AssertionError(found)


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
@settings(max_examples=60, deadline=None)
def test_each_line_is_read_once(events: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        for event in events:
            getattr(spool, event)()
        spool.catch_up()
        spool.keep()
        assert len(spool.read) == len(set(spool.read))
        assert set(spool.read) == spool.written
        # A file that was removed after a part of it was read may have had more.
        removed = {"generation_lost"} if "remove" in events else set()
        assert {*spool.notes} <= {"out_of_order", "changed"} | removed
