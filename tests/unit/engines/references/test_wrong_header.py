"""A table without a declared column: what there is instead, and what was meant."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tailrace.config import loads
from tailrace.engines.references.reading import load
from tailrace.errors import TableError

PIPELINE = """
name: p
source: {{file: {{path: a.ndjson}}}}
time: {{field: t}}
fields: {{ip: text}}
references:
  limits:
    file: {{path: {path}}}
    key: ip
    columns: {{ip: text, least: integer}}
rules: [{{alert: a, when: known(limits)}}]
"""


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    config = loads(PIPELINE.format(path=path)).config
    with pytest.raises(TableError) as caught:
        load("limits", config.references["limits"])
    return caught.value.render()


def as_parquet(**columns: list[object]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


CASES = [
    ("a.csv", b"ip,lest,most\n1,2,3\n", "did you mean 'lest'? (there are: 'ip', 'lest', 'most')"),
    ("a.csv", b"a,b\n1,2\n", "there are: 'a', 'b'"),
    ("a.csv", b"ip;least\n1;2\n", "the whole header is 'ip;least': values are separated by commas"),
    ("a.csv", b"ip,\x1b[2J\n1,2\n", "there are: 'ip', '\\x1b[2J'"),
    ("a.json", b'[{"ip": "1", "lest": 2}]', "did you mean 'lest'? (there are: 'ip', 'lest')"),
    ("a.json", b'{"ip": "1", "lest": 2}\n', "did you mean 'lest'?"),
    ("a.parquet", as_parquet(ip=["1"], lest=[2]), "did you mean 'lest'?"),
    ("a.csv", b'[{"ip": "1",', "it begins as JSON does: format: json"),
]


@pytest.mark.parametrize(("name", "data", "hint"), CASES)
def test_what_there_is_instead(tmp_path: Path, name: str, data: bytes, hint: str) -> None:
    assert hint in refused(tmp_path / name, data)
