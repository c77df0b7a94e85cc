"""Random expressions with random data, and what DuckDB makes of them: for the tests beside this."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from tailrace.expr.nodes import Node, Type
from tailrace.expr.scope import Scope
from tailrace.expr.sql import failure_sql, to_sql
from tailrace.expr.values import DTYPES, Data, Values

COLUMNS = {
    "i": Type.INTEGER,
    "j": Type.INTEGER,
    "x": Type.DOUBLE,
    "y": Type.DOUBLE,
    "s": Type.TEXT,
    'odd "name"': Type.TEXT,
    "b": Type.BOOLEAN,
    "t": Type.TIME,
}
SCOPE = Scope(COLUMNS)
ARROW = {
    Type.INTEGER: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.TEXT: pa.string(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("us", tz="UTC"),
}

INT64 = 2**63
INTEGERS = [0, 1, -1, 2, 7, 10, -20, 500, INT64 - 1, -INT64, 2**53 + 1, -(2**62), 2**31, 3 * 10**9]
DOUBLES = [0.0, 0.5, -0.5, 1.5, 2.5, -7.25, 1e308, -1e308, 5e-324, 1e18, 9.2233720368547758e18]
TEXTS = [
    *["", "abc", "ABC", "a%b_c", "12", "-7", " 12 ", "1e3", "1.5", "0x10", "1_000", "nan", "inf"],
    *["true", "FALSE", "+5", ".5", "5.", "\\", "a\\", "É", "İK", "9223372036854775808", "-"],
    *["1e400", "-0", "\v12\f", "  ", "10.0.0.1", "'", '"', "a,b,,c", "\n", "é%", "🤦", "--"],
]
TIMES = [0, -1, 1_700_000_000_000_000, -(2**55), 2**56, 86_400_000_000, -86_400_000_001]

integers = st.one_of(st.sampled_from(INTEGERS), st.integers(-INT64, INT64 - 1), st.integers(-9, 9))
doubles = st.one_of(
    st.sampled_from(DOUBLES), st.floats(allow_nan=False, allow_infinity=False), st.floats(-99, 99)
).map(lambda value: value + 0.0)
texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.text("ab%_.1e-+ \\", max_size=6),
)
times = st.sampled_from(TIMES) | st.integers(-(2**55), 2**56)
VALUES = {
    Type.INTEGER: integers,
    Type.DOUBLE: doubles,
    Type.TEXT: texts,
    Type.BOOLEAN: st.booleans(),
    Type.TIME: times,
}

Row = Mapping[str, object]

_POOLS: dict[Type, list[object]] = {
    Type.INTEGER: [None, *INTEGERS],
    Type.DOUBLE: [None, *DOUBLES],
    Type.TEXT: [None, *TEXTS],
    Type.BOOLEAN: [None, True, False],
    Type.TIME: [None, *TIMES],
}


def _extreme_rows() -> list[Row]:
    chance = random.Random(7)
    return [
        {name: chance.choice(_POOLS[kind]) for name, kind in COLUMNS.items()} for _ in range(120)
    ]


EXTREME_ROWS = _extreme_rows()
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in COLUMNS.items()}),
    max_size=2,
).map(lambda drawn: [*EXTREME_ROWS, *drawn])
"""Always the same extreme rows, and a few drawn ones."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def spelled(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    """Literals of a strategy's values as expressions write them."""

    def spell(value: object) -> str:
        if isinstance(value, str):
            return quoted(value)
        return str(value).lower() if isinstance(value, bool) else repr(value)

    return strategy.map(spell)


def expressions(kind: Type, depth: int = 3) -> st.SearchStrategy[str]:
    """Texts of expressions of a type, so deep at most; each operand stands in parentheses."""
    if depth == 0:
        return _LEAVES[kind]
    return st.integers(0, 4).flatmap(
        lambda dice: _compound(kind, depth - 1) if dice else _LEAVES[kind]
    )


