"""The text format of rule tests: what it means, and where its mistakes are."""

from pathlib import Path

import pytest

from tailrace.testing.case import (
    Also,
    Appear,
    CaseFileError,
    Clock,
    End,
    Expected,
    Idle,
    Kind,
    Match,
    Number,
    Reload,
    Return,
    Row,
    Rows,
    Scalar,
)
from tailrace.testing.format import load, loads

HEAD = "pipeline\n  name: x\n\ncase one\n"
TAIL = "\nexpect no alerts r\n"


def rows(text: str) -> list[Row]:
    (case,) = loads(f"{HEAD}rows p\n  {text}{TAIL}")
    (step,) = case.steps
    assert isinstance(step, Rows)
    return list(step.rows)


# Rows


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0s", 0),
        ("12.5s", 12_500_000),
        ("1h30m", 5_400_000_000),
        ("3us", 3),
        ("-1ms", -1000),
        ("1w1d", 691_200_000_000),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01.5", 1_500_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_time(text: str, micros: int) -> None:
    (row,) = rows(text)
    assert row.time == micros


def test_time_after_the_row_before() -> None:
    times = [row.time for row in rows("5s\n  +1s\n  | raw\n  +1s x3 every 1s\n  +1s\n  0s\n  +1us")]
    seconds = [5, 6, None, 7, 8, 9, 10, 0, 0.000001]
    assert times == [None if each is None else round(each * 1e6) for each in seconds]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v=200", Number("200")),
        ("v=-0.10", Number("-0.10")),
        ("v=1e400", Number("1e400")),
        ("v=9223372036854775808", Number("9223372036854775808")),
        ('v="200"', "200"),
        ("v=007", "007"),
        ("v=null", None),
        ('v="null"', "null"),
        ("v=true", True),
        ("v=False", "False"),
        ("v=10.0.0.1", "10.0.0.1"),
        ("v=a=b", "a=b"),
        ('v="a \\"b\\" # c"', 'a "b" # c'),
        ('v=""', ""),
        ('v="\\u00e9\\n"', "é\n"),
        ("v=a#b", "a#b"),
    ],
)
def test_value(text: str, value: Scalar) -> None:
    (row,) = rows(f"0s {text}  # comment")
    assert row.values == (("v", value),)
    assert row.comment == "comment"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("| plain", b"plain"),
        ("|  two blanks # no comment", b" two blanks # no comment"),
        ("|", b""),
        ("|   ", b"  "),
        ('|"a\\xff\\"b\\t"', b'a\xff"b\t'),
        ('|"\\u00e9"', "é".encode()),
        ('| "quoted"', b'"quoted"'),
    ],
)
def test_raw_record(text: str, data: bytes) -> None:
    (row,) = rows(text)
    assert (row.time, row.raw) == (None, data)


def test_repetition_counts_and_numbers() -> None:
    found = rows("1s ip=10.0.0.{i} n={i} x3 every 100ms")
    assert [(row.time, *row.values) for row in found] == [
        (1_000_000 + 100_000 * i, ("ip", f"10.0.0.{i}"), ("n", Number(str(i)))) for i in range(3)
    ]
    assert rows("1s ip={i}")[0].values == (("ip", "{i}"),)


def test_arrival() -> None:
    assert [row.arrival for row in rows("1s @arrival=2s\n  1s @arrival=+2s\n  1s")] == [
        2_000_000,
        3_000_000,
        None,
    ]


def test_names_may_be_quoted() -> None:
    assert rows('0s "@timestamp"=x "a b"=1')[0].values == (
        ("@timestamp", "x"),
        ("a b", Number("1")),
    )


# Steps, heads and expectations


def test_steps_in_order() -> None:
    text = "rows p\n  0s\nidle p\nclock +5s\nreturn p\nappear q\nreload\n  name: y\nend"
    (case,) = loads(f"{HEAD}{text}{TAIL}")
    assert [type(step) for step in case.steps] == [Rows, Idle, Clock, Return, Appear, Reload, End]
    assert case.partitions == ("p", "q")
    assert case.appearing == {"q"}
    assert case.steps[2] == Clock(case.steps[2].where, 5_000_000)


