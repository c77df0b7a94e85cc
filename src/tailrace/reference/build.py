"""From cells as they were read to a snapshot: types, pivot, duplicates, order.

A load that can't be a table is refused as a whole (TableError), with every kind of mistake and the
rows that have it; what there was before stays in force then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.config.suggestions import suggestion
from tailrace.config.values import shown
from tailrace.errors import Problem, TableError
from tailrace.expr.nodes import Type
from tailrace.formats.columns import Typed, booleans, doubles, integers
from tailrace.formats.spec import TimeForm
from tailrace.formats.time_columns import time_column
from tailrace.plan.references import shape_of
from tailrace.reference.crossing import crossed
from tailrace.reference.order import sorted_rows
from tailrace.reference.pivoting import pivoted
from tailrace.reference.snapshot import ARROW, Snapshot, snapshot_of

if TYPE_CHECKING:
    from tailrace.config.references import Reference
    from tailrace.reference.raw import RawTable

SHOWN = 5
"""So many wrong rows are named."""
_LISTED = 12
"""So many columns are named."""


@dataclass(slots=True)
class Built:
    """A snapshot, and what was left out on the way or can't be meant, in words."""

    snapshot: Snapshot
    notes: list[str] = field(default_factory=list)


def build(name: str, config: Reference, raw: RawTable) -> Built:
    """The snapshot of a load; TableError if it can't be the reference's table."""
    _check_size(name, config, raw)
    typed, bad = typed_columns(config, raw)
    notes: list[str] = []
    rows = np.arange(raw.rows)
    if bad:
        named = [f"{raw.place(row)}: {why}" for row, why in sorted(bad.items())[:SHOWN]]
        more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        if config.on_bad_row == "refuse":
            raise _refused(name, named, more, "on_bad_row: skip leaves them out")
        notes.append(f"{len(bad)} bad rows are left out: {'; '.join(named)}{more}")
        rows = np.setdiff1d(rows, np.array(sorted(bad)))
    table = pa.table(typed).take(pa.array(rows))
    if config.pivot is not None:
        table, rows, found = pivoted(name, config, table, rows, raw)
        notes += found
    shape = shape_of(name, config)
    table = table.select(list(shape.columns))
    table, found = sorted_rows(name, config, shape, table, rows, raw)
    notes += found
    if not table.num_rows and config.empty == "refuse":
        raise TableError(
            f"reference '{name}': there are no rows", hint="empty: allow takes it as it is"
        )
    notes += crossed(shape, table)
    return Built(snapshot_of(shape, table), notes)


def _check_size(name: str, config: Reference, raw: RawTable) -> None:
    if raw.rows > config.max_rows:
        raise TableError(
            f"reference '{name}': {raw.rows} rows, more than max_rows ({config.max_rows})",
            hint="raise max_rows, or select fewer",
        )
    missing = [column for column in config.columns if column not in raw.columns]
    if missing and raw.rows:
        raise TableError(
            f"reference '{name}': there is no column '{missing[0]}'",
            hint=_columns_told(missing[0], raw),
        )


def _columns_told(missing: str, raw: RawTable) -> str:
    """What there is instead of a column, with a guess at which of it is meant."""
    there = raw.there or tuple(sorted(raw.columns))
    if len(there) == 1 and missing in re.split(r"[;\t|]", there[0]):
        return f"the whole header is {shown(there[0])}: values are separated by commas"
    others = [column for column in there if column not in raw.columns]
    guess = suggestion(missing, others, "there are") or ""
    listed = ", ".join(map(shown, there[:_LISTED])) or "none of those declared"
    return f"{guess} (there are: {listed})" if guess.endswith("?") else f"there are: {listed}"


def typed_columns(config: Reference, raw: RawTable) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """The columns of their types, and why rows are bad."""
    typed: dict[str, pa.Array] = {}
    bad: dict[int, str] = {}
    needed = {*config.key, *([config.valid_from] if config.valid_from else [])}
    needed |= {config.pivot.name} if config.pivot is not None else set()
    for column, kind in config.columns.items():
        texts = raw.columns.get(column)
        if texts is None:
            texts = pa.nulls(raw.rows, pa.string())
        converted = _converted(texts, Type(kind), config.zone)
        typed[column] = converted.column.cast(ARROW[Type(kind)])
        for row, why in converted.bad.items():
            bad.setdefault(row, f"{column}: {shown(texts[row].as_py())} is {why}")
        if column in needed and texts.null_count:
            empty = texts.is_null().to_numpy(zero_copy_only=False)
            for row in np.flatnonzero(empty).tolist():
                bad.setdefault(row, f"{column} is empty")
    return typed, bad


def _converted(texts: pa.StringArray, kind: Type, zone: str) -> Typed:
    if not len(texts):
        return Typed(pa.array([], ARROW[kind]))
    match kind:
        case Type.INTEGER:
            return integers(texts)
        case Type.DOUBLE:
            return doubles(texts)
        case Type.BOOLEAN:
            return booleans(texts)
        case Type.TIME:
            return time_column(texts, TimeForm.AUTO, zone, None)
        case _:
            return Typed(texts)


def _refused(name: str, problems: list[str], more: str, hint: str) -> TableError:
    found = [Problem(f"reference '{name}': {problem}") for problem in problems]
    found[-1] = Problem(found[-1].message + more, None, hint)
    return TableError(problems=tuple(found))
