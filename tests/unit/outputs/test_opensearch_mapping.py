"""Types of an index's fields, from what rows will have."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tailrace.errors import OutputError
from tailrace.outputs.batches import Content
from tailrace.outputs.opensearch.mapping import field_types
from tailrace.outputs.shapes import Shape


def window(rule: str, kind: pa.DataType) -> Shape:
    return Shape(Content.WINDOWS, rule, values={"n": kind})


@pytest.mark.parametrize("kinds", [(pa.int64(), pa.float64()), (pa.float64(), pa.int64())])
def test_numbers_go_together(kinds: tuple[pa.DataType, pa.DataType]) -> None:
    shapes = [window(str(number), kind) for number, kind in enumerate(kinds)]
    assert field_types(shapes)["n"] == "double"


def test_rules_that_disagree_on_a_type() -> None:
    with pytest.raises(OutputError, match="'n' is keyword in rows of b, and long in others"):
        field_types([window("a", pa.int64()), window("b", pa.string())])


def test_a_field_that_rows_of_another_kind_have() -> None:
    archive = Shape(Content.ARCHIVE, values={"position": pa.string()})
    with pytest.raises(OutputError, match="'position' is long in rows of dead_letters"):
        field_types([archive, Shape(Content.DEAD_LETTERS)])
