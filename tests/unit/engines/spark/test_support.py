"""What is refused on Spark: by `check`, by `run`, by a reload; with its place."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tailrace.cli import check, run
from tailrace.cli.running.reloading import Reloading
from tailrace.config import loads
from tailrace.engines.spark import launching, support
from tailrace.errors import PipelineError
from tailrace.plan.compile import compile_file

TEXT = """\
name: p
source:
  SOURCE
time: {field: t}
fields: {a: text}
rules:
  - {alert: one, by: a, window: 1m, when: count(*) > 1}
"""
FILE = "file: {path: a.log}"
KAFKA = "kafka: {brokers: 'localhost:1', topics: t, options: {OPTIONS}}"
COUNTED = "kafka: {brokers: 'localhost:1', topics: t, on_gap: GAP}"
CASES = [
    (TEXT.replace("SOURCE", FILE), []),
    (
        TEXT.replace("SOURCE", FILE) + "dedup: {by: a, within: 1m}\n",
        ["8:1: dedup is not there on Spark"],
    ),
    (
        TEXT.replace("SOURCE", FILE) + "explain: {retain: 1h}\n",
        ["8:11: explain from kept counts is not there on Spark"],
    ),
    (
        TEXT.replace("SOURCE", KAFKA.replace("OPTIONS", "fetch.wait.max.ms: 5, client.id: x")),
        ["3:56: the Kafka option fetch.wait.max.ms is librdkafka's"],
    ),
    (
        TEXT.replace("SOURCE", COUNTED.replace("GAP", "count")),
        ["3:46: on_gap: count is not there on Spark"],
    ),
    (
        TEXT.replace("SOURCE", KAFKA.replace("OPTIONS", "debug: fetch"))
        + "explain: {retain: 1h}\ndedup: {by: a, within: 1m}\n",
        ["9:1: dedup", "8:11: explain", "3:56: the Kafka option debug"],
    ),
]


@pytest.mark.parametrize(("text", "told"), CASES)
def test_problems_have_their_places(text: str, told: list[str]) -> None:
    loaded = loads(text)
    found = support.problems(loaded.config, loaded.positions)
    assert len(found) == len(told)
    for problem, words in zip(found, told, strict=True):
        assert problem.render().partition(":")[2].startswith(words)
        assert problem.hint


@pytest.mark.parametrize(("text", "told"), CASES[1:])
def test_the_same_is_told_by_check_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(text)
    arguments = ["p.yaml", "--engine", "spark"]
    checked = CliRunner().invoke(check.command, arguments, standalone_mode=False)
    assert checked.return_value == 2
    assert f"p.yaml: {len(told)} mistake" in checked.stderr
    with pytest.raises(PipelineError) as raised:
        run.command.main(arguments, standalone_mode=False)
    for words in told:
        assert f"p.yaml:{words}" in checked.stderr
        assert f"p.yaml:{words}" in raised.value.render()
    assert not Path(".tailrace").exists()
    embedded = CliRunner().invoke(check.command, ["p.yaml"], standalone_mode=False)
    assert embedded.return_value == 0


def test_check_says_what_this_machine_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(CASES[0][0])
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    where = f"warning: --engine spark needs Java {launching.JAVA}, and there is none in JAVA_HOME"
    for arguments, told in (
        (["--engine", "spark"], True),
        (["--engine", "spark", "-q"], False),
        ([], False),
    ):
        result = CliRunner().invoke(check.command, ["p.yaml", *arguments], standalone_mode=False)
        assert (where in result.stderr) is told
        assert result.return_value in (0, None)


def test_a_reload_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(CASES[0][0])
    plan = compile_file(path)
    reloading = Reloading(path, (), plan, lambda _plan, _names: {}, on_spark=True)
    assert reloading.load().plan.name == "p"
    path.write_text(CASES[1][0])
    with pytest.raises(PipelineError, match="dedup is not there on Spark"):
        reloading.load()
    path.write_text(CASES[0][0] + "spark: {shards: 3}\n")
    with pytest.raises(PipelineError, match="'spark' can't change while the pipeline runs"):
        reloading.load()
    Reloading(path, (), plan, lambda _plan, _names: {}).load()


def test_a_gap_that_stops_is_there() -> None:
    assert not support.problems(
        loads(TEXT.replace("SOURCE", COUNTED.replace("GAP", "stop"))).config
    )


def test_without_a_file_the_path_is_the_place() -> None:
    loaded = loads(CASES[2][0])
    with pytest.raises(PipelineError) as raised:
        support.refuse(loaded.config)
    assert raised.value.render().startswith("explain.retain: explain from kept counts")
