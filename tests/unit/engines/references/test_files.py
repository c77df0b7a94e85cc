"""References in files: their forms, and what is said of a file that is no table."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tailrace.config.references import Reference
from tailrace.engines.references.reading import load
from tailrace.errors import TableError

COLUMNS = {"id": "integer", "device": "text", "level": "double", "since": "time", "on": "boolean"}
DAY = 1_571_612_204_000_000
ROW = {"id": 7, "device": "a, b", "level": 1.5, "since": DAY, "on": True}


def loaded(path: Path, **more: Any) -> list[dict[str, object]]:
    given = {"file": {"path": str(path), **more}, "key": "id", "columns": COLUMNS}
    found: list[dict[str, object]] = load(
        "users", Reference.model_validate(given)
    ).snapshot.table.to_pylist()
    return found


CSV = 'other,since,on,id,device,level\n1,2019-10-20T22:56:44Z,true,"7","a, b",1.5\n'
JSON = '{"id": "7", "device": "a, b", "level": 1.50, "since": 1571612204, "on": true, "x": [1]}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("users.csv", CSV),
        ("users.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("users.json", f"[\n{JSON}\n]"),
        ("users.json", f"{JSON}\n\n{JSON}\n"),
        ("users.ndjson", JSON),
    ],
)
def test_texts(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, newline="")
    assert loaded(path) == [ROW]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "users.parquet"
    columns = {
        "id": pa.array(["7"]),
        "device": pa.array(["a, b"]).dictionary_encode(),
        "level": pa.array([1.5], pa.float32()),
        "since": pa.array([DAY * 1000], pa.timestamp("ns", "UTC")),
        "on": [True],
        "other": [1],
    }
    pq.write_table(pa.table(columns), path)
    assert loaded(path) == [ROW]
    twice = pa.table([*columns.values(), pa.array([2])], names=[*columns, "id"])
    pq.write_table(twice, path)
    with pytest.raises(TableError, match="the column 'id' is there 2 times"):
        loaded(path)


def test_an_empty_cell_is_null_and_quotes_hold_an_empty_text(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text('id,device,level,since,on\n1,,,,\n2,"",,,\n')
    assert [row["device"] for row in loaded(path)] == [None, ""]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.50"),
        ('{"a":1,"b":[1.5,{"c":-2e3}]}', '{"a":1,"b":[1.5,{"c":-2000.0}]}'),
        ('["1",2]', '["1",2]'),
        ('{"a":["\\ud800"]}', '{"a":["\\ud800"]}'),
    ],
)
def test_numbers_are_texts_of_columns_but_numbers_within_values(
    tmp_path: Path, value: str, text: str
) -> None:
    path = tmp_path / "users.json"
    path.write_text(JSON.replace('"a, b"', value))
    assert loaded(path)[0]["device"] == text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("users.csv", "", "there are no rows"),
        ("users.csv", "id,device\n1,a\n", "there is no column 'level'"),
        ("users.csv", CSV + "1,2\n", "this is no CSV"),
        ("users.csv", CSV.replace("other", "id"), "the column 'id' is there 2 times"),
        ("users.csv", CSV.replace('"7"', "x7"), "line 2: id: 'x7' is not an integer"),
        ("users.json", "{", "line 1 is not JSON"),
        ("users.json", "[1]", "row 1 is not an object"),
        ("users.json", f"{JSON}\n7\n", "line 2 is not an object"),
        ("users.json", "[" * 100_000, "is not JSON"),
        ("users.parquet", "PAR1", "this is no Parquet"),
        ("users.txt", CSV, "its name doesn't say what it is"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TableError) as raised:
        loaded(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith("reference 'users': ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="can't be read: No such file"):
        loaded(tmp_path / "users.csv")
    (tmp_path / "users.csv").write_bytes(b"id,device\n\xff,\xff\n")
    with pytest.raises(TableError, match="this is no CSV"):
        loaded(tmp_path / "users.csv")
    (tmp_path / "users.csv").write_bytes(CSV.encode().replace(b"other", b"\xff"))
    with pytest.raises(TableError, match="the header is not UTF-8"):
        loaded(tmp_path / "users.csv")
    (tmp_path / "users.csv").write_text(CSV)
    with pytest.raises(TableError, match="more than max_bytes"):
        loaded(tmp_path / "users.csv", max_bytes=10)
