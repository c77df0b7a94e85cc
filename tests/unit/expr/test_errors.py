"""Each error points at the characters at fault, says what is wrong and, often, what to do."""

from __future__ import annotations

import pytest

from tailrace.expr.nodes import Type
from tailrace.expr.parse import ExpressionError, parse
from tailrace.expr.scope import Scope

FIELDS = {
    "status": Type.INTEGER,
    "request_time": Type.DOUBLE,
    "client_ip": Type.TEXT,
    "host": Type.TEXT,
    "ok": Type.BOOLEAN,
    "seen": Type.TIME,
    "@timestamp": Type.TIME,
}
EVENT = Scope(FIELDS)
WINDOW = Scope(FIELDS, aggregates=True, keys=frozenset({"client_ip"}))
KEYLESS = Scope(FIELDS, aggregates=True)

# The characters at fault stand between « and »; they are no part of the text.
SYNTAX = [
    ("status > «»", "expected a value, found the end", ""),
    ("status > 1«)»", "unexpected ')' after the expression", ""),
    ("(status > 1«»", "expected ')' to close the parenthesis, found the end", ""),
    ("status «500»", "unexpected '500' after the expression", ""),
    ("status > «'500»", "has no end", ""),
    ('«"status > 5»', "has no end", ""),
    ("«@»timestamp > 1", "unexpected character '@'", '"@name"'),
    ("status > 1 «&»& ok", "unexpected character '&'", "`and`"),
    ("status > «10s»", "'10s' is not a number", ""),
    ("status > «1_000»", "'1_000' is not a number", ""),
    ("status > «0x1f»", "'0x1f' is not a number", ""),
    ("status > «1.2.3»", "'1.2.3' is not a number", ""),
    ("ok = true«;» drop table x", "unexpected character ';'", ""),
    ("client_ip in («select» 1)", "queries are not part of expressions", ""),
    ("«exists» (select 1)", "queries are not part of expressions", ""),
    ("(«select» 1) > 0", "queries are not part of expressions", ""),
    ("sum(status) «over» () > 1", "window functions are not part", "`window`"),
    ("length(«host».name) > 1", "there is no reference 'host'", "from: [outer, inner]"),
    ("pg_catalog.version«(») = ''", "unexpected '(' after the expression", ""),
    ("a.b«.»c = 1", "names have two parts at most", "reference.column"),
    ("status < 1 «<» 2", "comparisons can't be chained", "`and`"),
    ("status = 1 «is» null", "comparisons can't be chained", "parentheses"),
    ("ok = «not» ok", "`not` needs parentheses", "(not ...)"),
    ("ok is «true»", "expected `null` after `is`, found 'true'", "="),
    ("host «as» h", "unexpected 'as'", "`select`"),
    ("host like 'a!_%' «escape» '!'", "unexpected 'escape'", "contains"),
    ("host not «=» 'a'", "expected between, in, like or ilike after `not`", ""),
    ("case «end»", "expected a value, found 'end'", '"end"'),
    ("case status «end»", "expected `when`, found 'end'", ""),
    ("case when ok then 1 «»", "expected 'end' to close the case", ""),
    ("status between 1 «»", "expected 'and' between the bounds", ""),
    ("date «'2024-01-01'»", "unexpected text after 'date'", "timestamp '"),
    ("status::«'integer'»", "expected a type", ""),
    ("«*» > 1", "expected a value, found '*'", "count(*)"),
    ("", "expected a value, found the end", ""),
    ("list_filter(«[»1], x -> x > 1)", "unexpected character '['", ""),
    ("length(host -«>» 1)", "expected a value, found '>'", ""),
    ("host = 'a«\0»b'", "U+0000", ""),
    ("host = '«\ud800»'", "U+D800", ""),
    ("(" * 60 + "1" + ")" * 60, "levels of nesting", "derive"),
    ("x" * 10_001, "10001 characters, the limit is 10000", "derive"),
    ("+".join(["status"] * 52), "more than 50 levels of operators", "derive"),
]

