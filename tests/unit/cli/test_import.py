"""Configurations of the click-bot detector, and the pipelines that they become."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tailrace import Pipeline, TailraceError
from tailrace.cli.import_ import command
from tailrace.cli.importing.click_bots import import_click_bots
from tailrace.cli.importing.hocon import parse

CONF = """\
redis {
  host = localhost
  port = 6379
  ttl = 10 min
}
kafka {
  host = "localhost:9092"
  topic = "bot-logs"
  group-id = "bot-logs-group-1"
}
statisticsTtl = 10 min
watermark = 10 s
batchInterval = 10 s
rules {
  window = 10 s
  eventRate.limit = 10
  clickViewRate.limit = 3
  categoriesRate.limit = 10
}
"""

# A text, and what it says: HOCON has many ways to write one thing.
WRITTEN = [
    ("a.b = 1", {"a.b": "1"}),
    ("a { b = 1 }", {"a.b": "1"}),
    ("{ a { b : 1 } }", {"a.b": "1"}),
    ("a = { b = 1, c = 2 }", {"a.b": "1", "a.c": "2"}),
    ("a b = 1", None),
    ('"a.b".c = 1', {"a.b.c": "1"}),
    ('"a" . b = 1', {"a.b": "1"}),
    ("a = 10 min  # so long", {"a": "10 min"}),
    ("a = 10 min // so long", {"a": "10 min"}),
    ('a = "10 min # no comment"', {"a": "10 min # no comment"}),
    ('a = "one" two', {"a": "one two"}),
    ('a = """line\n"two" """', {"a": 'line\n"two"'}),
    ('a = "\\u0041\\n"', {"a": "A"}),
    ("a = 1\na = 2", {"a": "2"}),
    ("a = 1, b = 2,\n\n, c = 3", {"a": "1", "b": "2", "c": "3"}),
    ("a = 1\r\nb = 2\r\n", {"a": "1", "b": "2"}),
    ("a = x\na = ${?NAME}", {"a": "${NAME:-x}"}),
    ("a = ${NAME}", {"a": "${NAME}"}),
    ("a = ${?NAME}", {"a": "${NAME:-}"}),
    ('a = "${NAME}"', {"a": "$${NAME}"}),
    ('a = [1, [2, "]"], 3]\nb = 1', {"b": "1"}),
    ("a += 1\nb = 1", {"b": "1"}),
    ("a = ${b.c}\nd = 1", {"d": "1"}),
    ('include "other.conf"\na = 1', {"a": "1"}),
    ("", {}),
    ("# nothing", {}),
    ("a {", None),
    ("a = {", None),
    ("a }", None),
    ("a = 1 }", None),
    ("a", None),
    ("= 1", None),
    ('a = "x', None),
    ('a = "\\q"', None),
    ("a = $x", None),
    ("a = [1, 2", None),
    ("{" * 100, None),
    ("a {" * 100, None),
    ("a = 1\n" * 100_000, None),
]


@pytest.mark.parametrize(("text", "expected"), WRITTEN, ids=[repr(t)[:40] for t, _ in WRITTEN])
def test_hocon(text: str, expected: dict[str, str] | None) -> None:
    if expected is None:
        with pytest.raises(TailraceError):
            parse(text, "application.conf")
    else:
        found = parse(text, "application.conf").values
        assert {path: setting.text for path, setting in found.items()} == expected


PIECES = (
    *("a", "b.c", "{", "}", "=", ":", "+=", "[", "]", '"', '"x"', "${", "${N}", "$", "\n"),
    *(",", "#", "//", "/", '"""', "\\", " ", "\t", "1", "include", ".", "\x00"),
)


@given(st.lists(st.sampled_from(PIECES)))
def test_any_text_is_read_or_refused(pieces: list[str]) -> None:
    with suppress(TailraceError):
        parse("".join(pieces), "application.conf")


def imported(text: str) -> tuple[str, list[str]]:
    result = import_click_bots(parse(text, "application.conf"), "application.conf")
    return result.text, [note.render() for note in result.notes]


def bots(text: str, lines: list[str]) -> list[str]:
    found = Pipeline.parse(imported(text)[0]).run(records=lines)
    return sorted(set(found.windows("bots")["ip"].to_pylist()))


def event(at: int, ip: str, kind: str, category: int = 1000) -> str:
    return f'{{"unix_time": {at}, "category_id": {category}, "ip": "{ip}", "type": "{kind}"}}'


def clicks(ip: str, clicks: int, views: int, categories: int = 1) -> list[str]:
    """Events in one window."""
    kinds = ["click"] * clicks + ["view"] * views
    return [event(100, ip, k, 1000 + n % categories) for n, k in enumerate(kinds)]


# Clicks, views, categories; whether that is a bot. The limits are strict.
JUDGED = [
    (1, 1, 1, False),
    (1, 0, 1, True),  # no views
    (0, 1, 1, False),
    (5, 5, 1, False),  # ten events
    (5, 6, 1, True),  # eleven
    (3, 1, 1, False),
    (4, 1, 1, True),
    (7, 2, 1, False),  # 7 // 2 is 3
    (8, 2, 1, True),
    (5, 5, 10, False),
]


@pytest.mark.parametrize(("clicked", "viewed", "categories", "bot"), JUDGED)
def test_who_is_a_bot(clicked: int, viewed: int, categories: int, bot: bool) -> None:
    lines = clicks("192.0.2.1", clicked, viewed, categories)
    array = ["[" + lines[0] + ",", *(line + "," for line in lines[1:-1]), lines[-1] + "]"]
    assert bots(CONF, array if len(lines) > 1 else lines) == (["192.0.2.1"] if bot else [])


