"""Followed files: what ``tail -F`` would show, each line once."""

import gzip
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from tests.unit.sources.taking import Taking, take_all

from tailrace.errors import SourceError
from tailrace.sources.following import FollowedFiles


class Clock:
    """Monotonic seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class World:
    """A log and what happens to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "access.log"
        self.clock = Clock()
        self.number = 0
        self.written: list[bytes] = []
        self.taking: Taking | None = None

    def write(self, count: int = 1, path: Path | None = None) -> None:
        with (path or self.path).open("ab") as file:
            for _ in range(count):
                line = b"line %d\n" % self.number
                self.number += 1
                self.written.append(line)
                file.write(line)

    def rotate(self) -> None:
        """Rename as logrotate does: .1 becomes .2, the log becomes .1."""
        numbers = [int(path.suffixes[1][1:]) for path in self.folder.glob("access.log.*")]
        for number in sorted(numbers, reverse=True):
            for suffix in ("", ".gz", ".zst"):
                old = self.folder / f"access.log.{number}{suffix}"
                if old.exists():
                    old.rename(self.folder / f"access.log.{number + 1}{suffix}")
        self.path.rename(self.folder / "access.log.1")

    def copytruncate(self) -> None:
        for number in range(8, 0, -1):
            old = self.folder / f"access.log.{number}"
            if old.exists():
                old.rename(self.folder / f"access.log.{number + 1}")
        shutil.copyfile(self.path, self.folder / "access.log.1")
        os.truncate(self.path, 0)

    def compress(self, number: int, how: str = "gzip") -> None:
        plain = self.folder / f"access.log.{number}"
        data = plain.read_bytes()
        if how == "gzip":
            plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(data))
        else:
            plain.with_name(plain.name + ".zst").write_bytes(zstandard.compress(data))
        plain.unlink()

    def start(self, taking: Taking | None = None) -> Taking:
        """Start, from the begin or from where another one came."""
        source = FollowedFiles([str(self.path)], clock=self.clock)
        self.taking = Taking(source, taking.resume if taking else None)
        return self.taking

    def settle(self) -> None:
        assert self.taking is not None
        for _ in range(3):
            self.taking.poll()
            self.clock.now += 1
        self.taking.to_end()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    if world.taking:
        world.taking.close()


def test_grows(world: World) -> None:
    world.write(3)
    taking = world.start().to_end()
    for count in (1, 0, 5, 1):
        world.write(count)
        taking.to_end()
        assert taking.all_lines == world.written
    assert taking.notes == []


def test_half_written_line_waits_for_its_end(world: World) -> None:
    world.write(1)
    taking = world.start().to_end()
    for part, count in [(b"ha", 1), (b"lf", 1), (b"\nnext", 2), (b"\n", 3), (b"x\n", 4)]:
        with world.path.open("ab") as file:
            file.write(part)
        taking.to_end()
        assert len(taking.all_lines) == count
    assert taking.all_lines[1:] == [b"half\n", b"next\n", b"x\n"]


def test_appears_later_and_says_once_that_it_waits(world: World) -> None:
    taking = world.start()
    for _ in range(3):
        found = taking.poll()
        assert found.appeared == found.at_end == ()
    assert taking.notes == ["waiting"]
    world.write(2)
    taking.to_end()
    assert taking.appeared == [str(world.path)]
    assert taking.all_lines == world.written


def test_vanishes_and_returns(world: World) -> None:
    world.write(2)
    taking = world.start().to_end()
    world.path.rename(world.folder / "elsewhere")
    assert taking.poll().at_end == (str(world.path),)
    world.write(3)
    world.settle()
    assert taking.all_lines == world.written
    assert taking.places[str(world.path)][2] == (1, 0)


def test_removed_and_written_anew(world: World) -> None:
    world.write(2)
    taking = world.start().to_end()
    world.path.unlink()
    world.write(3)
    world.settle()
    assert taking.all_lines == world.written


ROTATIONS: dict[str, Callable[[World], None]] = {
    "rename": World.rotate,
    "copy and truncate": World.copytruncate,
}


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS)
def test_rotations_while_followed(world: World, rotate: Callable[[World], None]) -> None:
    taking = world.start()
    for _ in range(4):
        world.write(3)
        taking.poll()
        world.write(2)  # not read yet when it is rotated
        rotate(world)
        taking.poll()
        world.write(1)
        world.settle()
        assert taking.all_lines == world.written
    assert taking.notes in ([], ["waiting"])
    assert len({generation for generation, _at in taking.places[str(world.path)]}) == 5


def test_several_renames_between_two_polls(world: World) -> None:
    world.write(2)
    taking = world.start().to_end()
    for _ in range(3):
        world.write(2)
        world.rotate()
    world.write(1)
    world.settle()
    assert taking.all_lines == world.written
    assert [at[0] for at in taking.places[str(world.path)]] == [0, 0, 0, 0, 1, 1, 2, 2, 3]


