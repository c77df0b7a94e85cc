from __future__ import annotations

import pytest

from tailrace.config.outputs import Output
from tailrace.outputs import OutputContext, make_output
from tailrace.outputs.ndjson import NdjsonFile
from tailrace.outputs.parquet import ParquetFolder
from tailrace.outputs.terminal import Terminal

CONTEXT = OutputContext("p", "s")


@pytest.mark.parametrize(
    ("config", "made", "form"),
    [
        ({"file": {"path": "out/rows.ndjson"}}, NdjsonFile, "rows"),
        ({"file": {"path": "out/rows", "format": "ndjson"}}, NdjsonFile, "rows"),
        ({"file": {"path": "out/rows"}}, ParquetFolder, "typed"),
        ({"terminal": {}}, Terminal, "rows"),
    ],
)
def test_kinds(config: dict[str, object], made: type, form: str) -> None:
    output = Output.model_validate(config)
    assert type(make_output("o", output, CONTEXT)) is made
    assert output.target.row_form == form


def test_a_table_is_the_stores_business() -> None:
    table = Output.model_validate({"table": {"name": "goal1"}})
    assert table.target.row_form == "typed"
    with pytest.raises(ValueError, match="table of the store"):
        make_output("o", table, CONTEXT)
