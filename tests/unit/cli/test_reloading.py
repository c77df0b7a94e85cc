from pathlib import Path

import pytest

from tailrace.cli.running.reloading import Reloading, changes, changes_since
from tailrace.config import loads
from tailrace.errors import PipelineError
from tailrace.outputs import Output
from tailrace.plan.compile import compile_file, compile_pipeline
from tailrace.plan.model import Plan

BEFORE = """\
name: p
source: {file: {path: a.log, follow: true}}
time: {field: t}
fields: {a: text, n: integer}
rules:
  - {alert: one, by: a, window: 1m, when: count(*) > 1, to: [x]}
  - {alert: two, by: a, window: 1m, when: count(*) > 1}
outputs:
  x: {file: {path: x.ndjson}}
  y: {file: {path: y.ndjson}}
"""


def plan_of(*replacements: tuple[str, str]) -> Plan:
    text = BEFORE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return compile_pipeline(loads(text))


@pytest.mark.parametrize(
    ("replacement", "told"),
    [
        (("{alert: two,", "{alert: new,"), ["rule new is new", "rule two is gone"]),
        (("when: count(*) > 1, to: [x]", "when: count(*) > 2, to: [x]"), ["one means something"]),
        (("when: count(*) > 1}", "when: count(*) > 1, to: [y]}"), ["rule two: to changed"]),
        (("to: [x]}", "to: [x], labels: {a: b}}"), ["rule one: labels changed"]),
        (("  y: {file: {path: y.ndjson}}\n", ""), ["output y is gone"]),
        (("outputs:", "outputs:\n  z: {table: {name: z}}"), ["output z is new"]),
        (("x.ndjson}}", "x.ndjson}, rows: windows}"), ["output x changed"]),
        (
            ("time: {field: t}", "time: {field: t, grace: 1s}"),
            ["rule one means something else", "rule two means something else", "time changed"],
        ),
    ],
)
def test_what_is_told_of_a_change(replacement: tuple[str, str], told: list[str]) -> None:
    head, *found = changes(plan_of(), plan_of(replacement))
    assert head == "the changed pipeline file is taken up:"
    assert len(found) == len(told)
    assert all(word in line for word, line in zip(told, found, strict=True))


def test_what_is_told_of_a_file_that_changed_between_two_runs() -> None:
    new = plan_of(("count(*) > 1, to: [x]", "count(*) > 2, to: [x]"), ("a.log", "b.log"))
    head, *found = changes_since(plan_of(), new, finished=False)
    assert head == "the pipeline file has changed since the last run with this store:"
    assert found == ["  rule one means something else: it begins anew", "  source changed"]
    found = list(changes_since(plan_of(), new, finished=True))[3:]
    assert "name a new store with --store" in " ".join(found)
    elsewhere = plan_of(("a.log", "b.log"))
    assert list(changes_since(plan_of(), elsewhere, finished=True))[1:] == ["  source changed"]
    assert list(changes_since(plan_of(), plan_of(), finished=True)) == []


def test_nothing_changed() -> None:
    assert list(changes(plan_of(), plan_of())) == [
        "the pipeline file was read again; nothing changed"
    ]


def no_outputs(plan: Plan, names: set[str]) -> dict[str, Output]:
    assert names <= set(plan.config.outputs)
    return {}


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("path: a.log", "path: b.log", "2:1", "'source' can't change while the pipeline runs"),
        ("name: p", "name: q", "1:1", "'name' can't change"),
        ("time:", "format: combined\ntime:", "3:1", "'format' can't change"),
        ("time:", "store: {path: s}\ntime:", "3:1", "'store' can't change"),
        ("time:", "outbox: {max_bytes: 2MiB}\ntime:", "3:1", "'outbox' can't change"),
        ("time:", "web: {}\ntime:", "3:1", "'web' can't change"),
        ("time:", "limits: {max_record_bytes: 2MiB}\ntime:", "3:10", "'max_record_bytes' can't"),
        ("path: x.ndjson", "path: z.ndjson", "9:3", "the output 'x' can't lead elsewhere"),
    ],
)
def test_what_needs_a_new_start(
    tmp_path: Path, old: str, new: str, where: str, message: str
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(BEFORE)
    running = compile_file(path)
    reloading = Reloading(path, (), running, no_outputs)
    path.write_text(BEFORE.replace(old, new))
    with pytest.raises(PipelineError, match=message) as caught:
        reloading.load()
    assert str(caught.value.problems[0].where) == f"{path}:{where}"
    assert reloading.plan is running


def test_changes_are_told_once_they_are_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(BEFORE)
    running = compile_file(path)
    reloading = Reloading(path, (), running, no_outputs)
    path.write_text(BEFORE.replace("alert: two", "alert: three"))
    taken = reloading.load().plan
    assert reloading.taken_up(running) == []
    assert len(reloading.taken_up(taken)) == 3
    assert reloading.taken_up(taken) == []