def test_a_renamed_file_is_read_on_while_its_writer_goes_on(world: World) -> None:
    world.write(2)
    taking = world.start().to_end()
    old = world.folder / "access.log.1"
    world.rotate()
    for _ in range(3):
        world.write(1, old)
        taking.poll()
        world.clock.now += 0.3
    world.path.touch()
    world.clock.now += 9
    assert taking.poll().at_end == (str(world.path),)
    world.write(1, old)
    taking.poll()
    world.write(2)
    taking.poll()
    world.write(1, old)  # one writer was late in changing over
    world.clock.now += 0.3
    taking.poll()
    world.settle()
    assert sorted(taking.all_lines) == sorted(world.written)
    assert taking.notes == []
    world.write(1, old)  # and one never did
    world.clock.now += 2
    taking.poll()
    assert taking.notes == ["written_after_rotation"]


def test_the_unterminated_last_line_of_a_rotated_file_is_a_record(world: World) -> None:
    world.path.write_bytes(b"one\ntwo")
    taking = world.start().to_end()
    assert taking.all_lines == [b"one\n"]
    world.rotate()
    world.path.write_bytes(b"three\n")
    world.settle()
    assert taking.all_lines == [b"one\n", b"two", b"three\n"]


def test_a_line_that_is_never_ended_is_told_once(world: World) -> None:
    """An array whose writer ended it with a bracket alone, say: nobody shall wait unaware."""
    world.path.write_bytes(b'[{"t": 1},\n{"t": 2}]')
    taking = world.start().to_end()
    for _ in range(30):
        world.clock.now += 1
        taking.poll()
    assert taking.notes == ["half_line"]
    with world.path.open("ab") as file:
        file.write(b"\n")
    taking.to_end()
    world.clock.now += 60
    taking.poll()
    assert taking.all_lines[-1] == b'{"t": 2}]\n'
    assert taking.notes == ["half_line"]


@pytest.mark.parametrize("longer", [False, True])
def test_truncation_without_a_copy_is_a_gap(world: World, *, longer: bool) -> None:
    world.path.write_bytes(b"one\ntwo\nbegun")
    taking = world.start().to_end()
    new = b"three\nfour, longer than all before\n" if longer else b"3\n"
    world.path.write_bytes(new)
    world.settle()
    assert b"".join(taking.all_lines) == b"one\ntwo\n" + new
    assert taking.notes == ["truncated"]
    assert "a line of which 5 bytes were read" in taking.texts[0]
    assert taking.places[str(world.path)][2][0] == 1


def test_overwritten_within_a_line_begun(world: World) -> None:
    world.path.write_bytes(b"abc")
    taking = world.start().to_end()
    world.path.write_bytes(b"xyz, not abc\n")
    world.settle()
    assert taking.all_lines == [b"xyz, not abc\n"]
    assert taking.notes == ["truncated"]


def test_a_path_that_becomes_unreadable_kind_waits(world: World) -> None:
    world.write(2)
    taking = world.start().to_end()
    world.path.unlink()
    world.path.mkdir()
    for _ in range(3):
        taking.poll()
        world.clock.now += 1
    world.path.rmdir()
    world.write(1)
    world.settle()
    assert taking.all_lines == world.written


def does(*steps: str) -> Callable[[World], None]:
    """What happens: ``3`` writes lines, ``gzip 1`` and ``zstd 2`` compress rotated files."""

    def happen(world: World) -> None:
        for step in steps:
            word, _, number = step.partition(" ")
            match word:
                case "rename":
                    world.rotate()
                case "copy":
                    world.copytruncate()
                case "gzip" | "zstd":
                    world.compress(int(number), word)
                case _:
                    world.write(int(word))

    return happen


DOWNTIMES = {
    "nothing": does(),
    "written": does("3"),
    "renamed": does("2", "rename"),
    "renamed, new file": does("2", "rename", "2"),
    "renamed twice": does("2", "rename", "2", "rename", "2"),
    "renamed twice at once": does("2", "rename", "2", "rename"),
    "renamed and compressed": does("2", "rename", "gzip 1", "2"),
    "renamed thrice, older ones compressed": does(
        "2", "rename", "1", "rename", "gzip 2", "3", "rename", "zstd 2", "1"
    ),
    "copied and truncated": does("2", "copy", "2"),
    "copied, truncated, compressed": does("2", "copy", "gzip 1", "9"),
    "copied and truncated twice": does("2", "copy", "2", "copy", "2"),
}


@pytest.mark.parametrize("downtime", DOWNTIMES.values(), ids=DOWNTIMES)
@pytest.mark.parametrize("before", [1, 200])
def test_resumed_after_downtime(
    world: World, downtime: Callable[[World], None], before: int
) -> None:
    """With one line (a head that is still short) and with more than a head."""
    world.write(before)
    first = world.start().to_end().close()
    downtime(world)
    second = world.start(first)
    world.settle()
    assert first.all_lines + second.all_lines == world.written
    assert [note for note in second.notes if note != "waiting"] == []


