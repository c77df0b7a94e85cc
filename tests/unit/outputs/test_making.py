from __future__ import annotations

import pytest

from tailrace.config.outputs import Output
from tailrace.outputs import Form, form_of, make_output
from tailrace.outputs.ndjson import NdjsonFile
from tailrace.outputs.parquet import ParquetFolder
from tailrace.outputs.terminal import Terminal


@pytest.mark.parametrize(
    ("config", "made", "form"),
    [
        ({"file": {"path": "out/rows.ndjson"}}, NdjsonFile, Form.ROWS),
        ({"file": {"path": "out/rows", "format": "ndjson"}}, NdjsonFile, Form.ROWS),
        ({"file": {"path": "out/rows"}}, ParquetFolder, Form.TYPED),
        ({"terminal": {}}, Terminal, Form.ROWS),
    ],
)
def test_kinds(config: dict[str, object], made: type, form: Form) -> None:
    output = Output.model_validate(config)
    assert type(make_output("o", output)) is made
    assert form_of(output) is form


def test_a_table_is_the_stores_business() -> None:
    table = Output.model_validate({"table": {"name": "goal1"}})
    assert form_of(table) is Form.TYPED
    with pytest.raises(ValueError, match="table of the store"):
        make_output("o", table)
