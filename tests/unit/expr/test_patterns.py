"""Regular expressions: what is taken compiles in DuckDB, what it would refuse is refused before."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.expr.patterns import PatternFault, groups_of

TAKEN = [
    *(("", 0), ("a|b", 0), ("(a)(?:b)(?P<n>c)", 2), ("(?i)get", 0), ("(?is:a.b)", 0), ("^a$", 0)),
    *((r"\d+\.\d+", 0), (r"[^]a]".replace("]a", r"\]a"), 0), (r"[\w.-]+@[a-z0-9-]+", 0)),
    *((r"[[:alpha:]_][[:^space:]]*", 0), (r"\x41\x{1F600}", 0), (r"a{2}b{2,}c{2,5}?d??", 0)),
    *((r"\{\"id\": ?(\d+)\}", 1), ("(a{100}){10}", 1), ("[a-c-]", 0), ("[-a]", 0), ("()|", 1)),
    *((r"\\\[\]\ \%", 0), (r"\bword\B\A\z", 0), ("é+ü?", 0), ("(a(b(c)))", 3), ("[a&&[]", 0)),
]
REFUSED = [
    *(("(a", 0), ("a)", 1), ("[a", 0), ("[]", 1), ("[z-a]", 1), (r"[a-\d]", 1), ("*a", 0)),
    *(("a|*", 2), ("a**", 2), ("a{2}{3}", 4), ("a{", 1), ("a{,3}", 1), ("a{3,2}", 1)),
    *(("a{1001}", 1), ("(a{100}){11}", 8), ("^*", 1), (r"\b+", 2), (r"\1", 0), (r"\p{L}", 0)),
    *((r"\Z", 0), ("\\", 0), (r"\x{110000}", 0), ("(?=a)", 0), ("(?<n>a)", 0), ("(?P=n)", 0)),
    *(("(?P<n>a)(?P<n>b)", 8), ("[[:foo:]]", 1), ("a" * 5001, 0), ("(" * 60 + ")" * 60, 51)),
    *((r"[\b]", 1), (r"\é", 0), ("(?i)*", 4), ("[a-", 0)),
]
DUCK = duckdb.connect()


def compile_in_duckdb(pattern: str) -> None:
    query = (
        "SELECT regexp_matches(x, $1), regexp_extract(x, $1) FROM (SELECT repeat('aé1 \n', 9) x)"
    )
    DUCK.execute(query, [pattern]).fetchall()


@pytest.mark.parametrize(("pattern", "groups"), TAKEN)
def test_taken(pattern: str, groups: int) -> None:
    assert groups_of(pattern) == groups
    compile_in_duckdb(pattern)


@pytest.mark.parametrize(("pattern", "at"), REFUSED)
def test_refused_with_the_character(pattern: str, at: int) -> None:
    with pytest.raises(PatternFault) as raised:
        groups_of(pattern)
    assert raised.value.at == at


symbols = st.sampled_from(
    [
        *("(?:", "(?P<n>", "(?i)", "[^", "[[:alpha:]]", "{2,3}", "{1000}", "[a-z]", "a-", "(a|b)"),
        *(r"\d", r"\W", r"\b", r"\S", r"\x41", r"\x{e9}", r"\]", *"ab1é()[]{}|*+?^$.\\-,:&="),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    pattern=st.lists(symbols, max_size=12).map("".join)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
)
def test_whatever_is_taken_compiles(pattern: str) -> None:
    fault = fault_of(pattern)
    if fault is None:
        compile_in_duckdb(pattern)
    else:
        assert 0 <= fault.at <= len(pattern)


def fault_of(pattern: str) -> PatternFault | None:
    try:
        groups_of(pattern)
    except PatternFault as fault:
        return fault
    return None


LARGE = [
    r"\W",
    "[^\\x00-\\x7f]",
    "(?i:[^k])",
    "(?s:.)",
    "[^é]",
    "[[:^alpha:]]",
    "(?:a|é)",
    "(?:ab?)",
]


@pytest.mark.parametrize("part", LARGE)
def test_the_largest_patterns_compile(part: str) -> None:
    size = 5000 // max(1, part.count("a") + part.count("b") + part.count("é") + 2)
    repeated = f"{part}{{{min(size, 1000)}}}" * max(1, size // 1000)
    groups_of(repeated)
    compile_in_duckdb(repeated)