TYPES = [
    ("«statuss» > 1", "unknown field 'statuss'", "did you mean status?"),
    ("«STATUS» > 1", "unknown field 'STATUS'", "did you mean status?"),
    ("«zzz» > 1", "unknown field 'zzz'", "fields: status, request_time"),
    ("«current_date» > seen", "unknown field 'current_date'", "moment of the run"),
    ("status = «'500'»", "integer and text don't go together", "without quotes: 500"),
    ("host = «500»", "text and integer don't go together", "in quotes: '500'"),
    ("host > «status»", "text and integer don't go together", "declare host as integer"),
    ("seen > «'2024-01-01'»", "time and text don't go together", "timestamp '2024-01-01'"),
    ("«status» and ok", "must be boolean, not integer", "compare it"),
    ("not «host»", "must be boolean, not text", ""),
    ("status = «null»", "`= null` is never true", "`is null`"),
    ("status in (1, «null»)", "`in` can't look for null", ""),
    ("status in (1, «status»)", "`in` takes constants only", "`or`"),
    ("status in (1, «'2'»)", "integer and text don't go together", "without quotes: 2"),
    ("«status in ()»", "holds for nothing", ""),
    ("ok «<» true", "no order", ""),
    ("«host» + 1", "`+` takes numbers, not text", "declare host as a number"),
    ("«'a'» + 1", "`+` takes numbers, not text", "||"),
    ("«seen» - seen", "`-` takes numbers, not time", "epoch(t)"),
    ("-«host» = 1", "`-` takes numbers, not text", ""),
    ("«request_time» // 2 = 1", "`//` divides integers", "floor(x / y)"),
    ("host || «status»", "must be text, not integer", "cast(... as text)"),
    ("«status» like '5%'", "must be text, not integer", "cast"),
    ("host like «client_ip»", "must be a quoted text", "contains"),
    ("case when ok then 1 else «'a'» end", "integer and text don't go together", ""),
    ("case when «1» then 2 end", "must be boolean, not integer", ""),
    ("case status when «'a'» then 2 end", "integer and text don't go together", ""),
    ("status::«time»", "no cast to 'time'", "text, integer, double or boolean"),
    ("status::«decimal»", "no cast to 'decimal'", ""),
    ("cast(status as «json»)", "no cast to 'json'", ""),
    ("«cast(seen as text)»", "time can't be cast to text", "epoch(t)"),
    ("«cast(status as boolean)»", "integer can't be cast to boolean", "x != 0"),
    ("status > «99999999999999999999»", "beyond the integers", "64 bits"),
    ("status > «-9223372036854775809»", "beyond the integers", ""),
    ("request_time > «1e999»", "beyond the doubles", ""),
    ("seen > «timestamp 'yesterday'»", "'yesterday' is not a point in time", ""),
    ("seen > «timestamp '2023-02-29'»", "is not a point in time", ""),
    ("«null»", "always null", ""),
    ("«case when ok then null end»", "always null", ""),
]

FUNCTIONS = [
    ("«now»() > seen", "unknown function 'now'", "moment of the run"),
    ("«random»() > 0.5", "unknown function 'random'", "chance"),
    ("«read_csv»('/etc/passwd') = 1", "unknown function 'read_csv'", ""),
    ("«getenv»('HOME') = ''", "unknown function 'getenv'", ""),
    ("«current_setting»('x') = ''", "unknown function 'current_setting'", ""),
    ("«lenght»(host) > 1", "unknown function 'lenght'", "did you mean length?"),
    ("«concat»(host, host) = ''", "unknown function 'concat'", "||"),
    ("«split_part(host, ' ')» = ''", "wrong number of arguments: 2", "(x, separator, n)"),
    ("«coalesce()» = 1", "wrong number of arguments: 0", "coalesce(x, y, ...)"),
    ("length(«status») = 1", "argument 1 (x) of length must be text", "cast"),
    ("abs(«host») = 1", "argument 1 (x) of abs must be", "declare host"),
    ("coalesce(status, «host») = 1", "integer and text don't go together", ""),
    ("split_part(host, «client_ip», 1) = ''", "separator of split_part must be a constant", ""),
    ("split_part(host, «''», 1) = ''", "a text that is not empty", ""),
    ("split_part(host, ' ', «0») = ''", "must be a whole number", ""),
    ("substr(host, «0») = ''", "start of substr must be a whole number from 1", ""),
    ("round(request_time, «-1») = 1", "digits of round must be a whole number from 0 to 15", ""),
    ("regexp_matches(host, «client_ip»)", "pattern of regexp_matches must be a constant", ""),
    ("regexp_matches(host, «'a(b'»)", "this group has no end (character 2", ""),
    ("regexp_matches(host, «'(?=a)'»)", "groups are (...)", ""),
    ("regexp_extract(host, 'a(b)', «2») = ''", "the pattern has 1 group, no group 2", ""),
    ("ip_prefix(client_ip, «33») = ''", "bits of ip_prefix must be a whole number", ""),
    ("cidr_contains(client_ip, «'10.0.0.0'»)", "must be a network such as", ""),
    ("cidr_contains(client_ip, «'10.0.0.1/8'»)", "must be a network such as", ""),
    ("cidr_contains(client_ip, «'10.0.0.0/33'»)", "must be a network such as", ""),
    ("«length(distinct host)» = 1", "takes no `*`, `distinct` or `filter`", ""),
    ("«hour(seen) filter (where ok)» = 1", "takes no `*`, `distinct` or `filter`", ""),
]

