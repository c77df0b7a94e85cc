"""Limits that can't be kept: a least value that is above the greatest one of the same row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tailrace.config.values import shown
from tailrace.expr.nodes import Type
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tailrace.plan.references import Shape

_PAIRS = (("minimum", "maximum"), ("min", "max"), ("least", "most"), ("lower", "upper"))
"""What columns are called that belong together, as whole names or as parts of them."""
_NAMED = 5


def crossed(shape: Shape, table: pa.Table) -> Iterator[str]:
    """A note for each pair of columns in which rows have the least above the greatest value."""
    numbers = [n for n, kind in shape.columns.items() if kind in (Type.INTEGER, Type.DOUBLE)]
    for least in numbers:
        most = _other(least)
        if most in numbers:
            wrong = table.filter(pc.fill_null(pc.greater(table[least], table[most]), False))  # noqa: FBT003 - Arrow's
            if wrong.num_rows:
                names = [_place(shape, row) for row in wrong.slice(0, _NAMED).to_pylist()]
                more = f" and {wrong.num_rows - _NAMED} more" * (wrong.num_rows > _NAMED)
                yield f"{least} is above {most} {'; '.join(names)}{more}"


def _other(name: str) -> str:
    """What a column is called that has the greatest value to this least one; "" if it is none."""
    for least, most in _PAIRS:
        if least in name.lower():
            place = name.lower().index(least)
            return name[:place] + most + name[place + len(least) :]
    return ""


def _place(shape: Shape, row: dict[str, object]) -> str:
    named = [*shape.key, *([shape.dated] if shape.dated else [])]
    if not named:
        return "in its one row"
    return "of " + ", ".join(f"{name} {_told(row[name], shape.columns[name])}" for name in named)


def _told(value: object, kind: Type) -> str:
    if kind is Type.TIME and isinstance(value, int):
        return iso(value)
    return shown(value) if isinstance(value, str) else str(value)
