"""``tailrace backtest`` as it is called: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.backtest.data import NOON, PIPELINE, lines, plan, written

from tailrace import TailraceError
from tailrace.backtest.inputs import source_names
from tailrace.cli.backtest import command


def invoke(*args: object) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args])


def report(*args: object) -> dict[str, object]:
    result = invoke(*args, "--json", "-")
    assert result.exit_code == 0, result.output
    body: dict[str, object] = json.loads(result.stdout)
    return body


def flood(body: dict[str, object]) -> dict[str, object]:
    rules = body["rules"]
    assert isinstance(rules, list)
    found: dict[str, object] = rules[0]
    return found


def test_the_table(tmp_path: Path) -> None:
    result = invoke(written(tmp_path), "--truth", tmp_path / "truth.csv", "--sweep", "flood.1=4..6")
    assert result.exit_code == 0
    text = result.output
    for pattern in (
        r"^Backtest of web over .*access.ndjson$",
        r"^2024-05-01 12:00:00Z to 2024-05-01 12:10:18Z: 210 records, 210 events; 10m 18s",
        r"^  rule +alerts +an hour +keys +firings .* precision +recall",
        r"^  flood +2 +11.7 +2 +12 .* 100 % +66.7 % +0.800 +0 % +10s +10s$",
        r"^  teapot +2 ",
        r"^2 of 3 episodes found; 2 of 2 incidents are in one; keys accused wrongly: 0$",
        r"^ +4 +3 +3 ",
        r"^ +5 +now +2 +2 ",
    ):
        assert re.search(pattern, text, re.MULTILINE), f"{pattern}\n{text}"


def test_nothing_is_written_but_what_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = invoke(path, "-q", "--json", tmp_path / "r.json", "--html", tmp_path / "r.html")
    assert (result.exit_code, result.output) == (0, "")
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "r.json", tmp_path / "r.html"])
    assert json.loads((tmp_path / "r.json").read_text())["pipeline"] == "web"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_a_pipeline_that_never_alerts(tmp_path: Path) -> None:
    path = written(tmp_path)
    head, _, _ = path.read_text().partition("rules:")
    path.write_text(head + "rules: [{record: r, window: 1m, select: {n: count(*)}}]\n")
    result = invoke(path)
    assert result.exit_code == 0, result.output
    assert "no rule of this pipeline alerts" in result.output


def test_other_files_in_place_of_the_source(tmp_path: Path) -> None:
    path = written(tmp_path)
    half = len(lines()) // 2
    with gzip.open(tmp_path / "old-1.ndjson.gz", "wt") as file:
        file.write("\n".join(lines()[:half]) + "\n")
    (tmp_path / "old-2.ndjson").write_text("\n".join(lines()[half:]) + "\n")
    whole = report(path)
    both = report(
        path, "--input", tmp_path / "old-1.ndjson.gz", "--input", tmp_path / "old-2.ndjson"
    )
    pattern = report(path, "--input", tmp_path / "old-*")
    for body in (both, pattern):
        assert body["incidents"] == whole["incidents"]


def test_a_source_that_is_followed_is_read_to_its_end(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("ndjson}}\ntime", "ndjson, follow: true}}\ntime"))
    assert flood(report(path))["alerts"] == 2


SPANS = [
    ((), 210, 0, 2),
    (("--from", NOON + 100), 146, 64, 1),
    (("--until", "2024-05-01T12:01:40Z"), 64, 146, 1),
    (("--from", NOON + 100, "--until", NOON + 200), 3, 207, 0),
    (("--from", NOON + 9_000), 0, 210, 0),
]


@pytest.mark.parametrize(("options", "inside", "outside", "alerts"), SPANS)
def test_a_span_of_time(
    tmp_path: Path, options: tuple[object, ...], inside: int, outside: int, alerts: int
) -> None:
    body = report(written(tmp_path), *options)
    given = body["input"]
    assert isinstance(given, dict)
    assert given["events"] + given["left_out"] == 210
    assert (given["events"], given["left_out"]) == (inside, outside)
    assert flood(body)["alerts"] == alerts


def test_against_another_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(PIPELINE.replace("name: web", "name: tuned").replace("> 5", "> 4"))
    result = invoke(path, "--against", other, "--truth", tmp_path / "truth.csv")
    assert result.exit_code == 0
    assert "web (here) against tuned (there):" in result.output
    assert re.search(r"^  client_ip +2 +0 +1$", result.output, re.MULTILINE)
    assert re.search(r"^  there +66.7 %", result.output, re.MULTILINE)


REFUSED = [
    (("--input", "{folder}/none.ndjson"), "none.ndjson"),
    (("--truth", "{folder}/none.csv"), "none.csv: No such file"),
    (("--truth", "{folder}/host.csv"), "the truth is about host"),
    (("--sweep", "flod.threshold=1..2"), "there is no rule 'flod'"),
    (("--finds", "flood=x"), "--truth, which isn't given"),
    (("--finds", "flood", "--truth", "{folder}/truth.csv"), "expected RULE=KIND"),
    (("--from", "yesterday"), "--from: 'yesterday' is neither"),
    (("--against", "{folder}/none.yaml"), "there is no such file"),
    (("--json", "{folder}/none/r.json"), "can't write"),
    (("--html", "{folder}"), "can't write"),
    (("--set", "rules.flood.when=count(*)"), "a condition must be true or false"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_mistakes_are_told(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    path = written(tmp_path)
    (tmp_path / "host.csv").write_text("host\na\n")
    result = invoke(path, *(option.format(folder=tmp_path) for option in options))
    assert isinstance(result.exception, TailraceError)
    assert message in result.exception.render()


SOURCES = [
    ("{file: {path: a.ndjson}}", ("a.ndjson",)),
    ("{folder: {path: spool}}", ("spool",)),
    ("{pcap: {path: [a.pcap, 'b/*.pcap']}}", ("a.pcap", "b/*.pcap")),
    ("{kafka: {brokers: 'k:9092', topics: [t]}}", ("topic t",)),
    ("{stdin: {}}", ("standard input",)),
]


@pytest.mark.parametrize(("source", "names"), SOURCES)
def test_what_was_read(source: str, names: tuple[str, ...]) -> None:
    fields = "fields: {source: text}"
    rest = "rules: [{record: r, window: 1m, select: {n: count(*)}}]"
    text = f"name: x\nsource: {source}\ntime: {{field: time}}\n{fields}\n{rest}\n"
    assert source_names(plan(text)) == names


def test_live_packets_have_no_history(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        "name: x\nsource: {capture: {}}\ntime: {field: time}\nfields: {bytes: integer}\n"
        "rules: [{alert: a, window: 1m, when: count(*) > 1}]\n"
    )
    result = invoke(path)
    assert isinstance(result.exception, TailraceError)
    assert "packets can't be captured a second time" in result.exception.render()
    assert "--input" in result.exception.render()


HTTP = "source: {http: {listen: '127.0.0.1:0'}}\n"


def test_a_source_that_can_not_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(re.sub(r"source: .*\n", HTTP, PIPELINE))
    result = invoke(path)
    assert isinstance(result.exception, TailraceError)
    assert "--input" in str(result.exception.problems[0].hint)
    written(tmp_path)
    path.write_text(re.sub(r"source: .*\n", HTTP, PIPELINE))
    assert flood(report(path, "--input", tmp_path / "access.ndjson"))["alerts"] == 2
    path.write_text(re.sub(r"source: .*\n", "source: {stdin: {}}\n", PIPELINE))
    twice = invoke(path, "--against", path)
    assert isinstance(twice.exception, TailraceError)
    assert "second time" in twice.exception.render()
