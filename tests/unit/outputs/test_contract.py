"""What every kind of output must do, whatever happens between writing and confirming."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.outputs.samples import rows_of

from tailrace.errors import OutputError
from tailrace.outputs import Content, Form, OutboxBatch, Output, State
from tailrace.outputs.ndjson import NdjsonFile
from tailrace.outputs.parquet import ParquetFolder
from tailrace.outputs.terminal import Terminal


@dataclass(frozen=True)
class Kind:
    """How to make an output in a folder, and how to read what it wrote: one value for each row.

    ``forgets``: whether what was written and not confirmed is undone after a crash.
    """

    form: Form
    make: Callable[[Path], Output]
    read: Callable[[Path], list[Any]]
    forgets: bool = True


def _read_lines(folder: Path) -> list[Any]:
    path = folder / "out" / "rows.ndjson"
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == ""
    rows = [json.loads(line) for line in lines]
    return [json.dumps({k: v for k, v in row.items() if k != "sent_at"}) for row in rows]


def _read_folder(folder: Path) -> list[Any]:
    tables = [pq.read_table(path) for path in sorted((folder / "out").glob("*.parquet"))]
    return [
        repr({k: v for k, v in row.items() if k != "sent_at"})
        for table in tables
        for row in table.to_pylist()
    ]


class _Screen(io.StringIO):
    """Keeps what was printed in a file, for output objects come and go."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / "screen"

    def write(self, text: str) -> int:
        with self._path.open("a") as file:
            return file.write(text)


def _read_screen(folder: Path) -> list[Any]:
    path = folder / "screen"
    return path.read_text().splitlines() if path.exists() else []


KINDS = {
    "ndjson": Kind(
        Form.ROWS, lambda folder: NdjsonFile(folder / "out" / "rows.ndjson"), _read_lines
    ),
    "parquet": Kind(
        Form.TYPED,
        lambda folder: ParquetFolder(folder / "out", roll_bytes=0, roll_seconds=60),
        _read_folder,
    ),
    "terminal": Kind(
        Form.ROWS, lambda folder: Terminal(_Screen(folder)), _read_screen, forgets=False
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def batch(kind: Kind, seq: int, content: Content = Content.WINDOWS) -> OutboxBatch:
    return OutboxBatch(seq, rows_of(content, kind.form))


def restarted(kind: Kind, folder: Path, output: Output, saved: State) -> Output:
    """As after kill -9: another object, opened with what the store kept, which is JSON."""
    output.close()
    again = kind.make(folder)
    again.open(json.loads(json.dumps(saved)))
    return again


@pytest.mark.parametrize("content", Content)
def test_each_row_arrives_once(kind: Kind, content: Content, tmp_path: Path) -> None:
    output = kind.make(tmp_path)
    output.open(None)
    output.deliver(batch(kind, 0, content))
    assert len(kind.read(tmp_path)) == batch(kind, 0, content).rows.num_rows
    output.close()


def test_a_lost_confirmation_writes_nothing_twice(kind: Kind, tmp_path: Path) -> None:
    output = kind.make(tmp_path)
    output.open(None)
    first = output.deliver(batch(kind, 0)).state
    rows = kind.read(tmp_path)
    assert output.deliver(batch(kind, 0)).state == first
    assert kind.read(tmp_path) == rows
    output.close()


def test_what_was_not_confirmed_before_a_crash_comes_once(kind: Kind, tmp_path: Path) -> None:
    output = kind.make(tmp_path)
    begun = output.open(None)
    saved = output.deliver(batch(kind, 0)).state
    once = kind.read(tmp_path)
    output.deliver(batch(kind, 1, Content.INCIDENTS))
    twice = kind.read(tmp_path)

    output = restarted(kind, tmp_path, output, saved)
    assert kind.read(tmp_path) == (once if kind.forgets else twice)
    if kind.forgets:
        output.deliver(batch(kind, 1, Content.INCIDENTS))
        assert kind.read(tmp_path) == twice

        output = restarted(kind, tmp_path, output, begun)
        assert kind.read(tmp_path) == [] or kind.read(tmp_path) == [""]
        for seq, content in enumerate((Content.WINDOWS, Content.INCIDENTS)):
            output.deliver(batch(kind, seq, content))
        assert kind.read(tmp_path) == twice
    output.close()


def test_what_was_confirmed_is_not_taken_again(kind: Kind, tmp_path: Path) -> None:
    output = kind.make(tmp_path)
    output.open(None)
    saved = output.deliver(batch(kind, 4)).state
    rows = kind.read(tmp_path)
    output = restarted(kind, tmp_path, output, saved)
    assert output.deliver(batch(kind, 4)).state == saved
    assert kind.read(tmp_path) == rows
    output.close()


def test_an_empty_batch_is_confirmed_and_leaves_no_row(kind: Kind, tmp_path: Path) -> None:
    output = kind.make(tmp_path)
    output.open(None)
    empty = rows_of(Content.WINDOWS, kind.form).slice(0, 0)
    state = output.deliver(OutboxBatch(7, empty)).state
    output.deliver(batch(kind, 8))
    assert len(kind.read(tmp_path)) == 3
    output = restarted(kind, tmp_path, output, state)
    output.deliver(batch(kind, 8))
    assert len(kind.read(tmp_path)) == (3 if kind.forgets else 6)
    output.close()


def test_rows_in_several_chunks_stay_in_order(kind: Kind, tmp_path: Path) -> None:
    whole = rows_of(Content.WINDOWS, kind.form)
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    output = kind.make(tmp_path)
    output.open(None)
    output.deliver(OutboxBatch(0, whole))
    output.deliver(OutboxBatch(1, pieces))
    rows = kind.read(tmp_path)
    assert rows[:3] == rows[3:]
    assert len(rows) == 6
    output.close()


def test_closing_twice_or_unopened_is_harmless(kind: Kind, tmp_path: Path) -> None:
    output = kind.make(tmp_path)
    output.close()
    output.open(None)
    output.close()
    output.close()


@pytest.mark.parametrize("name", ["ndjson", "parquet"])
def test_rows_of_another_store_are_not_touched(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    output = kind.make(tmp_path)
    output.open(None)
    output.deliver(batch(kind, 0))
    output.close()
    rows = kind.read(tmp_path)
    with pytest.raises(OutputError, match="this store didn't write"):
        kind.make(tmp_path).open(None)
    assert kind.read(tmp_path) == rows
