"""Text to trees: what is taken for what, in canonical text; and that no text does harm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.expr.generated import COLUMNS, SCOPE, connection, in_duckdb

from tailrace.expr.functions import REGISTRY
from tailrace.expr.grammar import RESERVED
from tailrace.expr.lexer import SYMBOLS
from tailrace.expr.nodes import Aggregate, Cast, Node, Span, Type
from tailrace.expr.parse import ExpressionError, ExpressionProblem, parse
from tailrace.expr.parts import parts, walk
from tailrace.expr.render import render
from tailrace.expr.scope import Scope

WINDOW = Scope(COLUMNS, aggregates=True, keys=frozenset({"s", "i"}))

CANONICAL = [
    ("I = 1".replace("I", "i"), "i = 1", Type.BOOLEAN),
    ("i==1 AND NOT b OR b", "i = 1 and not b or b", Type.BOOLEAN),
    ("i <> 1", "i != 1", Type.BOOLEAN),
    ("((i)) + (1)", "i + 1", Type.INTEGER),
    ("i - (1 - 2)", "i - (1 - 2)", Type.INTEGER),
    ("(i - 1) - 2", "i - 1 - 2", Type.INTEGER),
    ("(i + 1) * 2", "(i + 1) * 2", Type.INTEGER),
    ("-i * 2", "-i * 2", Type.INTEGER),
    ("- 5", "-5", Type.INTEGER),
    ("-(-5)", "5", Type.INTEGER),
    ("+5", "5", Type.INTEGER),
    ("2 - -5", "2 - -5", Type.INTEGER),
    ("-9223372036854775808", "-9223372036854775808", Type.INTEGER),
    (".5", "0.5", Type.DOUBLE),
    ("1.", "1.0", Type.DOUBLE),
    ("1E3", "1000.0", Type.DOUBLE),
    ("x > 1", "x > 1.0", Type.BOOLEAN),
    ("i > 1.5", "i > 1.5", Type.BOOLEAN),
    ("i / j", "i / j", Type.DOUBLE),
    ("b or (b and b)", "b or b and b", Type.BOOLEAN),
    ("(b or b) and b", "(b or b) and b", Type.BOOLEAN),
    ("b and (b and (b and b))", "b and b and b and b", Type.BOOLEAN),
    ("not (b and b)", "not (b and b)", Type.BOOLEAN),
    ("not i = 1", "not i = 1", Type.BOOLEAN),
    ("(not b) = b", "(not b) = b", Type.BOOLEAN),
    ("(i = 1) is null", "(i = 1) is null", Type.BOOLEAN),
    ("i is not null", "i is not null", Type.BOOLEAN),
    ("i >= 1 and i <= 2", "i between 1 and 2", Type.BOOLEAN),
    ("i not between 1 and 2", "not i between 1 and 2", Type.BOOLEAN),
    ("i in (-1, 2)", "i in (-1, 2)", Type.BOOLEAN),
    ("i not in (1, 2.5)", "i not in (1.0, 2.5)", Type.BOOLEAN),
    ("s || 'a' || s", "s || 'a' || s", Type.TEXT),
    ("s || (s || s)", "s || (s || s)", Type.TEXT),
    ("s || 'a' like 'b%'", "s || 'a' like 'b%'", Type.BOOLEAN),
    ("s NOT ILIKE 'it''s'", "s not ilike 'it''s'", Type.BOOLEAN),
    ("case i when 1 then 2 end", "case when i = 1 then 2 else null end", Type.INTEGER),
    ("case when b then 1 else 2.5 end", "case when b then 1.0 else 2.5 end", Type.DOUBLE),
    ("s::int + 1", "cast(s as integer) + 1", Type.INTEGER),
    ("-s::int", "-cast(s as integer)", Type.INTEGER),
    ("try_cast(s as double precision)", "cast(s as double)", Type.DOUBLE),
    ("cast(i as bigint)", "i", Type.INTEGER),
    ("cast(null as integer)", "cast(null as integer)", Type.INTEGER),
    ("Coalesce(i, 2.5)", "coalesce(i, 2.5)", Type.DOUBLE),
    ("coalesce(null, s)", "coalesce(null, s)", Type.TEXT),
    ('"odd ""name"""', '"odd ""name"""', Type.TEXT),
    ("t > TIMESTAMP '2024-01-01T02:00+02:00'", "t > timestamp '2024-01-01 00:00:00'", Type.BOOLEAN),
    ("i -- the status\n > 5 -- and so on", "i > 5", Type.BOOLEAN),
    (" \t\n i \f\v\r ", "i", Type.INTEGER),
]
AGGREGATES = [
    ("COUNT( * )", "count(*)", Type.INTEGER),
    ("count(x)", "count(x)", Type.INTEGER),
    ("count(distinct lower(s))", "count(distinct lower(s))", Type.INTEGER),
    ("count_if(i >= 500)", "count(*) filter (where i >= 500)", Type.INTEGER),
    (
        "count_if(b) filter (where i > 5)",
        "count(*) filter (where i > 5 and b)",
        Type.INTEGER,
    ),
    ("sum(i)", "sum(i)", Type.INTEGER),
    ("sum(x)", "sum(x)", Type.DOUBLE),
    ("mean(i)", "avg(i)", Type.DOUBLE),
    ("min(s)", "min(s)", Type.TEXT),
    ("max(t)", "max(t)", Type.TIME),
    ("stddev_samp(x)", "stddev(x)", Type.DOUBLE),
    ("median(x)", "quantile(x, 0.5)", Type.DOUBLE),
    ("quantile(i, 0.999)", "quantile(i, 0.999)", Type.DOUBLE),
    ("quantile(x, 1)", "quantile(x, 1)", Type.DOUBLE),
    ("sum(x) filter (where b) / count(*)", "sum(x) filter (where b) / count(*)", Type.DOUBLE),
    ("max(regexp_extract(s, 'a(b)', 1))", "max(regexp_extract(s, 'a(b)', 1))", Type.TEXT),
    ("s = 'a' and count(*) > i", "s = 'a' and count(*) > i", Type.BOOLEAN),
]


