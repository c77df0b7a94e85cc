"""Which columns rows have, of what kind, and which columns of the table they go to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import pyarrow as pa

from tailrace.config.targets.sql import SqlOutput
from tailrace.errors import OutputError
from tailrace.outputs.batches import Content
from tailrace.outputs.shapes import Shape

ROW_TIME = "tailrace_time"
"""The name under which ``columns`` of an output can ask for the rows' event time."""

_ID = "id"
_OTHER_ID = "tailrace_id"


class Kind(StrEnum):
    """What a column holds; how a database calls that is in ``dialects``."""

    ID = "id"
    """A row's id: 32 characters."""
    TEXT = "text"
    INTEGER = "integer"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    TIME = "time"
    """An instant to the microsecond, in UTC."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table and the column of the rows that it gets."""

    name: str
    source: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an output writes.

    ``key``: names of the table's columns that tell rows apart. ``row_id``: what the rows' id is
    called among their columns. ``chosen``: the user has named the columns; ``own_key``: the key.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    row_id: str
    chosen: bool = False
    own_key: bool = False

    def without_id(self) -> Wanted:
        """For a table that has no column for it: no key either, if it was the key."""
        columns = tuple(column for column in self.columns if column.source != self.row_id)
        return replace(self, columns=columns, key=self.key if self.own_key else ())


def wanted_columns(config: SqlOutput, shapes: Iterable[Shape]) -> Wanted:
    """What an output's options and the shapes of its rows make of it.

    OutputError if rows of two rules have one column with two types, or a name leads nowhere.
    """
    shapes = tuple(shapes)
    row_id = _OTHER_ID if any(_has_own_id(shape) for shape in shapes) else _ID
    kinds = _kinds(shapes)
    sources = {row_id: Kind.ID, **{n: kind for n, kind in kinds.items() if n != row_id}}
    if not config.columns:
        columns = tuple(Column(name, name, kind) for name, kind in sources.items())
    else:
        columns = tuple(
            Column(name, source, _source_kind(source, sources))
            for name, source in config.columns.items()
        )
    names = {column.name for column in columns}
    for name in config.key:
        if name not in names:
            raise OutputError(
                f"the key of table {config.table} has the column {name!r}, which gets no value",
                hint=f"columns: {', '.join(sorted(names))}",
            )
    key = config.key or tuple(column.name for column in columns if column.source == row_id)[:1]
    return Wanted(columns, key, row_id, bool(config.columns), bool(config.key))


def _has_own_id(shape: Shape) -> bool:
    own = shape.content in (Content.WINDOWS, Content.ARCHIVE)
    return own and _ID in shape.schema.names


def _kinds(shapes: Iterable[Shape]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    origin: dict[str, Shape] = {}
    for shape in shapes:
        for column in shape.schema:
            if pa.types.is_null(column.type):
                continue
            kind = _kind(column.type)
            if kinds.setdefault(column.name, kind) is not kind:
                raise OutputError(
                    f"the column {column.name!r} would be {kinds[column.name]} in rows of"
                    f" {_called(origin[column.name])}, and {kind} in rows of {_called(shape)}",
                    hint="give them outputs with tables of their own",
                )
            origin.setdefault(column.name, shape)
    return kinds


def _kind(type_: pa.DataType) -> Kind:
    if pa.types.is_timestamp(type_):
        return Kind.TIME
    if pa.types.is_boolean(type_):
        return Kind.BOOLEAN
    if pa.types.is_integer(type_):
        return Kind.INTEGER
    return Kind.DOUBLE if pa.types.is_floating(type_) else Kind.TEXT


def _source_kind(source: str, sources: dict[str, Kind]) -> Kind:
    if source == ROW_TIME:
        return Kind.TIME
    if source not in sources:
        raise OutputError(
            f"rows have no column {source!r}",
            hint=f"they have {', '.join((*sources, ROW_TIME))}",
        )
    return sources[source]


def _called(shape: Shape) -> str:
    return shape.rule or shape.content.value