def test_limits_are_those_of_the_file() -> None:
    text = CONF.replace("categoriesRate.limit = 10", "categoriesRate.limit = 1")
    assert bots(text, clicks("192.0.2.1", 2, 2, 2)) == ["192.0.2.1"]
    assert bots(CONF.replace("= 3", "= 7"), clicks("192.0.2.1", 7, 1)) == []
    # 24 s lie in the windows from 0 and 20 of ten seconds each, and in one of 30.
    apart = [event(at, "192.0.2.1", "view") for at in range(0, 24, 2)]
    assert bots(CONF, apart) == []
    assert bots(CONF.replace("window = 10 s", "window = 30 seconds"), apart) == ["192.0.2.1"]


def test_what_is_no_click_is_a_view() -> None:
    lines = [event(100, "192.0.2.1", "click"), event(100, "192.0.2.1", "hover")]
    lines.append('{"unix_time": 100, "ip": "192.0.2.1"}')
    assert bots(CONF, lines) == []


def test_keys_and_times_of_redis() -> None:
    text, _ = imported(CONF.replace("port = 6379", "port = 7000").replace("ttl = 10", "ttl = 5"))
    config = Pipeline.parse(text).config
    told = {name: output.redis for name, output in config.outputs.items()}
    bots, statistics = told["bots"], told["statistics"]
    assert bots is not None
    assert statistics is not None
    assert (bots.url, bots.key, bots.ttl) == ("redis://localhost:7000/0", "bot_{ip}", 300_000_000)
    assert (statistics.key, statistics.ttl) == ("stat_{ip}", 600_000_000)
    assert config.outputs["bots"].rows == "windows"
    assert bots.value == statistics.value
    assert str(bots.value).startswith(
        "ip: {ip}, event rate: {events}, clickRate: {clicks}, viewRate"
    )


def test_statistics_last_as_long_as_a_window_if_nothing_is_said() -> None:
    text, _ = imported(CONF.replace("statisticsTtl = 10 min\n", ""))
    redis = Pipeline.parse(text).config.outputs["statistics"].redis
    assert redis is not None
    assert redis.ttl == 10_000_000


def test_a_file_with_one_setting_has_the_detectors_own_values() -> None:
    assert (
        imported("kafka.topic = bot-logs")[0]
        == imported(CONF.replace("statisticsTtl = 10 min", ""))[0]
    )


def test_what_has_no_place_is_told() -> None:
    _, notes = imported(CONF + "spark.master = local\nrules.colour = [1]\n")
    told = "\n".join(notes)
    for path in ("kafka.group-id", "batchInterval", "spark.master", "rules.colour"):
        assert f"{path} is" in told
    assert re.search(r"application.conf:\d+: spark.master is not known", told)


DURATIONS = [
    ("10 s", "10s"),
    ("10s", "10s"),
    ("10 seconds", "10s"),
    ("1500", "1500ms"),
    ("1.5 min", "1m30s"),
    ("2 hours", "2h"),
    ("1 d", "1d"),
    ("250 millis", "250ms"),
]


@pytest.mark.parametrize(("written", "expected"), DURATIONS)
def test_durations(written: str, expected: str) -> None:
    text, _ = imported(CONF.replace("watermark = 10 s", f"watermark = {written}"))
    grace = re.search(r"grace: (\w+)", text)
    assert grace is not None
    assert (
        Pipeline.parse(text).config.time.grace
        == Pipeline.parse(text.replace(grace[0], f"grace: {expected}")).config.time.grace
    )


WRONG = [
    ("watermark = 10 s", "watermark = soon", "watermark is not a duration: 'soon'"),
    ("watermark = 10 s", "watermark = 0 s", "watermark is not a duration"),
    ("watermark = 10 s", "watermark = 10 fortnights", "watermark is not a duration"),
    ("watermark = 10 s", "watermark = 1 us", "watermark is not a duration"),
    ("watermark = 10 s", "watermark = 999999999999999 days", "watermark is not a duration"),
    ("watermark = 10 s", "watermark = ${W}", "watermark comes from the environment"),
    ("= 3\n", "= 3.5\n", "rules.clickViewRate.limit is not a whole number: '3.5'"),
    ("= 3\n", "= -3\n", "rules.clickViewRate.limit is not a whole number"),
    ("port = 6379", "port = http", "redis.port is not a whole number"),
    ("host = localhost", "host = a/b", "redis.host is not the name of a host"),
    ('"bot-logs"', '""', "kafka.topic is empty"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_wrong_values(old: str, new: str, message: str) -> None:
    with pytest.raises(TailraceError, match=re.escape(message)) as caught:
        imported(CONF.replace(old, new, 1))
    (problem,) = caught.value.problems
    assert problem.where is not None
    assert problem.where.line
    assert problem.hint


def test_a_file_of_something_else() -> None:
    with pytest.raises(TailraceError, match="none of its settings is known"):
        imported("akka { loglevel = INFO }")


def test_the_command(tmp_path: Path) -> None:
    runner = CliRunner()
    (tmp_path / "application.conf").write_text(CONF)
    conf, out = str(tmp_path / "application.conf"), tmp_path / "pipeline.yaml"
    shown = runner.invoke(command, [conf])
    assert shown.exit_code == 0
    assert "note: " in shown.stderr
    assert runner.invoke(command, [conf, "--out", str(out)]).exit_code == 0
    assert out.read_text() == shown.stdout
    again = runner.invoke(command, [conf, "--out", str(out)])
    assert isinstance(again.exception, TailraceError)
    assert runner.invoke(command, [conf, "--out", str(out), "--force"]).exit_code == 0
    for wrong in (tmp_path, tmp_path / "none"):
        assert isinstance(runner.invoke(command, [str(wrong)]).exception, TailraceError)
