"""Sweeps as they are written, and the rules that they become."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.backtest.data import PIPELINE, history, plan

from tailrace import TailraceError
from tailrace.backtest.sweep import all_sweeps, parse_sweep, sweep
from tailrace.backtest.thresholds import comparisons
from tailrace.expr.render import render

VALUES = [
    ("5..8", "5 6 7 8"),
    ("5..50:15", "5 20 35 50"),
    ("5..50:20", "5 25 45"),
    ("0.1..0.3:0.1", "0.1 0.2 0.3"),
    ("0..1", " ".join(f"{number / 20:g}" for number in range(21))),
    ("-3..-1", "-3 -2 -1"),
    ("7..7", "7"),
    ("20,5,10,5", "5 10 20"),
    ("100..300:100", "100 200 300"),
]


@pytest.mark.parametrize(("given", "expected"), VALUES)
def test_values(given: str, expected: str) -> None:
    values = parse_sweep(f"flood.threshold={given}").values
    assert [float(f"{value:f}") for value in values] == [float(word) for word in expected.split()]


SYNTAX = [
    ("flood", "expected RULE.threshold=FIRST..LAST"),
    ("flood=1..2", "expected RULE.threshold=FIRST..LAST"),
    (".threshold=1..2", "expected RULE.threshold=FIRST..LAST"),
    ("flood.threshold=", "neither a range nor a list"),
    ("flood.threshold=1...2", "neither a range nor a list"),
    ("flood.threshold=1e3..2e3", "neither a range nor a list"),
    ("flood.threshold=9..1", "ends before it begins"),
    ("flood.threshold=1..9:0", "a step is above 0"),
    ("flood.threshold=1..9:-1", "a step is above 0"),
    ("flood.threshold=0..1000000", "1000001 thresholds, at most 500"),
    ("flood.threshold=" + ",".join(map(str, range(501))), "501 thresholds"),
]


@pytest.mark.parametrize(("given", "message"), SYNTAX)
def test_what_is_written_wrong(given: str, message: str) -> None:
    with pytest.raises(TailraceError, match=message) as caught:
        parse_sweep(given)
    assert all(problem.hint for problem in caught.value.problems)


MEANING = [
    ("flod.threshold=1..2", "there is no rule 'flod'"),
    ("teapot.threshold=1..2", "teapot judges single events"),
    ("per_status.threshold=1..2", "per_status is a record"),
    ("errors.threshold=1..2", "means more than one comparison"),
    ("errors.sum=1..2", "means no comparison"),
    ("errors.3=1..2", "means no comparison"),
    ("errors.0=1..2", "means no comparison"),
    ("flood.threshold=1.5,2", "count is a whole number, 1.5 is not"),
]


@pytest.mark.parametrize(("given", "message"), MEANING)
def test_what_can_not_be_swept(given: str, message: str) -> None:
    with pytest.raises(TailraceError, match=message) as caught:
        sweep(plan(), parse_sweep(given))
    assert all(problem.hint for problem in caught.value.problems)


def test_a_condition_without_a_number() -> None:
    text = PIPELINE.replace("count(*) > 5", "count(*) > count(distinct status)")
    with pytest.raises(TailraceError, match="compares no measure with a number or limit"):
        sweep(plan(text), parse_sweep("flood.threshold=1..2"))


CHOSEN = [
    ("flood.threshold=7", "count > 7"),
    ("flood.count=7", "count > 7"),
    ("flood.1=7", "count > 7"),
    ("errors.count=7", "count >= 7 and 0.5 < avg_status / 600.0"),
    ("errors.avg_status=0.25", "count >= 3 and 0.25 < avg_status / 600.0"),
    ("errors.2=0.25", "count >= 3 and 0.25 < avg_status / 600.0"),
    ("errors.2=1", "count >= 3 and 1.0 < avg_status / 600.0"),
]


@pytest.mark.parametrize(("given", "condition"), CHOSEN)
def test_the_condition_of_a_copy(given: str, condition: str) -> None:
    (copy,) = sweep(plan(), parse_sweep(given)).copies
    assert copy.when is not None
    assert render(copy.when) == condition


def test_comparisons_in_written_order() -> None:
    rules = {rule.name: rule for rule in plan().rules}
    assert [each.measure for each in comparisons(rules["errors"])] == [
        "count",
        "avg_status / 600.0",
    ]


@pytest.mark.parametrize("threshold", [0, 5, 9, 10, 19, 20])
def test_a_copy_finds_what_the_rule_finds_with_that_threshold(threshold: int) -> None:
    """The point of it all: one pass over the data, the answers of many."""
    swept = sweep(plan(), parse_sweep("flood.threshold=0..20"))
    found = history(None, "flood.threshold=0..20")
    place = [int(value) for value in swept.values].index(threshold)
    copy = found.copies[swept.copies[place].identity]
    alone = history(plan(PIPELINE.replace("> 5", f"> {threshold}"))).rules[0]
    told = [(i.key, i.begun_at, i.opened_at, i.resolved_at) for i in copy.incidents]
    assert told == [(i.key, i.begun_at, i.opened_at, i.resolved_at) for i in alone.incidents]
    assert copy.firings == alone.firings


def test_copies_change_nothing_of_the_rule_itself() -> None:
    swept, plain = history(None, "flood.threshold=0..20"), history()
    assert [rule.incidents for rule in swept.rules] == [rule.incidents for rule in plain.rules]


LEAKY = PIPELINE.replace(
    "    window: 10s\n    when: count(*) > 5\n", "    leaky: {capacity: 5, leak: 10s}\n"
)


def test_capacities_of_a_leaky_bucket() -> None:
    assert LEAKY != PIPELINE
    swept = sweep(plan(LEAKY), parse_sweep("flood.capacity=3,5,8"))
    assert f"{swept.measure} {swept.current}" == "capacity 5"
    found = history(plan(LEAKY), "flood.capacity=3,5,8")
    for value, copy in zip((3, 5, 8), swept.copies, strict=True):
        alone = history(plan(LEAKY.replace("capacity: 5", f"capacity: {value}"))).rules[0]
        told = [(i.key, i.opened_at) for i in found.copies[copy.identity].incidents]
        assert told == [(i.key, i.opened_at) for i in alone.incidents]
        assert told


@pytest.mark.parametrize(
    "given", ["count=1..2", "capacity=0..2", "capacity=1.5,2", "threshold=-3,3"]
)
def test_capacities_that_can_not_be(given: str) -> None:
    with pytest.raises(TailraceError, match="capacity"):
        sweep(plan(LEAKY), parse_sweep(f"flood.{given}"))


def test_a_capacity_that_never_overflows() -> None:
    distinct = plan(LEAKY.replace("leak: 10s", "leak: 10s, distinct: status"))
    assert sweep(distinct, parse_sweep("flood.capacity=9999")).copies
    with pytest.raises(TailraceError, match="takes 10000 distinct values at the most"):
        sweep(distinct, parse_sweep("flood.capacity=10000"))


TWICE = [
    (PIPELINE, "flood.threshold=0..2", "flood.count=0..2"),
    (PIPELINE, "flood.threshold=0..2", "flood.1=7"),
    (PIPELINE, "errors.1=3", "errors.count=5"),
    (LEAKY, "flood.capacity=3", "flood.threshold=5"),
]


@pytest.mark.parametrize(("text", "one", "other"), TWICE)
def test_two_sweeps_of_one_comparison(text: str, one: str, other: str) -> None:
    """Copies of one identity would be told each event twice."""
    with pytest.raises(TailraceError, match="is of the same comparison") as caught:
        all_sweeps(plan(text), [parse_sweep(one), parse_sweep(other)])
    assert f"--sweep {other}: --sweep {one}" in str(caught.value)


def test_sweeps_of_several_comparisons() -> None:
    given = ["errors.1=3,4", "errors.2=0.5", "flood.count=1..3"]
    found = all_sweeps(plan(), [parse_sweep(text) for text in given])
    identities = [copy.identity for one in found for copy in one.copies]
    assert len(set(identities)) == len(identities) == 6


LIMITED = """
name: web
source: {{file: {{path: access.ndjson}}}}
time: {{field: at, grace: 0s}}
fields: {{client_ip: text, status: integer}}
references:
  limits:
    file: {{path: {folder}/limits.csv}}
    columns: {{client_ip: text, least: double, most: integer}}
    {key}
