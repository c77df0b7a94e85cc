"""References: tables from elsewhere that rules look things up in.

Where a table comes from has a module of its own, ``reference_places``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint
from tailrace.config.event import FieldType
from tailrace.config.forms import NothingIsEmpty, exactly_one
from tailrace.config.kinds import Kind
from tailrace.config.reference_places import FileTable, HttpTable, RedisTable, SqlTable
from tailrace.config.scalars import (
    Count,
    Expression,
    FieldName,
    Filled,
    Flag,
    PositiveSpan,
    ZoneName,
)
from tailrace.config.several import Several, SeveralOrNone
from tailrace.config.suggestions import suggestion
from tailrace.config.units import Duration
from tailrace.config.values import shown

PLACES = ("file", "sql", "redis", "http")
"""The kinds of places that a reference can come from."""

AnyPlace = FileTable | SqlTable | RedisTable | HttpTable


def _off(value: object) -> object:
    return None if value in ("off", False) else value


class Pivot(Model):
    """Turns a tall table (a row for each name) into one with a column for each name.

    Beside the names and values there are only columns of the `key`, and `valid_from`.
    With `valid_from`, a name that has no row at a date keeps the value that it had before.
    """

    name: FieldName = Field(description="The column with the names.", examples=["limit_name"])
    value: FieldName = Field(description="The column with the values.", examples=["limit_value"])
    columns: Mapping[FieldName, Several] = Field(
        description="The columns that are made, each with the names that mean it. Rows of other"
        " names are left out and counted.",
        examples=[{"min": ["Minimum", "min"], "max": ["Maximum", "max"]}],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """A name means one column."""
        columns = given.get("columns")
        seen: dict[str, str] = {}
        for column, names in columns.items() if isinstance(columns, Mapping) else ():
            for name in [names] if isinstance(names, str) else names or ():
                other = seen.setdefault(str(name), str(column))
                if other != column:
                    message = f"the name {shown(str(name))} means {shown(other)} already"
                    yield Complaint(("columns", column), message)


class Reference(Model):
    """A table that rules look things up in: `users.device` is a value of the row that matches an
    event, `known(users)` whether there is one. See [References](references.md).
    """  # noqa: D205 - one sentence

    file: Annotated[FileTable | None, NothingIsEmpty] = Field(
        default=None, description="A file: CSV, JSON or Parquet."
    )
    sql: Annotated[SqlTable | None, NothingIsEmpty] = Field(
        default=None, description="A table or a query of a SQL database."
    )
    redis: Annotated[RedisTable | None, NothingIsEmpty] = Field(
        default=None, description="Keys of a Redis server."
    )
    http: Annotated[HttpTable | None, NothingIsEmpty] = Field(
        default=None, description="What a server answers to a GET."
    )
    columns: Mapping[FieldName, FieldType] = Field(
        description="The columns that are read, with their types; others are left alone. Numbers"
        " in quotes are numbers. A value that is not of its type makes a bad row.",
        examples=[{"account_id": "integer", "device": "text"}],
    )
    key: SeveralOrNone = Field(
        default=(),
        description="The columns that rows are found by. Without any there is one row, or one at"
        " a time with `valid_from`.",
        examples=["account_id"],
    )
    match: Mapping[FieldName, Expression] = Field(
        default={},
        description="What each column of the key is compared with: an expression over the fields"
        " of an event, or over the key of a rule. By default what has the column's name.",
        examples=[{"account_id": "account"}],
    )
    valid_from: FieldName | None = Field(
        default=None,
        description="The column (a time) from which on a row is in force, until the next one of"
        " its key. The row in force at the event's time counts, or at the end of the window.",
        examples=["effective_date"],
    )
    zone: ZoneName = Field(
        default="UTC", description="The time zone of times that are written without one."
    )
    pivot: Pivot | None = Field(
        default=None, description="For tall tables: names in one column, values in another."
    )
    duplicates: Literal["refuse", "first", "allow"] = Field(
        default="refuse",
        description="Several rows of one key (and date) with different values: `refuse` the whole"
        " load and keep what there was; take the `first` as they are read (of SQL without ORDER BY,"
        " where rows have no order, the one whose texts come first); `allow` them, so that only"
        " `known(...)` can be asked.",
    )
    empty: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="Whether a load without rows is refused, and what there was is kept.",
    )
    on_bad_row: Literal["refuse", "skip"] = Field(
        default="refuse",
        description="Whether a row with a bad value refuses the whole load, or is left out and"
        " counted.",
    )
    max_rows: Count = Field(
        default=1_000_000, description="A load with more rows than this is refused."
    )
    refresh: Annotated[PositiveSpan | None, BeforeValidator(_off), Kind("duration or `off`")] = (
        Field(
            default=Duration("5m"),
            description="How often it is loaded again; `off`: only at the start, and by `watch`.",
            examples=["20m"],
        )
    )
    watch: Flag = Field(
        default=True,
        description="Whether it is loaded at once when it changes: a file by its time and size;"
        " PostgreSQL with `sql.channel`, by NOTIFY. Other places are asked every `refresh`.",
    )
    seed: tuple[Mapping[Filled, Filled | None], ...] = Field(
        default=(),
        description="Rows that `tailrace init` puts into the table of a SQL reference while it is"
        " empty; what is there is never changed.",
        examples=[[{"limit_name": "Minimum", "limit_value": "1024"}]],
    )

    elsewhere: ClassVar[Mapping[str, str]] = {
        "path": "write file: {path: ...}",
        "url": "write sql: {url: ...}, redis: {url: ...} or http: {url: ...}",
        "fields": "did you mean 'columns'?",
        "on": "did you mean 'match'?",
        "effective": "did you mean 'valid_from'?",
    }

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """One place; key, date and pivot name columns that are there and fit."""
        yield from exactly_one(given, PLACES, "reference")
        columns = given.get("columns")
        if not isinstance(columns, Mapping):
            return
        if not columns:
            yield Complaint(("columns",), "no column is declared", "for example device: text")
            return
        yield from _named(given, columns)
        yield from _seeds(given, columns)

    @property
    def place(self) -> AnyPlace:
        """Where the table comes from."""
        found = self.file or self.sql or self.redis or self.http
        assert found is not None  # noqa: S101 - exactly one, as ``complaints`` sees to
        return found


def _keys(given: Given) -> list[object]:
    key = given.get("key") or ()
    return [key] if isinstance(key, str) else list(key) if isinstance(key, list | tuple) else []


def _named(given: Given, columns: Mapping[object, object]) -> Iterator[Complaint]:
    keys = _keys(given)
    listed = f"columns: {', '.join(map(str, columns))}"
    for name in keys:
        if name not in columns:
            hint = suggestion(str(name), map(str, columns), "columns")
            yield Complaint(("key",), f"there is no column {shown(str(name))}", hint)
        elif columns[name] == "double":
            message = f"{shown(str(name))} is a double, which can't be a key"
            yield Complaint(("key",), message, "declare it as text or integer")
    match = given.get("match")
    for name in match if isinstance(match, Mapping) else ():
        if name not in keys:
            message = f"{shown(str(name))} is not in the key"
            yield Complaint(("match", name), message, "key: [...] names columns", at_key=True)
    dated = given.get("valid_from")
    if dated is not None and columns.get(dated) != "time":
        message = f"{shown(str(dated))} is no column of type time"
        yield Complaint(("valid_from",), message, listed)
    if dated is not None and dated in keys:
        yield Complaint(("valid_from",), "a date is not part of the key")
    yield from _pivoted(given, columns, listed)


def _pivoted(given: Given, columns: Mapping[object, object], listed: str) -> Iterator[Complaint]:
    pivot = given.get("pivot")
    name = pivot.get("name") if isinstance(pivot, Mapping) else getattr(pivot, "name", None)
    value = pivot.get("value") if isinstance(pivot, Mapping) else getattr(pivot, "value", None)
    made = pivot.get("columns") if isinstance(pivot, Mapping) else getattr(pivot, "columns", None)
    for part, column in (("name", name), ("value", value)):
        if isinstance(column, str) and column not in columns:
            yield Complaint(("pivot", part), f"there is no column {shown(column)}", listed)
    if pivot is not None:
        yield from _only_pivoted(given, columns, (name, value))
    if isinstance(name, str) and columns.get(name) not in (None, "text"):
        yield Complaint(("pivot", "name"), f"{shown(name)} must be text")
    for column in made if isinstance(made, Mapping) else ():
        if column in columns and column not in (name, value):
            yield Complaint(
                ("pivot", "columns", column), f"{shown(str(column))} is a column already"
            )
    if pivot is not None and given.get("duplicates") == "allow":
        yield Complaint(("duplicates",), "a pivot needs one value for each name", "refuse or first")


def _only_pivoted(
    given: Given, columns: Mapping[object, object], turned: tuple[object, object]
) -> Iterator[Complaint]:
    """What a pivot turns finds no row, and what it doesn't turn must find one."""
    dated = given.get("valid_from")
    keys = _keys(given)
    for place, names in (("key", keys), ("valid_from", (dated,))):
        for column in names:
            if column is not None and column in turned:
                message = f"{shown(str(column))} is turned by 'pivot', and is no column then"
                yield Complaint((place,), message)
    for column in columns:
        if column not in (*keys, dated, *turned):
            message = f"with 'pivot' there is no row that {shown(str(column))} would be of"
            hint = "leave it out, or make it part of the key"
            yield Complaint(("columns", str(column)), message, hint, at_key=True)


def _seeds(given: Given, columns: Mapping[object, object]) -> Iterator[Complaint]:
    seed = given.get("seed")
    if seed and given.get("sql") is None:
        message = "only the table of a SQL reference can be seeded"
        yield Complaint(("seed",), message, at_key=True)
        return
    for index, row in enumerate(seed if isinstance(seed, list | tuple) else ()):
        for name in row if isinstance(row, Mapping) else ():
            if name not in columns:
                yield Complaint(("seed", index, name), f"there is no column {shown(str(name))}")


def without_place(reference: Reference) -> Reference:
    """What a reference means, without where it comes from and how one gets in there."""
    nowhere = {"file": FileTable(path="-"), "sql": None, "redis": None, "http": None, "seed": ()}
    return reference.model_copy(update=nowhere)