@pytest.mark.parametrize("downtime", DOWNTIMES.values(), ids=DOWNTIMES)
def test_resumed_at_every_record(world: World, downtime: Callable[[World], None]) -> None:
    world.write(150)
    first = world.start()
    first.to_end(1).close()
    at_records = [piece.resume for piece in first.slices]
    assert len(at_records) == 150
    downtime(world)
    for count, resume in enumerate(at_records, 1):
        if 5 < count < 145 and count % 9:
            continue
        source = FollowedFiles([str(world.path)], until_end=True)
        second = take_all(source, {str(world.path): resume})
        assert second.all_lines == world.written[count:]


def test_resumed_when_nothing_is_found(world: World) -> None:
    world.write(100)
    first = world.start().to_end().close()
    world.path.unlink()
    world.path.write_bytes(b"other\n")
    second = world.start(first)
    world.settle()
    assert second.all_lines == [b"other\n"]
    assert second.notes == ["generation_lost"]
    assert second.slices[0].generation == 1


def test_inode_reuse_is_no_identity(world: World) -> None:
    world.write(100)
    first = world.start().to_end().close()
    inode = world.path.stat().st_ino
    with world.path.open("r+b") as file:  # the same inode for certain
        file.truncate(0)
        file.write(b"z" * 5000 + b"\n")
    assert world.path.stat().st_ino == inode
    second = world.start(first)
    world.settle()
    assert second.all_lines == [b"z" * 5000 + b"\n"]
    assert second.notes == ["generation_lost"]


def test_a_file_with_the_same_header_is_another(world: World) -> None:
    world.path.write_bytes(b"a,b,c\n")
    first = world.start().to_end().close()
    with world.path.open("ab") as file:
        file.write(b"1,2,3\n")
    world.rotate()
    world.path.write_bytes(b"a,b,c\n4,5,6\n")
    second = world.start(first)
    world.settle()
    assert second.all_lines == [b"1,2,3\n", b"a,b,c\n", b"4,5,6\n"]


def test_reread_follows_the_rotations(world: World) -> None:
    world.write(50)
    taking = world.start().to_end()
    world.rotate()
    world.write(50)
    world.settle()
    world.copytruncate()
    world.compress(2)
    for piece in taking.slices:
        assert len(taking.source.reread(piece)) == 50


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS)
def test_rotations_under_a_writer(tmp_path: Path, rotate: Callable[[World], None]) -> None:
    """A writer that waits only for the first lines of each file to be read before it goes on."""
    world = World(tmp_path)
    world.path.touch()
    rounds = 12
    seen = threading.Semaphore(0)

    def writer() -> None:
        for _ in range(rounds):
            world.write(5)
            assert seen.acquire(timeout=120)
            for _ in range(20):
                world.write(25)
            rotate(world)
        world.write(5)

    source = FollowedFiles([str(world.path)], settle_seconds=0.02)
    taking = Taking(source, rereads=False)
    thread = threading.Thread(target=writer)
    thread.start()
    for number in range(rounds):
        wanted = 505 * number + 1
        while len(taking.all_lines) < wanted:
            taking.until(lambda found: bool(found.chunks), 4096)
        seen.release()
    thread.join()
    taking.until(lambda _found: len(taking.all_lines) >= len(world.written), 4096).close()
    assert taking.all_lines == world.written
    assert {*taking.notes} <= {"waiting"}


def test_until_end_leaves_what_comes_later_and_the_half_line(world: World) -> None:
    world.write(5)
    with world.path.open("ab") as file:
        file.write(b"half")
    source = FollowedFiles([str(world.path)], until_end=True)
    taking = Taking(source)
    with world.path.open("ab") as file:
        file.write(b" is whole\nlater\n")
    taking.to_end()
    assert source.bounded
    assert taking.ended == [str(world.path)]
    assert taking.all_lines == world.written
    assert source.totals() == (world.path.stat().st_size - len(b" is whole\nlater\n"),) * 2
    taking.close()
    again = take_all(FollowedFiles([str(world.path)], until_end=True), taking.resume)
    assert again.all_lines == [b"half is whole\n", b"later\n"]


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS)
def test_until_end_and_a_rotation_meanwhile(world: World, rotate: Callable[[World], None]) -> None:
    world.write(50)
    taking = Taking(FollowedFiles([str(world.path)], until_end=True))
    taking.poll(64)
    wanted = list(world.written)
    world.write(7)
    rotate(world)
    world.write(3)
    taking.to_end(64).close()
    assert taking.all_lines == wanted
    assert taking.ended == [str(world.path)]


def test_until_end_what_can_not_be_read_is_an_error(world: World) -> None:
    world.write(3)
    source = FollowedFiles([str(world.path)], until_end=True)
    source.open({})
    world.path.unlink()
    world.path.mkdir()
    with pytest.raises(SourceError, match="is a folder"):
        source.poll(1 << 20, {})


def test_until_end_without_a_file(world: World) -> None:
    taking = Taking(FollowedFiles([str(world.path)], until_end=True))
    found = taking.poll()
    assert found.chunks == ()
    taking.close()
