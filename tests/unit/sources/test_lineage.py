"""Anything that may happen to a log, in any order: each line is read once, in order."""

import gzip
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.sources.taking import Taking

from tailrace.sources.following import FollowedFiles


class Log(RuleBasedStateMachine):
    """A writer, logrotate and a reader that is stopped and started."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "app.log"
        self.now = 0.0
        self.number = 0
        self.written = b""
        self.read: list[bytes] = []
        self.notes: list[str] = []
        self.taking: Taking | None = None

    def reader(self) -> Taking:
        assert self.taking is not None
        return self.taking

    @initialize()
    def begin(self) -> None:
        self.write(1, 3)
        self.taking = Taking(self.source())
        self.poll(1 << 20)

    def source(self) -> FollowedFiles:
        return FollowedFiles([str(self.path)], clock=lambda: self.now)

    @rule(count=st.integers(1, 4), size=st.integers(1, 700))
    def write(self, count: int, size: int) -> None:
        for _ in range(count):
            self.append(b"%d " % self.number + b"x" * size + b"\n")
            self.number += 1

    @rule()
    def write_half_a_line(self) -> None:
        self.append(b"half of %d " % self.number)
        self.number += 1

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.written += data

    def end_the_line(self) -> None:
        if self.written and not self.written.endswith(b"\n"):
            self.append(b"\n")

    @rule(max_bytes=st.sampled_from([1, 100, 1000, 1 << 20]))
    def poll(self, max_bytes: int) -> None:
        self.reader().poll(max_bytes)

    @rule(seconds=st.sampled_from([0.1, 0.6, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.path.exists())
    @rule(create=st.booleans())
    def rotate(self, *, create: bool) -> None:
        self.end_the_line()
        self.shift()
        self.path.rename(self.folder / "app.log.1")
        if create:
            self.path.touch()

    @precondition(lambda self: self.path.exists() and self.path.stat().st_size)
    @rule()
    def copy_and_truncate(self) -> None:
        self.end_the_line()
        # A file of which nothing is known yet can't be told from its copy: it is looked at first.
        self.catch_up()
        self.write(1, 20)
        self.shift()
        shutil.copyfile(self.path, self.folder / "app.log.1")
        os.truncate(self.path, 0)

    def shift(self) -> None:
        for number in range(60, 0, -1):
            for suffix in ("", ".gz"):
                old = self.folder / f"app.log.{number}{suffix}"
                if old.exists():
                    old.rename(self.folder / f"app.log.{number + 1}{suffix}")

    @rule(number=st.integers(1, 3))
    def compress(self, number: int) -> None:
        path = self.folder / f"app.log.{number}"
        if path.exists():
            with gzip.open(f"{path}.gz", "wb") as file:
                file.write(path.read_bytes())
            path.unlink()

    @rule()
    def restart(self) -> None:
        taking = self.reader().close()
        self.read += taking.all_lines
        self.notes += taking.notes
        self.taking = Taking(self.source(), taking.resume)

    def catch_up(self) -> None:
        quiet = 0
        for _ in range(300):
            self.now += 0.7
            found = self.reader().poll()
            quiet = quiet + 1 if found.at_end and not found.chunks else 0
            if quiet == 3:
                return
        raise AssertionError(found)

    @invariant()
    def nothing_is_read_twice_or_out_of_order(self) -> None:
        if self.taking is not None:
            assert self.written.startswith(b"".join(self.read + self.taking.all_lines))

    def teardown(self) -> None:
        if self.taking is not None:
            self.end_the_line()
            self.catch_up()
            found = b"".join(self.read + self.taking.all_lines)
            assert found == self.written
            assert {*self.notes, *self.taking.notes} <= {"waiting"}
            self.taking.close()
        shutil.rmtree(self.folder)


Log.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestLog = Log.TestCase
