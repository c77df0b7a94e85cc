"""Mistakes of structure hide none in expressions, and make none up."""

from pathlib import Path

import pytest

from tailrace.errors import PipelineError
from tailrace.plan.compile import check_file

RIGHT = """\
name: p
source: {file: {path: "a/b.log", fields: '(?P<vhost>[a-z])/'}}
format: json
time: {field: t}
fields:
  a: text
  n: {type: integer, min: 0}
derive:
  twice: n * 2
dedup: {by: [a], within: 1m}
rules:
  - alert: one
    by: a
    window: 1m
    where: n > 1 and vhost = 'x'
    when: count(*) > 1 and sum(twice) > 2
    labels: {team: "{a}"}
    annotations: {summary: "{a} {count} {team}"}
    to: [out]
  - record: two
    by: {b: lower(a)}
    window: 20s every 1s
    select: {total: sum(n)}
    to: out
  - alert: three
    when: n > 5
archive: {to: [out]}
outputs:
  out: {file: {path: out.ndjson}}
"""


def problems_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    try:
        check_file(path)
    except PipelineError as error:
        return [problem.render().removeprefix(str(path)) for problem in error.problems]
    return []


def changed(*replacements: tuple[str, str]) -> str:
    text = RIGHT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_the_right_one(tmp_path: Path) -> None:
    assert problems_of(tmp_path, RIGHT) == []


EXPRESSION = ("n > 5", "m > 5")
"""A mistake in an expression, in the last rule."""

STRUCTURE = [
    ("name: p\n", ""),
    ("name: p", "name: 'p p'"),
    ('path: "a/b.log", ', ""),
    ('path: "a/b.log"', 'pth: "a/b.log"'),
    ("format: json", "format: jsno"),
    ("time: {field: t}", "time: {}"),
    ("time: {field: t}", "time: {field: t, grase: 5s}"),
    ("time: {field: t}\n", ""),
    ("a: text", "a: txt"),
    ("a: text", "a: {type: text, requird: true}"),
    ("min: 0", "min: x"),
    ("n: {type: integer", "n: {type: int"),
    ("twice: n * 2", "twice: [n]"),
    ("twice: n * 2", "a: n * 2\n  twice: n * 2"),
    ("by: [a], within", "by: [c], within"),
    ("by: [a], within: 1m", "by: [a]"),
    ("alert: one", "alert: three"),
    ("alert: one", "alrt: one"),
    ("    by: a\n", "    by: [a, []]\n"),
    ("    by: a\n", "    by: a\n    by: a\n"),
    ("window: 1m", "window: 1 minute"),
    ("    when: count(*) > 1 and sum(twice) > 2\n", ""),
    ("    window: 1m\n", ""),
    ("window: 20s every 1s", "window: 1s every 20s"),
    ("select: {total: sum(n)}", "select: {}"),
    ("select: {total: sum(n)}", "select: {total: }"),
    ("select: {total: sum(n)}", "select: {b: sum(n)}"),
    ('labels: {team: "{a}"}', "labels: [team]"),
    ('summary: "{a} {count} {team}"', "summary: []"),
    ("to: [out]", "to: [uot]"),
    ("archive: {to: [out]}", "archive: {}"),
    ("out.ndjson", "out.txt"),
    ("outputs:\n", "outputs:\n  - x\nlimits: {max_keys: 0}\nother:\n"),
    ("rules:\n", "retain: 1h\nrules:\n  - 7\n"),
]


@pytest.mark.parametrize("structure", STRUCTURE, ids=lambda pair: pair[1].strip()[:40] or pair[0])
def test_a_mistake_of_structure_hides_no_other_and_makes_none_up(
    tmp_path: Path, structure: tuple[str, str]
) -> None:
    alone = problems_of(tmp_path, changed(structure))
    both = problems_of(tmp_path, changed(structure, EXPRESSION))
    told = [p for p in both if "unknown field 'm'" in p]
    assert len(told) == 1
    assert len(both) == len(alone) + 1
    # What is told of the structure is told by the structure alone.
    assert alone
    assert not any("unknown field" in problem for problem in alone)
    assert not any("is not known here" in problem for problem in alone)


@pytest.mark.parametrize(
    "structure",
    [
        ("fields:\n  a: text", "fields: text\nother:\n  a: text"),
        ("(?P<vhost>[a-z])", "(?P<vhost>[a-z]"),
    ],
    ids=["no fields", "unknown fields of the path"],
)
def test_without_fields_nothing_is_said_of_expressions(
    tmp_path: Path, structure: tuple[str, str]
) -> None:
    found = problems_of(tmp_path, changed(structure, EXPRESSION))
    assert found
    assert not any("unknown field" in problem for problem in found)


def test_they_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = changed(("a: text", "a: txt"), ("n * 2", "m * 2"), ("out.ndjson", "out"), EXPRESSION)
    text = text.replace("alert: one", "alert: one two")
    places = [problem.split(": ")[0] for problem in problems_of(tmp_path, text)]
    assert places == [":6:6", ":9:10", ":12:12", ":26:11"]