def _leaf(names: list[str], literals: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.integers(0, 3).flatmap(lambda dice: st.sampled_from(names) if dice else literals)


_LEAVES: dict[Type, st.SearchStrategy[str]] = {
    Type.INTEGER: _leaf(["i", "j"], spelled(integers)),
    Type.DOUBLE: _leaf(["x", "y"], spelled(doubles)),
    Type.TEXT: _leaf(["s", '"odd ""name"""'], spelled(texts)),
    Type.BOOLEAN: _leaf(["b"], st.sampled_from(["true", "false"])),
    Type.TIME: _leaf(["t"], st.just("timestamp '2024-02-29 12:34:56.789'")),
}

_TEMPLATES: dict[Type, list[str]] = {
    Type.INTEGER: [
        *("I + I", "I - I", "I * I", "I // I", "I % I", "-I", "-(-I)"),
        *("abs(I)", "round(I)", "floor(I)", "length(T)", "hour(M)", "minute(M)", "day_of_week(M)"),
        *("cast(T as integer)", "cast(D as integer)", "B::int"),
    ],
    Type.DOUBLE: [
        *("D + D", "D - D", "D * D", "D / D", "I / I", "D % D", "-D", "I + D", "D * I"),
        *("abs(D)", "round(D)", "floor(D)", "ceil(D)", "sqrt(D)", "sqrt(I)", "epoch(M)"),
        *("round(D, 0)", "round(D, 2)", "round(D, 15)", "T::double", "cast(I as double)"),
    ],
    Type.TEXT: [
        *("T || T", "lower(T)", "upper(T)", "trim(T)", "substr(T, 2)", "substr(T, 1, 2)"),
        *("split_part(T, ',', 2)", "split_part(T, '.', -1)", "replace(T, 'a', T)"),
        *("cast(I as text)", "cast(B as text)", "cast(D as text)"),
    ],
    Type.BOOLEAN: [
        *("I = I", "I < I", "I >= D", "D != D", "D <= D", "T = T", "T < T", "T >= T", "M > M"),
        *("B = B", "not B", "B and B", "B or B", "B and B or B", "B and not B"),
        *("I between I and I", "D not between I and D", "T between T and T"),
        *("I in (1, 2, -1)", "D in (0.5, 1)", "I not in (0.5, 500)", "T in ('abc', '')"),
        *("T like 'a%'", "T not like '%b_c'", "T ilike 'AB%'", "T like '_'", "T like '%\\%'"),
        *("T like '%a%b%'", "T ilike '%É_%'", "T like '%%'", "T like ''"),
        *("I is null", "D is not null", "B is null", "T is not null"),
        *("starts_with(T, T)", "ends_with(T, T)", "contains(T, T)", "cast(T as boolean)"),
    ],
    Type.TIME: [],
}
_GENERIC = [
    *("coalesce(X, X)", "coalesce(X, X, null)", "nullif(X, X)", "case when B then X end"),
    *("case when B then X when B then X else X end", "case X when X then X else X end"),
]
_ORDERED = ["least(X, X)", "greatest(X, X, X)"]
_HOLES = {
    "I": Type.INTEGER,
    "D": Type.DOUBLE,
    "T": Type.TEXT,
    "B": Type.BOOLEAN,
    "M": Type.TIME,
}


@st.composite
def _compound(draw: st.DrawFn, kind: Type, depth: int) -> str:
    ordered = [] if kind is Type.BOOLEAN else _ORDERED
    template = draw(st.sampled_from([*_TEMPLATES[kind], *_GENERIC, *ordered]))
    return fill(draw, template, kind, depth)


def fill(draw: st.DrawFn, template: str, kind: Type, depth: int) -> str:
    text, at = "", 0
    for at, letter in enumerate(template):
        alone = not (template[at - 1 : at].isalpha() or template[at + 1 : at + 2].isalpha())
        hole = kind if letter == "X" else _HOLES.get(letter)
        quotes = template.count("'", 0, at) % 2 == 1
        text += letter
        if hole is not None and alone and not quotes:
            text = f"{text[:-1]}({draw(expressions(hole, depth))})"
    return text


typed_expressions = st.sampled_from([kind for kind in Type if kind is not Type.NULL]).flatmap(
    expressions
)


@dataclass(frozen=True)
class Outcome:
    """Values and failures, row by row; times are microseconds."""

    values: list[object]
    failed: list[bool]


def connection() -> duckdb.DuckDBPyConnection:
    connected = duckdb.connect()
    connected.execute("SET TimeZone = 'UTC'")
    return connected


def in_duckdb(
    connected: duckdb.DuckDBPyConnection, node: Node, data: Sequence[Row], sql: str | None = None
) -> Outcome:
    """What DuckDB gives for the SQL of an expression (or for ``sql``) over the rows."""
    table = pa.table(
        {name: pa.array([row[name] for row in data], ARROW[kind]) for name, kind in COLUMNS.items()}
    )
    connected.register("data", table)
    value = sql or to_sql(node)
    if node.type is Type.TIME:
        value = f"epoch_us({value})"
    query = f"SELECT {value} AS v, {failure_sql(node) or 'false'} AS f FROM data"
    found = connected.sql(query).to_arrow_table()
    if node.type is not Type.TIME:
        assert found.schema.field("v").type == ARROW[node.type]
    return Outcome(found["v"].to_pylist(), found["f"].to_pylist())


def as_values(data: Sequence[Row]) -> dict[str, Values]:
    """The rows as columns of the evaluator; nulls stand on leftovers, as real ones do."""
    columns = {}
    for name, kind in COLUMNS.items():
        cells = [row[name] for row in data]
        filler = None if kind is Type.TEXT else 1
        array: Data = np.array([filler if cell is None else cell for cell in cells], DTYPES[kind])
        valid = np.array([cell is not None for cell in cells])
        columns[name] = Values(array, None if valid.all() else valid)
    return columns


def as_outcome(values: Values) -> Outcome:
    """The evaluator's result, row by row."""
    cells = values.data.tolist()
    valid = values.is_valid.tolist()
    shown = [cell if ok else None for cell, ok in zip(cells, valid, strict=True)]
    return Outcome(shown, values.has_failed.tolist())
