"""Explanations agree with what a run found, from kept state and from the source alike."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tailrace import Pipeline, TailraceError
from tailrace.cli.explain import command
from tailrace.engines.explain import Explanation

TEXT = """
name: web
source: {{file: {{path: {path}}}}}
time: {{field: at, grace: 2s}}
fields: {{ip: text, host: text, status: integer, took: double}}
explain: {{retain: {retain}}}
store: {{path: {folder}/web.duckdb}}
rules:
  - alert: flood
    by: ip
    window: 10s every 5s
    when: count(*) > 4 and (count(*) filter (where status >= 500) / count(*) > 0.3 or max(took) > 9)
  - alert: spread
    by: [ip, host]
    window: 10s every 5s
    where: status < 500
    when: not stddev(took) < 0.5 and count(distinct status) >= 1
  - record: numbers
    by: status
    window: 20s
    select: {{requests: count(*), median: "quantile(took, 0.5)"}}
  - record: everything
    window: 10s
    select: {{requests: count(*)}}
  - alert: odd
    when: status = 999
"""


def lines() -> list[dict[str, Any]]:
    return [
        {
            "at": 1000 + i / 2,
            "ip": f"192.0.2.{i % 3}",
            "host": "ab"[i // 7 % 2],
            "status": 500 if i % 4 == 0 and i < 100 else 200,
            "took": (i * 7 % 11) / 2,
        }
        for i in range(200)
    ]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    log = tmp_path / "web.ndjson"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines()))
    path = tmp_path / "pipeline.yaml"
    path.write_text(TEXT.format(path=log, folder=tmp_path, retain="1h"))
    return path


def keys_of(rule: str, row: Mapping[str, Any]) -> object:
    names = {"flood": ["ip"], "spread": ["ip", "host"], "numbers": ["status"], "everything": []}
    found = {name: row[name] for name in names[rule]}
    return found or None


@pytest.mark.parametrize("kept", [True, False], ids=["kept state", "read again"])
@pytest.mark.parametrize("rule", ["flood", "spread", "numbers", "everything"])
def test_agrees_with_the_run(made: Path, rule: str, kept: bool) -> None:
    """Every window of every key: what is explained is what was found, measure by measure."""
    store = made.parent / "web.duckdb"
    pipeline = Pipeline.load(made)
    found = pipeline.run(store=store).windows(rule).to_pylist()
    assert found
    expected = {(json.dumps(keys_of(rule, row)), row["window_start"]): row for row in found}
    seen = 0
    for line in lines()[::28]:
        told = pipeline.explain(
            rule, keys_of(rule, line), line["at"], store=store if kept else None
        )
        assert told.basis == ("kept state" if kept else "the source, read again")
        for window in told.windows:
            row = expected.get((json.dumps(keys_of(rule, line)), start_of(window.start)))
            assert (row is not None) == (window.outcome in ("fired", "row"))
            assert window.events == sum(pane.events for pane in window.panes)
            if row is not None:
                seen += 1
                values = list(window.measures.values())
                assert values == [v for n, v in row.items() if n in measures_of(rule)]
    assert seen


def measures_of(rule: str) -> list[str]:
    return {
        "flood": ["count", "count_status_ge_500", "max_took"],
        "spread": ["stddev_took", "count_distinct_status"],
        "numbers": ["requests", "median"],
        "everything": ["requests"],
    }[rule]


def start_of(micros: int) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(micros / 1e6, UTC)


def test_parts_of_the_condition(made: Path) -> None:
    told = Pipeline.load(made).explain("flood", "192.0.2.0", 1012)
    parts = [(part.text, part.truth) for part in told.chosen.parts]
    count = told.chosen.events
    errors = told.chosen.measures["count(*) filter (where status >= 500)"]
    assert isinstance(errors, int)
    assert parts == [
        ("count(*) > 4", count > 4),
        ("count(*) filter (where status >= 500) / count(*) > 0.3", errors / count > 0.3),
        ("max(took) > 9.0", False),
    ]
    assert told.chosen.parts[0].terms == (("count(*)", count),)


def test_a_window_is_chosen(made: Path) -> None:
    pipeline = Pipeline.load(made)
    told = pipeline.explain("flood", "192.0.2.0", 1012, window=1010)
    assert (told.chosen.start, len(told.windows)) == (1_010_000_000, 2)
    with pytest.raises(TailraceError, match=r"no window of flood .* starts there"):
        pipeline.explain("flood", "192.0.2.0", 1012, window=1011)


def test_no_event_of_that_key(made: Path) -> None:
    told = Pipeline.load(made).explain("flood", "203.0.113.9", 1012)
    assert [window.outcome for window in told.windows] == ["no event", "no event"]


def test_late_events_are_told(tmp_path: Path) -> None:
    text = TEXT.format(path="nothing", folder=tmp_path, retain="0s")
    ordered = [json.dumps(line) for line in lines()[:100]]
    told = Pipeline.parse(text).explain("flood", "192.0.2.0", 1006, records=ordered)
    assert told.notes == ()
    given = [*ordered, json.dumps(lines()[3]), json.dumps(lines()[4])]
    told = Pipeline.parse(text).explain("flood", "192.0.2.0", 1006, records=given)
    assert told.notes == ("1 events of this key came late, up to there, and count nowhere",)


def test_rotated_away(made: Path) -> None:
    log = made.parent / "web.ndjson"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines()[150:]))
    with pytest.raises(TailraceError, match=r"begins at 1970-01-01T00:17:55\.000Z"):
        Pipeline.load(made).explain("flood", "192.0.2.0", 1002)
    log.unlink()
    with pytest.raises(TailraceError, match="the source can't be read again"):
        Pipeline.load(made).explain("flood", "192.0.2.0", 1002)


def test_retain_passed(made: Path) -> None:
    """What is older than ``explain.retain`` is read again."""
    made.write_text(made.read_text().replace("retain: 1h", "retain: 30s"))
    store = made.parent / "web.duckdb"
    pipeline = Pipeline.load(made)
    pipeline.run(store=store)
    old = pipeline.explain("flood", "192.0.2.0", 1012, store=store)
    new = pipeline.explain("flood", "192.0.2.0", 1090, store=store)
    assert (old.basis, new.basis) == ("the source, read again", "kept state")


WRONG: dict[str, tuple[tuple[Any, ...], str]] = {
    "no rule": (("floods", "x", 0), "there is no rule 'floods'"),
    "no window": (("odd", "x", 0), "odd judges each event by itself"),
    "no time": (("flood", "x", "yesterday"), "'yesterday': not a time"),
    "no key": (("flood", None, 0), "flood needs a key: ip"),
    "half a key": (("spread", "ip=1", 0), "the key of spread is ip, host"),
    "nothing of a key": (("spread", "192.0.2.1", 0), "'192.0.2.1' is no key"),
    "a wrong value": (("numbers", "many", 0), "status: not an integer: 'many'"),
    "a key too many": (("everything", "x", 0), "everything has no key"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_questions(made: Path, case: str) -> None:
    question, message = WRONG[case]
    with pytest.raises(TailraceError, match=message):
        Pipeline.load(made).explain(*question)


KEYS = {
    "value": ("flood", "192.0.2.0"),
    "name and value": ("flood", "ip=192.0.2.0"),
    "object": ("flood", '{"ip": "192.0.2.0"}'),
    "pairs": ("spread", "host=a,ip=192.0.2.0"),
    "list": ("spread", '["192.0.2.0", "a"]'),
    "number": ("numbers", "200"),
    "none": ("everything", "-"),
}


@pytest.mark.parametrize("case", KEYS)
def test_command(made: Path, case: str) -> None:
    rule, key = KEYS[case]
    shown = CliRunner().invoke(command, [str(made), rule, key, "1970-01-01T00:16:52Z"])
    assert shown.exit_code == 0, shown.output
    assert "known from the source, read again" in shown.output
    assert "panes with events" in shown.output
    as_json = CliRunner().invoke(command, [str(made), rule, key, "1012", "--json"])
    assert json.loads(as_json.output)["window"]["events"] > 0


def test_command_asks_the_store(made: Path) -> None:
    Pipeline.load(made).run(store=made.parent / "web.duckdb")
    shown = CliRunner().invoke(command, [str(made), "flood", "192.0.2.0", "1012"])
    assert "known from kept state" in shown.output
    assert "incident " in shown.output


def test_plan(made: Path) -> None:
    told = Pipeline.load(made).explain()
    assert [[rule.name for rule in group.rules] for group in told.groups] == [
        ["flood"],
        ["spread"],
        ["numbers"],
        ["everything"],
    ]
    rules = {rule.name: rule for group in told.groups for rule in group.rules}
    assert (rules["flood"].panes, rules["flood"].windows_per_event) == (2, 2)
    assert rules["flood"].early is False
    assert "can turn false again" in rules["flood"].why
    shown = CliRunner().invoke(command, [str(made)])
    assert all(rule in shown.output for rule in (*rules, "odd"))
    assert json.loads(CliRunner().invoke(command, [str(made), "--json"]).output)["name"] == "web"


def test_no_secrets(made: Path) -> None:
    made.write_text(made.read_text().replace("status = 999", "\"host = '${SECRET}'\""))
    shown = CliRunner(env={"SECRET": "hunter-seven"}).invoke(command, [str(made)])
    assert shown.exit_code == 0, shown.output
    assert "hunter-seven" not in shown.output
    assert "${SECRET}" in shown.output


def test_type_of_answers(made: Path) -> None:
    assert isinstance(Pipeline.load(made).explain("everything", None, 1000), Explanation)
