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