def test_head_holds_for_all_cases_and_each_case_may_differ() -> None:
    first, second, third = loads(
        "pipeline\n  name: x\nset a=1\nstart 1h\n"
        f"case first{TAIL}"
        f"case second # said\nset b=two words # comment\nsalt pepper\nalso shuffled spread{TAIL}"
        f"case third\npipeline\n  name: z\nstart 0s{TAIL}"
    )
    assert (first.sets, first.start, first.salt, first.also) == (
        ("a=1",),
        3_600_000_000,
        "",
        frozenset(),
    )
    assert (second.name, second.salt) == ("second", "pepper")
    assert second.sets == ("a=1", "b=two words")
    assert second.also == {Also.SHUFFLED, Also.SPREAD}
    assert (third.sets, third.start) == (("a=1",), 0)
    assert "name: z" in third.pipeline_text


def test_pipeline_keeps_its_lines(tmp_path: Path) -> None:
    (case,) = loads(f"# comment\n\n{HEAD}{TAIL}", "f.test")
    assert case.pipeline_text.split("\n").index("  name: x") == 3
    (tmp_path / "p.yaml").write_text("name: x\n")
    (tmp_path / "f.test").write_text(f"pipeline p.yaml\ncase one{TAIL}")
    (case,) = load(tmp_path / "f.test")
    assert (case.pipeline_text, case.pipeline_file) == ("name: x\n", str(tmp_path / "p.yaml"))


def test_reload_replaces_whole_entries_one_after_the_other() -> None:
    text = "pipeline\n  a: {x: 1}\n  b: 2\ncase one\nreload\n  a: {y: 3}\nreload\n  b: 4"
    (case,) = loads(f"{text}{TAIL}")
    texts = [step.pipeline_text for step in case.steps if isinstance(step, Reload)]
    assert texts == ["a:\n  y: 3\nb: 2\n", "a:\n  y: 3\nb: 4\n"]


def test_expectations() -> None:
    (case,) = loads(
        HEAD + "expect alerts r ip=a\n"
        "  opened [0s, 10s) count=11 mean=~0.3 @opened=10s   # why\n"
        "expect some windows w\n  [1s,2s) v=null\n"
        "expect events e\n  p#3 a=b\n"
        "expect dead\n  p:1#2 code=x\n"
        "expect counts read=3 dead=1\n"
        "expect counts r late=0\n"
        'expect metrics\n  "m{a=\\"b\\"}" value=3\n'
    )
    kinds = [(each.kind, each.match, each.rule) for each in case.expectations]
    assert kinds == [
        (Kind.ALERTS, Match.EXACT, "r"),
        (Kind.WINDOWS, Match.SOME, "w"),
        (Kind.EVENTS, Match.EXACT, "e"),
        (Kind.DEAD, Match.EXACT, None),
        (Kind.COUNTS, Match.EXACT, None),
        (Kind.COUNTS, Match.EXACT, "r"),
        (Kind.METRICS, Match.EXACT, None),
    ]
    alerts, windows, events, dead, *_, metrics = case.expectations
    (row,) = alerts.rows
    assert (row.word, row.window) == ("opened", (0, 10_000_000))
    assert dict(row.attributes) == {
        "count": Expected("11", Number("11")),
        "mean": Expected("~0.3", Number("0.3"), None, approximate=True),
        "@opened": Expected("10s", "10s", 10_000_000),
    }
    assert alerts.only == (("ip", Expected("a", "a")),)
    assert windows.rows[0].attributes == (("v", Expected("null", None)),)
    assert (events.rows[0].record, dead.rows[0].record) == (("p", 3), ("p:1", 2))
    assert metrics.rows[0].word == 'm{a="b"}'


