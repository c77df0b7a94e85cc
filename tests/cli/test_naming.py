"""Every command that is about a pipeline takes it in the same ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tailrace import Pipeline
from tailrace.cli.main import cli
from tailrace.cli.naming import first

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """
name: p
source: {file: {path: in.ndjson}}
time: {field: t, grace: 0s}
fields: {k: text}
rules:
  - {alert: gone, by: k, where: k != 'z', absent_for: 10s}
verdicts: {bots: {from: gone, for: 20s}}
"""
RECORDS = ['{"t": 1, "k": "a"}', '{"t": 1, "k": 7}', '{"t": 100, "k": "z"}', '{"t": 5, "k": "b"}']

# Before and behind the pipeline; {} is where it may stand as an argument, "" where it may not.
COMMANDS = [
    ("status", "{}"),
    ("query", "'select 1' {}"),
    ("query", "{}"),
    ("lookup", "{} a"),
    ("dead-letters list", "{}"),
    ("dead-letters show", "{} 1"),
    ("dead-letters replay", "{} 1"),
    ("dead-letters refused", "{}"),
    ("dead-letters resend", "{}"),
    ("outbox list", "{}"),
    ("explain", "{}"),
    ("explain", "{} gone a 1970-01-01T00:00:11Z"),
    ("verdicts list", ""),
    ("init", "{} --plan"),
]
NEEDED = ("dead-letters show", "dead-letters replay")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (tmp_path / "in.ndjson").write_text("\n".join(RECORDS) + "\n")
    Pipeline.parse(PIPELINE).run(records=RECORDS, store=tmp_path / ".tailrace" / "p.duckdb")
    return tmp_path


def told(verb: str, rest: str) -> tuple[str, str, int]:
    words = [*verb.split(), *rest.replace("'select 1'", "select_1").split()]
    words = ["select 1" if word == "select_1" else word for word in words]
    result = CliRunner().invoke(cli, words)
    return result.output, str(result.exception or ""), result.exit_code


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("verb", "rest"), COMMANDS)
def test_named_in_each_way_it_is_the_same(verb: str, rest: str) -> None:
    bare = rest.replace("{}", "")
    wanted = told(verb, f"-p p.yaml {bare}")
    assert "Usage" not in wanted[0]
    ways = [f"{bare} --pipeline p.yaml", f"{bare} --pipeline=p.yaml"]
    ways += [rest.replace("{}", "p.yaml")] if rest else []
    ways += [] if verb in NEEDED or "gone" in rest else [bare]
    for way in ways:
        assert told(verb, way) == wanted, way


def test_the_option_stands_where_the_argument_does() -> None:
    assert first(["17", "-p", "a.yaml", "--hex"]) == ["a.yaml", "17", "--hex"]
    assert first(["17", "--", "-p", "a.yaml"]) == ["17", "--", "-p", "a.yaml"]
    assert first(["-p"]) == ["-p"]


@pytest.mark.usefixtures("folder")
def test_times_are_shown_to_the_millisecond() -> None:
    output, _, code = told("lookup", "a --json")
    assert code == 0
    assert '"until": "1970-01-01T00:02:00.000001Z"' in output
    assert "until 1970-01-01T00:02:00.000Z" in told("lookup", "a")[0]
    assert "1970-01-01T00:02:00.000Z" in told("verdicts list", "")[0]