def test_what_is_counted_of_a_broken_field_is_no_mistake(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, changed(("n: {type: integer", "n: {type: int")))
    assert "fields.n.type" in problem


def test_a_broken_derived_field_is_told_once(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, changed(("n * 2", "m * 2")))
    assert "unknown field 'm'" in problem


def test_secrets_are_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2secret")
    (problem,) = problems_of(tmp_path, changed(("n > 5", "${PASSWORD} > 5")))
    assert "hunter2secret" not in problem
    assert "${PASSWORD}" in problem


LIMITED = """\
name: p
source: {file: {path: a.ndjson}}
time: {field: t}
fields: {ip: text, n: integer}
references:
  limits: {file: {path: limits.csv}, key: ip, columns: {ip: text, most: integer}}
allow: {ip: {reference: limits}}
rules:
  - alert: flood
    by: ip
    leaky: {capacity: 5, leak: 10s}
  - alert: high
    by: ip
    window: 5m
    when: sum(n) > limits.most
verdicts:
  bots: {from: [flood, high], for: 10m}
archive: {to: [out], verdicts: {is_bot: bots}}
outputs: {out: {terminal: {}}}
"""

# What is mistyped, and all that is told of it: nothing follows from it elsewhere.
ALONE = [
    ("key: ip", "key: ipp", "there is no column 'ipp'", "did you mean 'ip'?"),
    ("most: integer", "most: integr", "expected text,", "did you mean 'integer'?"),
    ("file: {path: limits", "fiel: {path: limits", "", "did you mean 'file'?"),
    ("capacity: 5", "capacity: many", "expected a whole number", ""),
    ("window: 5m", "window: 5m slidng", "'5m slidng' is not a window\n", "mean '5m sliding'?"),
    ("window: 5m", "window: 5m evry 1m", "'5m evry 1m' is not a window\n", "mean '5m every 1m'?"),
    ("window: 5m", "window: 5x", "expected a duration", "'SIZE every EVERY'"),
    ("from: [flood, high]", "from: [flood, hig]", "there is no rule 'hig'", "mean 'high'?"),
    ("for: 10m", "for: 10m, key: ipp", "'flood' has no 'ipp' in its key", "did you mean 'ip'?"),
    ("for: 10m", "for: 10m, allow: {ipp: a}", "of 'bots' has no field 'ipp'", "did you mean 'ip'?"),
    ("for: 10m", "for: 10m, allow: {ip: 10.0.0.1/8}", "has bits set", "is 10.0.0.0/8"),
    ("for: 10m", "for: 10m, allow: {ip: {reference: limits}}", "networks only", "'allow' of the"),
    ("for: 10m", "for: 10m, repeat: {factor: 2kB}", "expected a whole number", ""),
    ("is_bot: bots", "is_bot: bost", "no list of verdicts 'bost'", "did you mean 'bots'?"),
    ("allow: {ip:", "allow: {ipp:", "there is no field 'ipp'", "did you mean 'ip'?"),
    ("reference: limits", "reference: limts", "no reference 'limts'", "did you mean 'limits'?"),
    ("alert: high", "alrt: high", "neither 'alert' nor", "did you mean 'alert'?"),
    ("by: ip\n    window", "by: ipp\n    window", "unknown field 'ipp'", "did you mean ip?"),
    ("sum(n)", "total(n)", "unknown function 'total'", "write sum(x)"),
    ("sum(n)", "frobnicate(n)", "unknown function 'frobnicate'", "aggregates are avg,"),
]


@pytest.mark.parametrize(("old", "new", "message", "hint"), ALONE)
def test_one_mistake_is_told_alone(
    tmp_path: Path, old: str, new: str, message: str, hint: str
) -> None:
    assert LIMITED.count(old) == 1
    assert problems_of(tmp_path, LIMITED) == []
    told = problems_of(tmp_path, LIMITED.replace(old, new))
    assert [one for one in told if message in one and hint in one]
    # A mistyped key is a missing one, too; nothing else follows.
    lines = {one.split(":")[1] for one in told}
    assert len(lines) == 1


def test_an_alert_on_single_events_accuses_nobody(tmp_path: Path) -> None:
    text = LIMITED.replace("    leaky: {capacity: 5, leak: 10s}\n", "    when: n > 5\n")
    text = text.replace("    by: ip\n    when", "    when")
    (told,) = problems_of(tmp_path, text)
    assert "'flood' judges single events, which have no key" in told


def test_mistakes_of_all_sections_are_told_together(tmp_path: Path) -> None:
    text = LIMITED
    for old, new in (
        ("key: ip", "key: ipp"),
        ("capacity: 5", "capacity: many"),
        ("window: 5m", "window: 5m slidng"),
        ("from: [flood, high]", "from: [flood, hig]"),
        ("time: {field", "time: {feild"),
    ):
        text = text.replace(old, new)
    told = "\n".join(problems_of(tmp_path, text))
    for message in ("'ipp'", "'many'", "'5m slidng'", "'hig'", "'feild'"):
        assert message in told
