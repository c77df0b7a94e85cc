"""The SQL itself: bare where nothing can go wrong, and no way out of names and literals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.expr.generated import SCOPE, connection

from tailrace.expr.nodes import Column, Literal, Type
from tailrace.expr.parse import parse
from tailrace.expr.scope import Scope
from tailrace.expr.sql import failure_sql, to_sql

BARE = [
    ("i >= 500", '"i" >= 500'),
    ("i between 400 and 499", '"i" BETWEEN 400 AND 499'),
    ("i not between -1 and 499", 'NOT ("i" BETWEEN -1 AND 499)'),
    ("x > 0.05", '"x" > 0.05e0'),
    ("x > 1", '"x" > 1.0e0'),
    ("i > x", '"i"::DOUBLE > "x"'),
    ("s = 'it''s' and b", "(\"s\" = 'it''s') AND \"b\""),
    ("i in (200, 404)", '"i" IN (200, 404)'),
    ("x in (1, 2.5)", '"x" IN (1.0e0, 2.5e0)'),
    ("s like '/api/%' or s is null", '("s" LIKE \'/api/%\') OR ("s" IS NULL)'),
    ('"odd ""name""" != \'\'', '"odd ""name""" != \'\''),
    ("starts_with(s, '/')", "starts_with(\"s\", '/')"),
    ("coalesce(i, 0)", 'coalesce("i", 0::BIGINT)'),
    ("case when b then 1 else 0 end", 'CASE WHEN "b" THEN 1::BIGINT ELSE 0::BIGINT END'),
    ("t >= timestamp '2024-01-01'", "\"t\" >= TIMESTAMPTZ '2024-01-01 00:00:00+00'"),
    ("length(s) * 1000 + 1", '(length("s") * 1000::BIGINT) + 1::BIGINT'),
    ("i // 100", '"i" // 100::BIGINT'),
    ("i % 100", '"i" % 100::BIGINT'),
    ("i / 1000", '"i"::DOUBLE / 1000.0e0 + 0e0'),
    ("not b", 'NOT "b"'),
]
GUARDED = [
    ("i + 1", 'try_cast("i"::HUGEINT + 1::HUGEINT AS BIGINT)'),
    ("i % length(s)", '"i" % list_filter([length("s")], lambda v: v <> 0)[1]'),
    ("x - y", 'list_filter(["x" - "y"], lambda v: isfinite(v))[1]'),
    ("i / j", 'list_filter(["i"::DOUBLE / "j"::DOUBLE], lambda v: isfinite(v))[1] + 0e0'),
]


@pytest.mark.parametrize(("text", "sql"), BARE)
def test_what_cannot_fail_is_bare(text: str, sql: str) -> None:
    node = parse(text, SCOPE)
    assert to_sql(node) == sql
    assert failure_sql(node) is None


@pytest.mark.parametrize(("text", "sql"), GUARDED)
def test_what_can_fail_is_guarded_once(text: str, sql: str) -> None:
    node = parse(text, SCOPE)
    assert to_sql(node) == sql
    assert failure_sql(node) is not None


REPLACED = ["coalesce(i + 1, 0)", "not coalesce(i / 0 > 1, false)", "(i + 1) is null or b"]


@pytest.mark.parametrize("text", REPLACED)
def test_a_null_that_is_replaced_is_no_failure(text: str) -> None:
    assert failure_sql(parse(text, SCOPE)) is None


HOSTILE = [
    "'",
    '"',
    "''",
    '""',
    "\\",
    "\\'",
    "--",
    "/*",
    ";",
    "$$",
    "%",
    "{v}",
    "{0}",
    "é",
    "\n",
    "a",
]
hostile_texts = st.lists(
    st.sampled_from(HOSTILE) | st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
    max_size=8,
).map("".join)
DUCK = connection()


@settings(deadline=None)
@given(text=hostile_texts)
def test_a_text_stays_a_text(text: str) -> None:
    literal = Literal(type=Type.TEXT, value=text)
    assert DUCK.sql(f"SELECT {to_sql(literal)}").fetchall() == [(text,)]
    written = "'" + text.replace("'", "''") + "'"
    assert parse(written, SCOPE) == literal


@settings(deadline=None)
@given(
    name=hostile_texts, wrapped=st.sampled_from(["lower({})", "ip_prefix({}, 20)", "{} like 'v%'"])
)
def test_a_name_stays_a_name(name: str, wrapped: str) -> None:
    column = to_sql(Column(type=Type.TEXT, name=name))
    DUCK.execute(f"CREATE OR REPLACE TABLE odd ({column} VARCHAR)")
    DUCK.execute("INSERT INTO odd VALUES ('10.1.255.1')")
    assert DUCK.execute("SELECT column_name FROM (DESCRIBE odd)").fetchall() == [(name,)]
    quoted = '"' + name.replace('"', '""') + '"'
    node = parse(wrapped.format(quoted), Scope({name: Type.TEXT}))
    expected = {"l": "10.1.255.1", "i": "10.1.240.0/20", "{": False}[wrapped[0]]
    assert DUCK.sql(f"SELECT {to_sql(node)} FROM odd").fetchall() == [(expected,)]


@pytest.mark.parametrize(
    "node", [Column(type=Type.TEXT, name="a\0"), Literal(type=Type.TEXT, value="\0")]
)
def test_what_no_sql_can_hold_is_refused(node: Column | Literal) -> None:
    with pytest.raises(ValueError, match="NUL"):
        to_sql(node)


DEEP = [
    *(("(", "i", ")", 48), ("i + ", "i", "", 49), ("x / ", "y", "", 49), ("x / (", "y", ")", 20)),
    *(("s = 'a' or ", "b", "", 900), ("- ", "x", "", 40), ("nullif(", "x", ", y)", 40)),
    *(("lower(", "s", ")", 40), ("sqrt(", "x", ")", 40), ("coalesce(x / y, ", "x", ")", 40)),
    ("case when b then 1 else ", "i // j", " end", 40),
    ("cast(cast(", "s", " as boolean) as text)", 20),
    ("split_part(ip_prefix(", "s", ", 24), '/', 1)", 12),
]
"""Before, inside and behind, and how often it nests."""
COLUMNS = "1::BIGINT AS i, 0::BIGINT AS j, 1e0 AS x, 0e0 AS y, 'a' AS s, false AS b"


@pytest.mark.parametrize(("before", "inside", "behind", "times"), DEEP)
def test_the_deepest_expressions_run(before: str, inside: str, behind: str, times: int) -> None:
    node = parse(before * times + inside + behind * times, SCOPE)
    sql = to_sql(node)
    assert len(sql) < 30_000
    assert len(DUCK.sql(f"SELECT {sql} FROM (SELECT {COLUMNS})").fetchall()) == 1


@pytest.mark.parametrize(("before", "inside", "behind", "times"), DEEP)
def test_their_failures_grow_with_the_square(
    before: str, inside: str, behind: str, times: int
) -> None:
    def failures(count: int) -> str:
        return failure_sql(parse(before * count + inside + behind * count, SCOPE)) or "false"

    few = min(times // 4, 10)
    assert len(failures(4 * few)) < 20 * len(failures(few))
    assert len(DUCK.sql(f"SELECT {failures(few)} FROM (SELECT {COLUMNS})").fetchall()) == 1
