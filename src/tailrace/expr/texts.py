"""Scalar functions of text. Letters are the 26 of ASCII wherever case matters."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from tailrace.expr.nodes import Call, Literal, Node, Type
from tailrace.expr.patterns import a_pattern, groups_of
from tailrace.expr.signature import Function, Parameter, SqlMaker, Variant, some_text, whole_number
from tailrace.expr.sqltext import BLANKS, bind, text_literal

TEXT, INTEGER, BOOLEAN = Type.TEXT, Type.INTEGER, Type.BOOLEAN
FARTHEST = 1_000_000
"""The largest position or number of a part that can be asked for."""


_TO_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_TO_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def lower_sql(sql: str) -> str:
    """ASCII letters to lower case; `translate` is exact but slow, so only for other texts."""
    return _cased(sql, "lower", ascii_uppercase, ascii_lowercase)


def lower_ascii(text: str) -> str:
    """The same of a Python text."""
    return text.translate(_TO_LOWER)


def upper_ascii(text: str) -> str:
    """ASCII letters of a Python text to upper case."""
    return text.translate(_TO_UPPER)


def _cased(sql: str, function: str, from_: str, to: str) -> str:
    other = f"translate({{v}}, '{from_}', '{to}')"
    body = f"CASE WHEN strlen({{v}}) = length({{v}}) THEN {function}({{v}}) ELSE {other} END"
    return bind(sql, body)


def _lower(_call: Call, args: Sequence[str]) -> str:
    return lower_sql(args[0])


def _upper(_call: Call, args: Sequence[str]) -> str:
    return _cased(args[0], "upper", ascii_lowercase, ascii_uppercase)


def _has_group(args: Sequence[Node]) -> str | None:
    """The complaint about a group that the pattern doesn't have."""
    pattern, group = (arg.value for arg in args[1:] if isinstance(arg, Literal))
    groups = groups_of(str(pattern))
    if isinstance(group, int) and group > groups:
        return f"the pattern has {groups} group{'s' * (groups != 1)}, no group {group}"
    return None


def _part(_call: Call, args: Sequence[str]) -> str:
    text, separator, number = args
    part = f"coalesce(string_split({{v}}, {separator})[{number}], '')"
    return bind(text, f"CASE WHEN {{v}} IS NOT NULL THEN {part} END")


def _of_text(
    name: str,
    result: Type,
    sql: str | SqlMaker,
    doc: str,
    example: tuple[str, str],
    *more: Parameter,
) -> Function:
    variant = Variant((Parameter("x", TEXT), *more), result, sql)
    return Function(name, (variant,), doc, *example)


FUNCTIONS = (
    Function(
        "lower",
        (Variant((Parameter("x", TEXT),), TEXT, _lower),),
        "The letters A-Z become a-z; all other characters stay.",
        "lower('GET')",
        "'get'",
    ),
    Function(
        "upper",
        (Variant((Parameter("x", TEXT),), TEXT, _upper),),
        "The letters a-z become A-Z; all other characters stay.",
        "upper('get')",
        "'GET'",
    ),
    _of_text(
        "length",
        INTEGER,
        "length({0})",
        "The number of characters (Unicode code points).",
        ("length('über')", "4"),
    ),
    _of_text(
        "trim",
        TEXT,
        f"trim({{0}}, {text_literal(BLANKS)})",
        "Without the blanks (space, tab, line ends, form feed) at both ends.",
        ("trim('  a b ')", "'a b'"),
    ),
    Function(
        "substr",
        (
            Variant(
                (
                    Parameter("x", TEXT),
                    Parameter("start", INTEGER, check=whole_number(1, FARTHEST)),
                    Parameter("length", INTEGER, optional=True, check=whole_number(0, FARTHEST)),
                ),
                TEXT,
                "substr({})",
            ),
        ),
        "The characters from `start` (the first is 1), at most `length` of them.",
        "substr('abcdef', 2, 3)",
        "'bcd'",
    ),
    _of_text(
        "split_part",
        TEXT,
        _part,
        "The part number `n` of x cut at `separator`; negative numbers count from the end. "
        "A part that is not there is the empty text.",
        ("split_part('GET /a HTTP/1.1', ' ', 2)", "'/a'"),
        Parameter("separator", TEXT, check=some_text),
        Parameter("n", INTEGER, check=whole_number(-FARTHEST, FARTHEST, 0)),
    ),
    _of_text(
        "starts_with",
        BOOLEAN,
        "starts_with({0}, {1})",
        "Whether x begins with y.",
        ("starts_with('/api/v1', '/api/')", "true"),
        Parameter("y", TEXT),
    ),
    _of_text(
        "ends_with",
        BOOLEAN,
        "ends_with({0}, {1})",
        "Whether x ends with y.",
        ("ends_with('a.php', '.php')", "true"),
        Parameter("y", TEXT),
    ),
    _of_text(
        "contains",
        BOOLEAN,
        "contains({0}, {1})",
        "Whether y occurs in x.",
        ("contains('a=1&b=2', 'b=')", "true"),
        Parameter("y", TEXT),
    ),
    Function(
        "regexp_matches",
        (
            Variant(
                (Parameter("x", TEXT), Parameter("pattern", TEXT, check=a_pattern)),
                BOOLEAN,
                "regexp_matches({0}, {1})",
            ),
        ),
        "Whether the regular expression matches somewhere in x.",
        "regexp_matches('/wp-login.php', '^/wp-[a-z]+[.]php$')",
        "true",
        row_only=True,
    ),
    Function(
        "regexp_extract",
        (
            Variant(
                (Parameter("x", TEXT), Parameter("pattern", TEXT, check=a_pattern)),
                TEXT,
                "regexp_extract({0}, {1})",
            ),
            Variant(
                (
                    Parameter("x", TEXT),
                    Parameter("pattern", TEXT, check=a_pattern),
                    Parameter("group", INTEGER, check=whole_number(0, 99)),
                ),
                TEXT,
                "regexp_extract({0}, {1}, {2}::INTEGER)",
                agree=_has_group,
            ),
        ),
        "What the regular expression matches first in x, or the given group of it; the empty text "
        "where nothing matches.",
        "regexp_extract('GET /a/b HTTP/1.1', '/([a-z]+)', 1)",
        "'a'",
        row_only=True,
    ),
    _of_text(
        "replace",
        TEXT,
        "replace({0}, {1}, {2})",
        "Each occurrence of `from` in x becomes `to`.",
        ("replace('a-b-c', '-', '.')", "'a.b.c'"),
        Parameter("from", TEXT, check=some_text),
        Parameter("to", TEXT),
    ),
)
