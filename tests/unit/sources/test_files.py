"""Files that are read once, and what is said when they can't be."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.unit.sources.taking import Taking, lines, take_all

from tailrace.errors import SourceError
from tailrace.sources.archives import archive_kind
from tailrace.sources.files import FinishedFiles
from tailrace.sources.following import FollowedFiles
from tailrace.sources.types import Source


def source(*paths: Path | str, follow: bool = False, fields: str | None = None) -> Source:
    texts = [str(path) for path in paths]
    if follow:
        return FollowedFiles(texts, fields=fields)
    return FinishedFiles(texts, fields=fields)


def open_descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@given(st.binary(max_size=300), st.integers(1, 400), st.integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_contents_in_any_pieces(
    tmp_path: Path, data: bytes, max_bytes: int, resumed: int
) -> None:
    assume(archive_kind(data) is None)
    path = tmp_path / "log"
    path.write_bytes(data)
    *ended, last = data.split(b"\n")
    expected = [line + b"\n" for line in ended] + ([last] if last else [])
    whole = take_all(source(path), max_bytes=max_bytes)
    assert whole.all_lines == expected
    assert whole.ended == [str(path)]
    for piece in whole.slices[::resumed]:
        rest = take_all(source(path), {str(path): piece.resume}, max_bytes)
        assert b"".join(rest.all_lines) == data[piece.end :]


def test_many_files_and_patterns(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.txt", "sub/d.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name + "\n")
    taking = take_all(source(tmp_path / "*.log", tmp_path / "**/d.log", tmp_path / "b.log"))
    assert taking.lines == {
        str(tmp_path / name): [name.encode() + b"\n"] for name in ("a.log", "b.log", "sub/d.log")
    }
    assert sorted(taking.ended) == sorted(taking.lines)


def test_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1].log").write_text("x\n")
    assert take_all(source(tmp_path / "a[1].log")).all_lines == [b"x\n"]


def test_relative_paths_are_named_absolutely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.log").write_text("x\n")
    monkeypatch.chdir(tmp_path)
    assert take_all(source("a.log")).appeared == [str(tmp_path / "a.log")]


def test_fields_from_the_path(tmp_path: Path) -> None:
    for host in ("one", "two"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "access.log").write_text("x\n")
    fields = r"/(?P<host>[^/]+)/(?P<kind>access|error)\.(?P<missing>zip)?"
    taking = take_all(source(tmp_path / "*/access.log", fields=fields))
    assert [piece.fields for piece in taking.slices] == [
        {"host": "one", "kind": "access"},
        {"host": "two", "kind": "access"},
    ]
    with pytest.raises(SourceError, match="does not match `fields`"):
        source(tmp_path / "*/access.log", fields="(?P<a>nothing)").open({})


@pytest.mark.parametrize("follow", [False, True])
def test_names_that_are_no_utf8(tmp_path: Path, *, follow: bool) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 \\x41.log")
    path.write_bytes(b"x\ny\n")
    taking = take_all(source(tmp_path / "*.log", follow=follow), max_bytes=2)
    assert taking.appeared == [str(tmp_path / "caf\\xe9 \\x41.log")]
    json.dumps(taking.resume).encode()
    assert taking.all_lines == [b"x\n", b"y\n"]
    assert lines(source(follow=follow).reread(taking.slices[0])) == [b"x\n"]


def test_an_empty_file_ends(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    taking = take_all(source(tmp_path / "a"))
    assert (taking.all_lines, taking.ended) == ([], [str(tmp_path / "a")])


def test_a_longer_line_than_allowed_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a\n" + b"x" * 5000 + b"\nb\n" + b"y" * 11)
    taking = Taking(FinishedFiles([str(tmp_path / "a")], max_record_bytes=10))
    flags: list[bool] = []
    while not taking.ended:
        for chunk in taking.poll(100).chunks:
            oversize = chunk.records.oversize
            flags += [False] * len(chunk.records) if oversize is None else oversize.tolist()
    assert taking.all_lines == [b"a\n", b"x" * 10, b"b\n", b"y" * 10]
    assert flags == [False, True, False, True]
    assert [at[1] for at in taking.places[str(tmp_path / "a")]] == [0, 2, 5003, 5005]


REFUSED = {
    "missing": ("acess.log", "there is no file .*acess.log", "did you mean .*access.log?"),
    "missing folder": ("spol/access.log", "there is no file", "did you mean .*spool"),
    "pattern without a match": ("*.json", "no file matches", None),
    "folder": ("spool", "is a folder, not a file", "folder: {path"),
    "pipe": ("pipe", "is no regular file", "stdin: {}"),
    "device": ("/dev/null", "is no regular file", "stdin: {}"),
    "standard input": ("/dev/stdin", "can be read again", "stdin: {}"),
}


@pytest.mark.parametrize(("path", "message", "hint"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("follow", [False, True])
def test_what_can_not_be_read(
    tmp_path: Path, path: str, message: str, hint: str | None, *, follow: bool
) -> None:
    (tmp_path / "access.log").touch()
    (tmp_path / "spool").mkdir()
    os.mkfifo(tmp_path / "pipe")
    path = path if path.startswith("/") else str(tmp_path / path)
    if follow and message.startswith(("there is", "no file")):
        taking = Taking(source(path, follow=True))
        taking.poll()
        taking.poll()
        assert taking.notes == ["waiting"]
        assert taking.appeared == []
        return
    with pytest.raises(SourceError, match=message) as caught:
        take_all(source(path, follow=follow))
    text = caught.value.render()
    assert (hint is None) == ("Hint" not in text)
    assert hint is None or re.search(hint, text)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0)
    with pytest.raises(SourceError, match="permission denied"):
        take_all(source(tmp_path / "a"))


def test_a_finished_file_that_grew_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one\ntwo\n")
    whole = take_all(source(path), max_bytes=4)
    assert len(whole.slices) == 2
    with path.open("a") as file:
        file.write("three\n")
    with pytest.raises(SourceError, match="has grown to 14") as caught:
        source(path).open(whole.resume)
    assert "follow: true" in caught.value.render()
    # What was begun is finished as it was meant.
    rest = take_all(source(path), {str(path): whole.slices[0].resume})
    assert rest.all_lines == [b"two\n"]
    # Followed, it is simply read on.
    followed = Taking(source(path, follow=True), whole.resume).to_end().close()
    assert followed.all_lines == [b"three\n"]


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one\ntwo\nthr")
    taking = Taking(source(path))
    with path.open("a") as file:
        file.write("ee\nfour\n")
    taking.to_end().close()
    assert taking.all_lines == [b"one\n", b"two\n"]
    assert taking.notes == ["grows"]


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one\ntwo\nthree\n")
    taking = Taking(source(path))
    taking.poll(4)
    path.write_text("one\n")
    with pytest.raises(SourceError, match="has shrunk from 14 to 4"):
        taking.to_end()


def test_a_file_that_vanishes_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x\n")
    taking = Taking(source(tmp_path / "a"))
    (tmp_path / "a").unlink()
    with pytest.raises(SourceError, match="there is no file"):
        taking.poll()


def test_rotated_between_two_bounded_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\nthree\n")
    first = take_all(source(path), max_bytes=4)
    path.rename(tmp_path / "a.log.1")
    path.write_text("four\n")
    second = take_all(source(path), {str(path): first.slices[0].resume})
    assert second.all_lines == [b"two\n", b"three\n", b"four\n"]
    assert second.places[str(path)][-1] == (1, 0)
    assert take_all(source(path), second.resume).all_lines == []


def test_replaced_between_two_bounded_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")
    first = take_all(source(path))
    path.write_text("other contents\n")
    second = take_all(source(path), first.resume)
    assert second.notes == ["generation_lost"]
    assert second.places[str(path)] == [(1, 0)]


def test_a_partition_that_is_no_more_ends(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(f"{name}1\n{name}2\n")
    first = take_all(source(tmp_path / "?"), max_bytes=3)
    half = {piece.partition: piece.resume for piece in first.slices[:2]}
    (tmp_path / "b").unlink()
    for resume, notes in [(first.resume, []), (half, ["partition_dropped"])]:
        second = take_all(source(tmp_path / "?"), resume)
        assert sorted(second.ended) == [str(tmp_path / "a"), str(tmp_path / "b")]
        assert second.notes == notes
    narrowed = take_all(source(tmp_path / "a"), half)
    assert narrowed.notes == ["partition_dropped"]


@pytest.mark.parametrize(
    "stored", [{}, {"position": 3}, {"position": "x"}, {"generation": True}], ids=str
)
@pytest.mark.parametrize("follow", [False, True])
def test_a_position_of_another_source_is_refused(
    tmp_path: Path, stored: dict[str, object], *, follow: bool
) -> None:
    (tmp_path / "a").write_text("x\n")
    positions = {str(tmp_path / "a"): {"generation": 0, **stored, "device": None}}
    with pytest.raises(SourceError, match="is not that of a file"):
        source(tmp_path / "a", follow=follow).open(positions)  # type: ignore[arg-type]


def test_reread_of_what_has_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one\ntwo\n")
    taking = take_all(source(path), max_bytes=4)
    for changed in ("one\ntwx\n", "one\n"):
        path.write_text(changed)
        with pytest.raises(SourceError, match="bytes 4 to 8 of generation 0 are no longer"):
            source(path).reread(taking.slices[1])
    path.unlink()
    with pytest.raises(SourceError, match="no longer"):
        source(path).reread(taking.slices[0])


def test_totals(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("x\n" * 50)
    finished = source(tmp_path / "?")
    taking = Taking(finished)
    assert finished.totals() == (0, 200)
    taking.to_end()
    assert finished.totals() == (200, 200)
    assert source(tmp_path / "a", follow=True).totals() is None


def test_a_thousand_files_followed_with_few_descriptors(tmp_path: Path) -> None:
    count = 1000
    for number in range(count):
        (tmp_path / f"{number}.log").write_text(f"{number}\n")
    followed = source(tmp_path / "*.log", follow=True)
    before = open_descriptors()
    taking = Taking(followed, rereads=False)
    while len(taking.all_lines) < count:
        taking.poll()
    assert open_descriptors() - before <= 256
    for number in range(0, count, 7):
        path = tmp_path / f"{number}.log"
        if number % 2:
            path.rename(tmp_path / f"{number}.log.1")
        with path.open("a") as file:
            file.write("more\n")
    (tmp_path / "new.log").write_text("new\n")
    expected = count + len(range(0, count, 7)) + 1
    while len(taking.all_lines) < expected:
        taking.until(lambda found: bool(found.chunks))
    taking.until(lambda found: len(found.at_end) == count + 1)
    assert len(taking.all_lines) == expected
    assert taking.notes == []
    taking.close()
    assert open_descriptors() <= before
