"""Folders: files in order as one partition."""

import gzip
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sources.taking import Taking, take_all

from tailrace.errors import SourceError
from tailrace.sources.folder import FolderSource


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Folder:
    """A folder and a source that follows it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.taking: Taking | None = None

    def put(self, name: str, text: str) -> Path:
        path = self.path / name
        path.write_text(text)
        return path

    def add(self, name: str, text: str) -> None:
        with (self.path / name).open("a") as file:
            file.write(text)

    def start(self, taking: Taking | None = None) -> Taking:
        source = FolderSource(str(self.path), follow=True, clock=self.clock)
        self.taking = Taking(source, taking.resume if taking else None)
        return self.settle()

    def settle(self) -> Taking:
        assert self.taking is not None
        for _ in range(4):
            self.taking.poll()
            self.clock.now += 3
        return self.taking.to_end()

    @property
    def text(self) -> str:
        assert self.taking is not None
        return b"".join(self.taking.all_lines).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    if folder.taking:
        folder.taking.close()


ORDERS = {
    "natural": ["part-1", "part-2", "part-10"],
    "numbered rotations": ["access.log.10.gz", "access.log.2.gz", "access.log.1", "access.log"],
    "dated rotations": ["a.log-20231231", "a.log-20240101.gz", "a.log"],
    "several names": ["a.log.2", "a.log.1", "a.log", "b.log.1", "b.log"],
    "dates as names": ["2024-01-02.log", "2024-01-10.log", "2024-11-01.log"],
}


@pytest.mark.parametrize("names", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("max_bytes", [1, 7, 1 << 20])
def test_order(tmp_path: Path, names: list[str], max_bytes: int) -> None:
    for name in random.Random(1).sample(names, len(names)):
        data = f"{name} 1\n{name} 2\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    taking = take_all(FolderSource(str(tmp_path)), max_bytes=max_bytes)
    expected = [f"{name} {number}\n".encode() for name in names for number in (1, 2)]
    assert taking.all_lines == expected
    assert taking.appeared == taking.ended == [str(tmp_path)]
    assert [at[0] for at in taking.places[str(tmp_path)]] == [
        generation for generation in range(len(names)) for _ in (1, 2)
    ]


def test_pattern_and_names_passed_over(tmp_path: Path) -> None:
    for name in ("a.json", "b.txt", ".c.json", "d.json.tmp", "e.json~", "f.json"):
        (tmp_path / name).write_text(name + "\n")
    (tmp_path / "g.json").mkdir()
    for pattern, expected in [("*", "a b f"), ("*.json", "a f"), ("?.txt", "b")]:
        lines = take_all(FolderSource(str(tmp_path), pattern=pattern)).all_lines
        assert [line.decode()[0] for line in lines] == expected.split()


def test_last_lines_without_an_end_are_records(tmp_path: Path) -> None:
    for name, text in [("1", "one"), ("2", ""), ("3", "two\nthree")]:
        (tmp_path / name).write_text(text)
    taking = take_all(FolderSource(str(tmp_path)))
    assert taking.all_lines == [b"one", b"two\n", b"three"]


def test_until_end_leaves_the_last_half_line(tmp_path: Path) -> None:
    for name, text in [("1", "one"), ("2", "two\nthree")]:
        (tmp_path / name).write_text(text)
    source = FolderSource(str(tmp_path), follow=True, until_end=True)
    taking = Taking(source)
    (tmp_path / "3").write_text("later\n")
    taking.to_end().close()
    assert source.bounded
    assert taking.all_lines == [b"one", b"two\n"]
    assert taking.ended == [str(tmp_path)]
    again = take_all(FolderSource(str(tmp_path), follow=True, until_end=True), taking.resume)
    assert again.all_lines == [b"three", b"later\n"]


def test_resumed_at_every_record(tmp_path: Path) -> None:
    names = ["a.1", "a", "b", "c.gz"]
    for name in names:
        data = "".join(f"{name} {number}\n" for number in range(7)).encode() + b"end"
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    whole = take_all(FolderSource(str(tmp_path)), max_bytes=1)
    assert len(whole.slices) == len(whole.all_lines) == 32
    for count, piece in enumerate(whole.slices, 1):
        rest = take_all(FolderSource(str(tmp_path)), {str(tmp_path): piece.resume})
        assert rest.all_lines == whole.all_lines[count:]
        assert rest.places.get(str(tmp_path), []) == whole.places[str(tmp_path)][count:]


def test_a_new_name_before_those_read_is_appended_and_counted(tmp_path: Path) -> None:
    for name in "bd":
        (tmp_path / name).write_text(name + "\n")
    taking = take_all(FolderSource(str(tmp_path)))
    for name in "ace":
        (tmp_path / name).write_text(name + "\n")
    again = take_all(FolderSource(str(tmp_path)), taking.resume)
    assert b"".join(again.all_lines) == b"e\na\nc\n"
    assert again.notes == ["out_of_order"]
    third = take_all(FolderSource(str(tmp_path)), again.resume)
    assert (third.all_lines, third.notes) == ([], [])


CHANGES = {
    "grown": ("one\nmore\n", "has grown by 5 bytes"),
    "overwritten": ("xxx\nyy\n", "has other contents"),
    "truncated": ("o\n", "has other contents"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_a_finished_file_that_changed_is_refused(tmp_path: Path, change: str, message: str) -> None:
    for name, text in [("1", "one\n"), ("2", "two\n")]:
        (tmp_path / name).write_text(text)
    taking = take_all(FolderSource(str(tmp_path)))
    (tmp_path / "1").write_text(change)
    with pytest.raises(SourceError, match=message) as caught:
        FolderSource(str(tmp_path)).open(taking.resume)
    assert "follow: true" in caught.value.render()
    followed = FolderSource(str(tmp_path), follow=True, until_end=True)
    assert "changed" in take_all(followed, taking.resume, rereads=False).notes


def test_the_last_file_that_grew_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("one\n")
    taking = take_all(FolderSource(str(tmp_path)))
    (tmp_path / "1").write_text("one\nmore\n")
    with pytest.raises(SourceError, match="has grown to 9"):
        FolderSource(str(tmp_path)).open(taking.resume)


def test_read_files_may_go(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name + "\n")
    taking = take_all(FolderSource(str(tmp_path)))
    (tmp_path / "a").unlink()
    (tmp_path / "d").write_text("d\n")
    assert take_all(FolderSource(str(tmp_path)), taking.resume).all_lines == [b"d\n"]


@pytest.mark.parametrize("follow", [False, True])
def test_a_folder_that_is_none(tmp_path: Path, *, follow: bool) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="is a file, not a folder"):
        FolderSource(str(tmp_path / "file"), follow=follow).open({})
    missing = FolderSource(str(tmp_path / "spol"), follow=follow)
    if follow:
        missing.open({})
        assert [note.code for note in missing.poll(1, {}).notes] == ["waiting"]
    else:
        with pytest.raises(SourceError, match="spol") as caught:
            missing.open({})
        assert "did you mean" in caught.value.render()


def test_an_empty_folder_ends(tmp_path: Path) -> None:
    taking = take_all(FolderSource(str(tmp_path)))
    assert (taking.all_lines, taking.notes, taking.ended) == ([], ["empty"], [str(tmp_path)])


def test_followed_new_files_and_growth(folder: Folder) -> None:
    folder.put("1", "a\n")
    folder.start()
    folder.add("1", "b\nhal")
    folder.settle()
    assert folder.text == "a\nb\n"
    folder.add("1", "f\n")
    folder.settle()
    folder.put("3", "d\n")
    folder.settle()
    folder.put("2", "late\n")
    folder.put("10", "e\n")
    taking = folder.settle()
    assert folder.text == "a\nb\nhalf\nd\ne\nlate\n"
    assert taking.notes == ["half_line", "out_of_order"]


def test_followed_half_line_is_a_record_once_there_is_a_next_file(folder: Folder) -> None:
    folder.put("1", "a\nhalf")
    folder.start()
    assert folder.text == "a\n"
    folder.put("2", "")
    folder.settle()
    folder.add("1", ", whole")  # the next one is empty yet: its writer may not have changed over
    folder.settle()
    assert folder.text == "a\n"
    folder.add("2", "b\n")
    folder.settle()
    assert folder.text == "a\nhalf, wholeb\n"


def test_followed_rotations(folder: Folder) -> None:
    folder.put("a.log", "1\n")
    folder.start()
    for number in range(2, 6):
        folder.add("a.log", f"{number}\n")
        for old in range(number, 0, -1):
            for suffix in ("", ".gz"):
                path = folder.path / f"a.log.{old}{suffix}"
                if path.exists():
                    path.rename(folder.path / f"a.log.{old + 1}{suffix}")
        (folder.path / "a.log").rename(folder.path / "a.log.1")
        second = folder.path / "a.log.2"
        if second.exists():
            second.with_name("a.log.2.gz").write_bytes(gzip.compress(second.read_bytes()))
            second.unlink()
        folder.put("a.log", "")
        folder.settle()
        folder.add("a.log", f"new {number}\n")
        taking = folder.settle()
    assert folder.text == "1\n" + "".join(f"{number}\nnew {number}\n" for number in range(2, 6))
    assert taking.notes == []
    again = folder.start(taking)
    assert (again.all_lines, again.notes) == ([], [])


@pytest.mark.parametrize("copied", [True, False])
def test_followed_truncation(folder: Folder, *, copied: bool) -> None:
    folder.put("a.log", "1\n2\n")
    folder.start()
    folder.add("a.log", "3\n")
    if copied:
        folder.put("a.log.1", (folder.path / "a.log").read_text())
    os.truncate(folder.path / "a.log", 0)
    folder.settle()
    folder.add("a.log", "4\n")
    taking = folder.settle()
    assert folder.text == ("1\n2\n3\n4\n" if copied else "1\n2\n4\n")
    assert taking.notes == ([] if copied else ["truncated"])


def test_followed_growth_of_a_file_that_was_left_is_read_on(folder: Folder) -> None:
    folder.put("1", "a\n")
    folder.put("2", "b\n")
    folder.start()
    folder.add("1", "too late\n")
    taking = folder.settle()
    assert folder.text == "a\nb\ntoo late\n"
    assert taking.notes == ["changed"]
    folder.add("2", "c\n")
    again = folder.start(folder.settle())
    assert folder.text == ""
    folder.add("1", "d\n")
    folder.settle()
    assert folder.text == "d\n"
    assert again.notes == ["changed"]


def test_followed_files_that_never_rest_take_turns(folder: Folder) -> None:
    folder.put("1", "")
    folder.start()
    taking = folder.settle()
    for number in range(100):
        for name in "12":
            folder.add(name, f"{name} {number}\n")
        taking.poll()
        folder.clock.now += 0.1
    for name in "12":
        assert len([line for line in taking.all_lines if line.decode()[0] == name]) > 20
    folder.settle()
    assert len(taking.all_lines) == 200


def test_many_files(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"{number}.log").write_text(f"{number}\n")
    taking = take_all(FolderSource(str(tmp_path), follow=True, until_end=True), rereads=False)
    assert taking.all_lines == [b"%d\n" % number for number in range(500)]
    assert taking.polls < 10
    again = take_all(FolderSource(str(tmp_path)), taking.resume)
    assert (again.all_lines, again.notes) == ([], [])


def test_a_last_line_that_is_never_ended_is_told_once(folder: Folder) -> None:
    folder.put("a-1.json", '[{"t": 1},\n{"t": 2}]')
    taking = folder.start()
    folder.settle()
    assert (folder.text, taking.notes) == ('[{"t": 1},\n', ["half_line"])
    folder.put("a-2.json", '[{"t": 3}]\n')
    folder.settle()
    assert folder.text == '[{"t": 1},\n{"t": 2}][{"t": 3}]\n'
    assert taking.notes == ["half_line"]
