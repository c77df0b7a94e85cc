"""What expressions mean, as a table, in DuckDB and in NumPy. `FAILS` is a counted null."""

from __future__ import annotations

import pytest
from tests.unit.expr.generated import SCOPE, Row, as_outcome, as_values, connection, in_duckdb

from tailrace.expr.evaluate import evaluate
from tailrace.expr.functions import REGISTRY
from tailrace.expr.nodes import Literal, Type
from tailrace.expr.parse import parse
from tailrace.expr.scope import Scope

FAILS = "fails"
LEAST, GREATEST = -(2**63), 2**63 - 1

ROW: Row = {
    "i": 7,
    "j": LEAST,
    "x": 2.5,
    "y": 1e308,
    "s": "GET /a?q=É HTTP/1.1",
    'odd "name"': "::ffff:192.0.2.77",
    "b": True,
    "t": -1,  # one microsecond before 1970
}
NULLS: Row = dict.fromkeys(ROW)

NUMBERS = [
    ("1 + 2 * 3", 7),
    ("-7 // 2", -3),
    ("-7 % 2", -1),
    ("7 % (-2)", 1),
    ("7 / 2", 3.5),
    ("-0.5 % 0.5", 0.0),
    ("i / 0", FAILS),
    ("i // 0", FAILS),
    ("i % 0", FAILS),
    ("x / 0", FAILS),
    ("x % 0.0", FAILS),
    ("j - 1", FAILS),
    ("-j", FAILS),
    ("j // (-1)", FAILS),
    ("j % (-1)", 0),
    ("abs(j)", FAILS),
    ("j + i", LEAST + 7),
    (f"{GREATEST} + 1", FAILS),
    (f"{GREATEST} * 1", GREATEST),
    (f"{2**62} * 2", FAILS),
    ("3037000500 * 3037000500", FAILS),
    ("1000000 * 1000000", 10**12),
    ("y * 10", FAILS),
    ("y + y", FAILS),
    ("-y - y", FAILS),
    ("y / 1e-10", FAILS),
    ("5e-324 * 0.5", 0.0),
    ("0.0 * (-1)", 0.0),
    ("-0.0", 0.0),
    ("x = 2.5 and i = 7.0", True),
    ("9007199254740993 = 9007199254740992.0", True),  # the integer widens
    ("round(2.5)", 3.0),
    ("round(-2.5)", -3.0),
    ("round(0.49999999999999994)", 0.0),
    ("round(-0.4)", 0.0),
    ("round(2.675, 2)", 2.68),  # 267.49999999999994 in doubles would be 2.67
    ("round(y, 2)", FAILS),
    ("round(i)", 7),
    ("ceil(-0.5)", 0.0),
    ("floor(-0.5)", -1.0),
    ("sqrt(-1)", FAILS),
    ("sqrt(-5e-324)", FAILS),
    ("sqrt(0)", 0.0),
    ("i between 7 and 8", True),
    ("i not between 7 and 8", False),
]
CASTS = [
    ("cast(' +12 ' as integer)", 12),
    ("cast('0000000000000000000000000012' as integer)", 12),
    ("cast('9223372036854775808' as integer)", FAILS),
    ("cast('-9223372036854775808' as integer)", LEAST),
    *((f"cast('{text}' as integer)", FAILS) for text in ("", "1.0", "1e3", "0x1f", "1_0", "- 1")),
    ("cast('٣' as integer)", FAILS),
    ("cast('1e3' as double)", 1000.0),
    ("cast('.5' as double)", 0.5),
    ("cast('-0' as double)", 0.0),
    *((f"cast('{text}' as double)", FAILS) for text in ("nan", "inf", "1e400", "1,5", ".", "1_0")),
    ("cast('1e-400' as double)", 0.0),
    ("cast('TRUE' as boolean)", True),
    ("cast('0' as boolean)", False),
    ("cast('yes' as boolean)", FAILS),
    ("cast(-2.9 as integer)", -2),
    ("cast(9223372036854775808.0 as integer)", FAILS),
    ("cast(-9223372036854775808.0 as integer)", LEAST),
    ("cast(1e16 as text)", "1e+16"),
    ("cast(100.0 as text)", "100.0"),
    ("cast(0.1 + 0.2 as text)", "0.30000000000000004"),
    ("cast(true as text) || cast(1 as text)", "true1"),
    ("cast(b as integer) + 1", 2),
    ("i::double / 2", 3.5),
    ("-'5'::integer", -5),
]
TEXTS = [
    ("split_part(s, ' ', 2)", "/a?q=É"),
    ("split_part(s, ' ', -1)", "HTTP/1.1"),
    ("split_part(s, ' ', 4)", ""),
    ("substr(s, 10, 1)", "É"),
    ("lower('ÀB')", "Àb"),
    ("upper('éß')", "éß"),
    ("length('👍🏽')", 2),
    ("trim('\t a\u00a0 ')", "a\u00a0"),
    ("s like 'GET%'", True),
    ("s like 'get%'", False),
    ("s ilike 'get%q=_ http/1.1'", True),
    ("s not like '%\\%'", True),
    ("'É' ilike 'é'", False),
    ("'50%' like '50%'", True),
    ("'a' < 'B'", False),
    ("'\uffff' < '\U00010000'", True),  # by UTF-8 bytes, not UTF-16
    ("'a' || 'b' || 'c' = 'abc'", True),
    ("1 + 2 = 3 and 'a' || 'b' like 'a%'", True),
    ("replace('aaa', 'aa', 'b')", "ba"),
    ("'it''s'", "it's"),
    ("'a\\n'", "a\\n"),
    ("'a' in ('b', 'a')", True),
]
ADDRESSES = [
    ("ip_prefix('154.85.126.200', 25)", "154.85.126.128/25"),
    ("ip_prefix('154.85.126.200', 0)", "0.0.0.0/0"),
    ("ip_prefix('154.85.126.200', 32)", "154.85.126.200/32"),
    ("ip_prefix('2001:DB8:0:0:1::1', 24)", "2001:db8::/64"),
    ("ip_prefix('2001:db8::1', 24, 128)", "2001:db8::1/128"),
    ("ip_prefix('1:0:0:2:0:0:0:3', 24, 128)", "1:0:0:2::3/128"),
    ('ip_prefix("odd ""name""", 24)', "192.0.2.0/24"),
    *(
        (f"ip_prefix('{text}', 24)", FAILS)
        for text in ("", "1.2.3", "01.2.3.4", "1.2.3.4 ", "::1%a")
    ),
    ("ip_prefix('1:2:3:4::5:6:7:8', 24)", FAILS),
    ("cidr_contains('10.255.0.1', '10.0.0.0/8')", True),
    ("cidr_contains('11.0.0.1', '10.0.0.0/8')", False),
    ("cidr_contains('::1', '0.0.0.0/0')", False),
    ("cidr_contains('fe80::1', 'fe80::/10')", True),
    ('cidr_contains("odd ""name""", \'192.0.2.0/24\')', True),
    ("cidr_contains('-', '10.0.0.0/8')", FAILS),
    (r"hex_address('\0x7f\0x00\0x00\0x01', 1)", "127.0.0.1"),
    (r"hex_address('\0xFF\0xff\0x0A\0x00\0x7f\0x00\0x00\0x01', 1)", "255.255.10.0"),
    (r"hex_address('\0x7f\0x00\0x00\0x01x', 1)", "127.0.0.1"),
    *(
        (f"hex_address('{text}', 1)", FAILS)
        for text in ("", r"\0x7f\0x00\0x00", r"\0x7f\0x00\0x00\0x0g", r"é0x7f\0x00\0x00\0x01")
    ),
    (r"hex_address('\0x7f\0x00\0x00\0x01', 2)", FAILS),
]
TIMES = [
    ("hour(t)", 23),
    ("minute(t)", 59),
    ("day_of_week(t)", 3),  # a Wednesday
    ("epoch(t)", -1e-6),
    ("t < timestamp '1970-01-01'", True),
    ("t = timestamp '1969-12-31 23:59:59.9999999'", True),  # finer digits are cut
    ("timestamp '2024-01-01T01:00:00+01:00' = timestamp '2024-01-01 00:00Z'", True),
]
NULL_LOGIC = [
    ("i is null", True),
    ("i = 1", None),
    ("not (i = 1)", None),
    ("i = 1 and false", False),
    ("i = 1 or true", True),
    ("i = 1 or false", None),
    ("i in (1, 2)", None),
    ("i between 1 and 2", None),
    ("s like '%'", None),
    ("s || 'a'", None),
    ("coalesce(i, 5)", 5),
    ("least(i, 3)", 3),
    ("greatest(i, null, 3)", 3),
    ("nullif(3, i)", 3),
    ("case when b then 1 else 2 end", 2),
    ("case i when 1 then 'a' end", None),
    ("cast(s as integer)", None),
    ("i / 0", None),
    ("ip_prefix(s, 24)", None),
]
FAILURES = [
    ("1 / 0 > 5", FAILS),
    ("not (1 / 0 > 5)", FAILS),
    ("1 / 0 > 5 or false", FAILS),
    ("1 / 0 > 5 or true", True),
    ("1 / 0 > 5 and false", False),
    ("coalesce(1 / 0, 2)", 2.0),
    ("coalesce(1 / 0, null)", FAILS),
    ("(1 / 0) is null", True),
    ("least(1 / 0, 2)", 2.0),
    ("nullif(1 / 0, 2)", FAILS),
    ("nullif(2, 1 / 0)", 2.0),
    ("nullif(2.0, 2)", None),
    ("case when i = 7 then 1 else 1 // 0 end", 1),
    ("case when i = 8 then 1 else 1 // 0 end", FAILS),
    ("case when i = 8 then 1 // 0 end", None),
    ("case when 1 / 0 > 5 then 1 end", FAILS),
    ("case when 1 / 0 > 5 then 1 else 2 end", 2),
    ("case when i = 7 then null when 1 / 0 > 5 then 1 end", None),
    ("1 // 0 in (1, 2)", FAILS),
    ("1 // 0 between 1 and 2", FAILS),
    ("cast(1 // 0 as text) like '%'", FAILS),
    ("length(cast(1 // 0 as text))", FAILS),
]
MEANINGS = [
    *((ROW, *case) for case in NUMBERS + CASTS + TEXTS + ADDRESSES + TIMES + FAILURES),
    *((NULLS, *case) for case in NULL_LOGIC),
]
DUCK = connection()


@pytest.mark.parametrize(("row", "text", "value"), MEANINGS)
def test_means_the_same_everywhere(row: Row, text: str, value: object) -> None:
    node = parse(text, SCOPE)
    expected = ([None], [True]) if value == FAILS else ([value], [False])
    in_sql = in_duckdb(DUCK, node, [row])
    in_numpy = as_outcome(evaluate(node, as_values([row]), 1))
    assert (in_sql.values, in_sql.failed) == expected
    assert (in_numpy.values, in_numpy.failed) == expected
    assert [type(cell) for cell in in_numpy.values] == [type(cell) for cell in in_sql.values]


@pytest.mark.parametrize("name", REGISTRY)
def test_the_examples_of_the_reference_are_true(name: str) -> None:
    function = REGISTRY[name]
    node = parse(function.example, Scope({}))
    given = None if function.gives == "null" else constant(function.gives)
    assert in_duckdb(DUCK, node, [ROW]).values == [given]
    if not function.row_only:
        assert as_outcome(evaluate(node, {}, 1)).values == [given]


def constant(text: str) -> object:
    node = parse(text, Scope({}))
    assert isinstance(node, Literal)
    assert node.type is not Type.TIME
    return node.value