AGGREGATES = [
    ("«status» > 1", "'status' needs an aggregate", "max(status), or add status to `by`"),
    ("count(*) > «status»", "'status' needs an aggregate", ""),
    ("sum(«count(*)») > 1", "count can't stand inside sum", "don't nest"),
    ("count(*) filter (where «count(*)» > 1) > 1", "count can't stand inside count", ""),
    ("«count()» > 1", "count takes 1 argument, not 0", "count(*) or count(x)"),
    ("«sum(*)» > 1", "only count takes `*`", ""),
    ("«sum(distinct status)» > 1", "only count takes `distinct`", "count(distinct x)"),
    ("«avg(status, 2)» > 1", "avg takes 1 argument, not 2", "avg(x)"),
    ("sum(«host») > 1", "the argument of sum must be", "declare host"),
    ("max(«ok») = true", "numbers, text or times", "count_if"),
    ("count_if(«status») > 1", "the argument of count_if must be boolean", ""),
    ("count(*) filter (where «status») > 1", "must be boolean", ""),
    ("quantile(request_time, «95») > 1", "lies between 0 and 1", "0.95"),
    ("quantile(request_time, «status») > 1", "must be a number", ""),
    ("«quantile(request_time)» > 1", "quantile takes 2 arguments, not 1", "quantile(x, 0.95)"),
    ("quantile(request_time, «1e-9999999») > 1", "must be a number", ""),
    ("«p95»(request_time) > 1", "unknown function 'p95'", "quantile(x, 0.95)"),
    ("«first»(host) = ''", "unknown function 'first'", "order of events"),
    ("count(«null») > 1", "count of null is always null", ""),
    ("«regexp_matches(client_ip, 'a')» and count(*) > 1", "for single events only", "`where`"),
]

ONE_EVENT = [
    ("«count(*)» > 1", "count is an aggregate; here is one event", "`when` and `select`"),
    ("length(«max(host)») > 1", "max is an aggregate; here is one event", ""),
]

SEVERAL = [
    ("«hostt» = 'a' or «statuss» > 1", ["hostt", "statuss"]),
    ("split_part(«hosst», «ip», 1) = ''", ["hosst", "ip"]),
    ("«a» between «b» and «c»", ["'a'", "'b'", "'c'"]),
]

CASES = [
    *((EVENT, *case) for case in SYNTAX + TYPES + FUNCTIONS + ONE_EVENT),
    *((WINDOW, *case) for case in AGGREGATES),
    (KEYLESS, "count(*) > 1 and «client_ip» = ''", "'client_ip' needs an aggregate", "`by`"),
]


def unmarked(marked: str) -> str:
    return marked.replace("«", "").replace("»", "")


def spans(marked: str) -> list[tuple[int, int]]:
    found, begin, at = [], 0, 0
    for character in marked:
        if character == "«":
            begin = at
        elif character == "»":
            found.append((begin, at))
        else:
            at += 1
    return found


@pytest.mark.parametrize(("scope", "marked", "message", "hint"), CASES)
def test_points_at_what_is_wrong(scope: Scope, marked: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(unmarked(marked), scope)
    (problem,) = raised.value.problems
    assert message in problem.message
    assert hint in (problem.hint or "")
    if "«" in marked:
        assert [(problem.span.start, problem.span.end)] == spans(marked)


@pytest.mark.parametrize(("marked", "names"), SEVERAL)
def test_finds_several_problems_at_once(marked: str, names: list[str]) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(unmarked(marked), EVENT)
    problems = raised.value.problems
    assert [(one.span.start, one.span.end) for one in problems] == spans(marked)
    assert all(name in one.message for one, name in zip(problems, names, strict=True))


def test_shows_the_line_and_its_characters() -> None:
    with pytest.raises(ExpressionError) as raised:
        parse("ok\nand hostt = 'a'", EVENT)
    assert raised.value.render().splitlines()[-2:] == [
        "    and hostt = 'a'",
        "        ^^^^^",
    ]