# Mistakes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("frob p", "5:1: 'frob' is no verb of a test file"),
        ("rows", "5:1: 'rows' needs a partition"),
        ("rows p q", "5:1: 'rows' needs a partition"),
        ("rows p\n  zz a=1", "6:3: a row begins with its time, not 'zz'"),
        ("rows p\n  0s a", "6:6: expected name=value, not 'a'"),
        ("rows p\n  0s a= b=1", "6:6: can't read 'a=' here"),
        ("rows p\n  0s a=1 a=2", "6:10: a stands here twice"),
        ('rows p\n  0s a="b', "6:6: can't read 'a=\"b' here"),
        ('rows p\n  0s a="\\q"', '6:6: "\\q" is not a text as JSON writes it'),
        ("rows p\n  0s x3 every", "6:9: 'every' is not a duration"),
        ("rows p\n  0s x3 every soon", "6:15: 'soon' is not a duration"),
        ("rows p\n  0s @now=3", "6:6: a row has no @now"),
        ("rows p\n  0.0000001s", "6:3: a row begins with its time, not '0.0000001s'"),
        ("rows p\n  2023-02-29", "6:3: a row begins with its time, not '2023-02-29'"),
        ('rows p\n  |"a', "6:4: the quoted record isn't closed"),
        ('rows p\n  |"a\\nb"', "6:4: a record has no line end inside; these are two records"),
        ("rows p\nset a=1", "6:1: 'set' stands before the rows of a case"),
        ("idle p\n  what", "5:1: 'idle' has no indented lines"),
        ("idle p\nrows p\n  0s", "6:1: p is idle here: it needs 'return p' first"),
        ("rows p\nreturn p", "6:1: p is live here"),
        ("rows p\nappear p", "5:1: p appears only later here"),
        ("idle p\nidle p", "6:1: p is idle here"),
        ("rows p\nclock 5s", "6:1: the clock counts only when all are idle, p is live"),
        ("idle p\nclock -5s", "6:7: -5s is not a duration"),
        ("rows p\nend\nrows p", "7:1: nothing happens after 'end'"),
        ("end now", "5:5: 'end' takes no words"),
        ("reload", "5:1: expected indented YAML with entries of the pipeline"),
        ("reload\n  a: [", "5:1: not YAML"),
        ("also backwards", "5:1: 'backwards' is not a valid Also"),
        ("start soon", "5:7: soon is not a time"),
        ("set a", "5:5: a is not of the form KEY=VALUE"),
        ("expect", "5:1: expected what of?"),
        ("expect alerts", "5:1: 'expect alerts' needs the name of a rule"),
        ("expect alerts r", "5:1: 'expect alerts' needs rows"),
        ("expect dead r\n  p#1", "5:1: 'expect dead' names no rule"),
        ("expect no alerts r\n  opened", "5:1: 'expect no alerts' has no rows"),
        ("expect alerts r\n  began", "6:3: 'began' is no reason of a revision"),
        ("expect alerts r\n  opened [1s, 0s)", "6:10: [1s, 0s) is no window"),
        ("expect alerts r\n  opened @when=1", "6:10: alerts have no @when"),
        ("expect alerts r\n  opened a=~b", "6:10: ~b is no number"),
        ("expect windows r\n  a=1", "6:3: a window's row begins with the window"),
        ("expect dead\n  third", "6:3: third is no record"),
        ("expect counts", "5:1: expected: expect counts [RULE] NAME=NUMBER"),
        ("expect counts rows=1", "5:1: rows is none of the counts"),
        ("expect counts r read=1", "5:1: read is none of a rule's counts"),
    ],
)
def test_mistake_has_its_place(text: str, problem: str) -> None:
    with pytest.raises(CaseFileError) as caught:
        loads(f"{HEAD}{text}{TAIL}", "f.test")
    assert f"f.test:{problem}" in caught.value.render()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f.test: there is no case in this file"),
        ("  x", "f.test:1:1: an indented line belongs to no verb"),
        ("rows p", "f.test:1:1: 'rows' stands before the first case"),
        ("case", "f.test:1:1: 'case' needs a name"),
        (f"case one{TAIL}", "f.test:1:1: the case 'one' has no pipeline"),
        (f"{HEAD}", "f.test:4:1: the case 'one' expects nothing"),
        (f"{HEAD}{TAIL}case one{TAIL}", "f.test:7:1: a second case 'one'"),
        ("pipeline nowhere.yaml", "f.test:1:10: can't read the pipeline"),
        ("pipeline a\n  b: 1", "f.test:1:1: either a path or an indented pipeline"),
    ],
)
def test_mistake_of_a_file(text: str, problem: str) -> None:
    with pytest.raises(CaseFileError) as caught:
        loads(text, "f.test")
    assert problem in caught.value.render()


def test_all_mistakes_are_told_at_once_in_order() -> None:
    with pytest.raises(CaseFileError) as caught:
        loads(f"{HEAD}frob\nrows p\n  zz\n  yy\nexpect alerts\n", "f.test")
    lines = [each.where.line for each in caught.value.problems if each.where]
    assert lines == [4, 5, 7, 8, 9]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="can't read the test file"):
        load(tmp_path / "none.test")