rules:
  - alert: busy
    {by}
    window: 10s
    when: count(*) > {most} or count(*) < {least}
"""
KEYED = {"key": "key: client_ip", "by": "by: client_ip"}
ALONE = {"key": "", "by": ""}


def limited(folder: Path, form: dict[str, str], most: str, least: str) -> str:
    (folder / "limits.csv").write_text("client_ip,least,most\n192.0.2.1,2,9\n")
    return LIMITED.format(folder=folder, **form, most=most, least=least)


@pytest.mark.parametrize("form", [KEYED, ALONE])
@pytest.mark.parametrize("value", [0, 9, 10, 15])
def test_a_limit_of_a_reference_is_swept(tmp_path: Path, form: dict[str, str], value: int) -> None:
    """Another limit does what the rule with that limit would do, silence included."""
    pipeline = plan(limited(tmp_path, form, "limits.most", "limits.least"))
    given = f"busy.limits.most={value}"
    swept = sweep(pipeline, parse_sweep(given))
    assert (swept.measure, swept.current) == ("count", None)
    found = history(pipeline, given).copies[swept.copies[0].identity]
    (tmp_path / "limits.csv").write_text(f"client_ip,least,most\n192.0.2.1,2,{value}\n")
    alone = history(pipeline).rules[0]
    assert found.firings == alone.firings
    told = [(i.key, i.begun_at, i.opened_at, i.resolved_at) for i in found.incidents]
    assert told == [(i.key, i.begun_at, i.opened_at, i.resolved_at) for i in alone.incidents]
    assert told


LIMITS_CHOSEN = [
    (
        "busy.1=7",
        "count > case when limits.most is not null then 7 else null end or count < limits.least",
    ),
    (
        "busy.limits.least=0.5",
        "count > limits.most or count < case when limits.least is not null then 0.5 else null end",
    ),
    (
        "busy.2=3",
        "count > limits.most or count < case when limits.least is not null then 3.0 else null end",
    ),
]


@pytest.mark.parametrize(("given", "condition"), LIMITS_CHOSEN)
def test_the_condition_of_a_copy_with_another_limit(
    tmp_path: Path, given: str, condition: str
) -> None:
    pipeline = plan(limited(tmp_path, KEYED, "limits.most", "limits.least"))
    (copy,) = sweep(pipeline, parse_sweep(given)).copies
    assert copy.when is not None
    assert render(copy.when) == condition


def test_a_limit_that_is_only_part_of_what_is_compared_with(tmp_path: Path) -> None:
    pipeline = plan(limited(tmp_path, KEYED, "2 * limits.most", "limits.least"))
    with pytest.raises(TailraceError, match="means no comparison"):
        sweep(pipeline, parse_sweep("busy.limits.most=1..5"))