@pytest.mark.parametrize(
    ("scope", "text", "canonical", "kind"),
    [*((SCOPE, *case) for case in CANONICAL), *((WINDOW, *case) for case in AGGREGATES)],
)
def test_reads_and_renders(scope: Scope, text: str, canonical: str, kind: Type) -> None:
    node = parse(text, scope)
    assert (render(node), node.type) == (canonical, kind)
    assert parse(canonical, scope) == node


def test_quantiles_take_doubles_and_exact_ranks() -> None:
    node = parse("quantile(i, 0.95)", WINDOW)
    assert isinstance(node, Aggregate)
    assert isinstance(node.arg, Cast)
    assert node.q is not None
    assert (node.arg.implicit, node.q.numerator, node.q.denominator) == (True, 19, 20)


def test_parts_are_the_conditions_that_and_and_or_join() -> None:
    node = parse("i = 1 and (b or not (b and b)) and s = ''", SCOPE)
    assert [render(part) for part in parts(node)] == ["i = 1", "b", "not (b and b)", "s = ''"]


def test_spans_are_the_characters_of_each_part() -> None:
    text = "not (i + 10 = 5) or coalesce(s, 'a') like 'b%'"

    def written(node: Node) -> str:
        return text[node.span.start : node.span.end]

    assert [written(node) for node in walk(parse(text, SCOPE))] == [
        *(text, "not (i + 10 = 5", "i + 10 = 5", "i + 10", "i", "10", "5"),
        *("coalesce(s, 'a') like 'b%'", "coalesce(s, 'a')", "s", "'a'"),
    ]


pieces = st.one_of(
    st.sampled_from([*REGISTRY, *RESERVED, *SYMBOLS, *COLUMNS, "count", "sum", "quantile"]),
    st.sampled_from(
        ["1", "0.5", "'a'", "''", "''''", "(", ")", "1e9", "timestamp", "'2024-01-01'"]
    ),
    st.sampled_from(
        ["integer", "*", "distinct", "filter (where", "@", "$", "[", "]", "{", ";", "\0"]
    ),
    st.text(max_size=3),
)
soups = st.one_of(
    st.text(max_size=60),
    st.lists(pieces, max_size=25).map(" ".join),
    st.lists(pieces, max_size=25).map("".join),
    st.tuples(
        st.sampled_from(["(", "-", "not ", "lower(", "case when "]), st.integers(0, 3000)
    ).map(lambda drawn: drawn[0] * drawn[1]),
)


@settings(max_examples=400, deadline=None)
@given(text=soups, window=st.booleans())
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str, window: bool) -> None:
    for problem in problems(text, WINDOW if window else SCOPE):
        assert isinstance(problem.span, Span)
        assert 0 <= problem.span.start <= problem.span.end <= len(text)


def problems(text: str, scope: Scope) -> tuple[ExpressionProblem, ...]:
    try:
        parse(text, scope)
    except ExpressionError as error:
        return error.problems if error.render() else ()
    return ()


operands = st.sampled_from(["i", "2", "3", "7", "(i - 4)"])
sums = st.lists(st.sampled_from(["+", "-", "*", "//", "%"]), max_size=5).flatmap(
    lambda ops: st.tuples(*[operands] * (len(ops) + 1)).map(
        lambda drawn: " ".join(
            [drawn[0], *(f"{o} {v}" for o, v in zip(ops, drawn[1:], strict=True))]
        )
    )
)
tests = st.one_of(
    st.tuples(sums, st.sampled_from(["=", "<>", "<", ">=", "!="]), sums).map(" ".join),
    st.tuples(sums, sums, sums).map(lambda drawn: "{} between {} and {}".format(*drawn)),
    sums.map(lambda text: f"{text} not in (1, 2, 5)"),
    st.sampled_from(["s || 'b' like 'a%'", "b", "i is not null", "s || 'c' = 'a' || 'c'"]),
)
conditions = st.lists(
    st.tuples(st.sampled_from(["and", "or"]), st.booleans(), tests), min_size=1, max_size=5
)
DUCK = connection()


@settings(max_examples=40, deadline=None)
@given(drawn=conditions)
def test_operators_bind_as_in_sql(drawn: list[tuple[str, bool, str]]) -> None:
    """What can't fail gives in DuckDB, as written, what our SQL for it gives."""
    text = " ".join(f"{op} {'not ' * negated}{test}" for op, negated, test in drawn)
    text = text.removeprefix("and ").removeprefix("or ")
    row = {**dict.fromkeys(COLUMNS), "i": 11, "s": "a", "b": True}
    node = parse(text, SCOPE)
    assert in_duckdb(DUCK, node, [row]) == in_duckdb(DUCK, node, [row], text)
