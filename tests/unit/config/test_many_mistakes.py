"""Several mistakes in one file, and hostile ones."""

from tests.unit.config.pipelines import pipeline, problems

TEN_MISTAKES = """\
nam: web
source: {fil: {path: a.log}}
time: {field: ts, grace: 5}
fields:
  host: string
  status: {type: integer, min: low}
rules:
  - alert: flood
    window: 1s every 20s
    when: count(*) > ${LIMIT}
    to: [pager]
  - record: flood
    window: 1m
outputs:
  alerts: {terminal: {}, zone: Mars/Phobos}
  alerts: {terminal: {}}
"""


def test_all_mistakes_of_a_file_are_told_at_once_by_place() -> None:
    assert [f"{p.where}: {p.message}" for p in problems(TEN_MISTAKES)] == [
        "p.yaml:1:1: the key 'name' is missing",
        "p.yaml:1:1: unknown key 'nam'",
        "p.yaml:2:1: source: no kind of source is given",
        "p.yaml:2:10: source: unknown key 'fil'",
        "p.yaml:3:26: time.grace: expected a duration such as 20s, 5m or 1h30m, found '5'",
        "p.yaml:5:9: fields.host: 'string' is not a type",
        "p.yaml:6:32: fields.status.min: expected a number, found 'low'",
        (
            "p.yaml:9:13: rules.flood.window: every 20s is longer than the size 1s: events would be"
            " lost, found '1s every 20s'"
        ),
        "p.yaml:10:22: the environment variable LIMIT is not set",
        "p.yaml:11:10: rules.flood.to.0: there is no output 'pager'",
        "p.yaml:12:5: rules.flood: the key 'select' is missing",
        "p.yaml:12:13: rules.flood.record: the name 'flood' is taken by rule 1 of this file",
        "p.yaml:15:32: outputs.alerts.zone: 'Mars/Phobos' is not a time zone",
        "p.yaml:16:3: the key 'alerts' is there twice; first in line 15",
    ]


def test_what_a_file_holds_is_shown_without_control_characters() -> None:
    esc, shown = '"\\e[31m"', r"\x1b[31m"
    text = pipeline(
        fields=f"fields: {{{esc}: text, host: {esc}, n: {{type: integer, {esc}: 1}}}}",
        rules=f"rules: [{{alert: {esc}, to: {esc}, window: {esc}, labels: {{{esc}: []}}}}]",
        source=f"source: {{file: {{path: a.log, fields: {esc}}}, {esc}: 1}}",
        x=f"dedup: {{by: {esc}, within: 1s}}\nderive: {{{esc}: x}}",
    )
    found = problems(text, sets=["rules.\x1b=1", "name.\x1b=2"])
    assert len(found) > 12
    assert all(problem.render().isprintable() for problem in found if problem.hint is None)
    assert all("\x1b" not in problem.render() for problem in found)
    assert any(shown in problem.message for problem in found)
