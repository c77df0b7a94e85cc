"""A pipeline built in Python, and written back to YAML."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.config.pipelines import pipeline, read

from tailrace.config import (
    Alert,
    Archive,
    Csv,
    DeadLetterSettings,
    Dedup,
    Duration,
    EventField,
    ExplainSettings,
    FileOutput,
    FileSource,
    FolderSource,
    Limits,
    Loaded,
    LogFormat,
    Output,
    PipelineConfig,
    Record,
    StdinSource,
    StoreSettings,
    TableOutput,
    TerminalOutput,
    TimeSettings,
    Window,
    dumps,
    loads,
)
from tailrace.errors import PipelineError


def built(**changes: Any) -> PipelineConfig:
    values: dict[str, Any] = {
        "name": "web",
        "source": FileSource(path="access.log"),
        "time": TimeSettings(field="timestamp"),
        "fields": {
            "client_ip": "text",
            "host": EventField(type="text"),
            "status": EventField(type="integer"),
            "request": "text",
        },
        "rules": [Alert(name="flood", window=Window.parse("1m"), when="count(*) > 10")],
        "outputs": {
            "alerts": Output(terminal=TerminalOutput()),
            "rows": Output(table=TableOutput(name="windows")),
        },
    }
    return PipelineConfig(**(values | changes))


def test_equals_what_is_read() -> None:
    assert built() == read(pipeline()).config


@pytest.mark.parametrize(
    "value", ["1h30m", timedelta(hours=1.5), Duration("90m"), Duration(5_400_000_000)]
)
def test_durations(value: Any) -> None:
    assert TimeSettings(field="t", grace=value).grace == 5_400_000_000
    assert Dedup(by=("a",), within=value).within == 5_400_000_000


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (
            lambda: TimeSettings(field="t", grace=Duration(5_000_000), zone="Mars"),
            "zone: 'Mars' is not a time zone",
            "a name of the IANA time zone database, such as UTC or Europe/Madrid",
        ),
        (
            lambda: Alert(name="a", window=Window.parse("1m"), when="x", for_=5),  # type: ignore[arg-type]
            "for: a duration needs a unit, found the number 5",
            "write text such as '5s', a timedelta, or Duration(microseconds)",
        ),
        (
            lambda: Alert(name="a", wen="x", when="x"),  # type: ignore[call-arg]
            "Alert: unknown key 'wen'",
            "did you mean 'when'?",
        ),
        (
            lambda: Limits(max_keys="many"),  # type: ignore[arg-type]
            "max_keys: expected a whole number, found 'many'",
            None,
        ),
        (
            lambda: Limits(max_keys=1.5),  # type: ignore[arg-type]
            "max_keys: expected a whole number, found the number 1.5",
            None,
        ),
        (
            lambda: StoreSettings(path=5),  # type: ignore[arg-type]
            "path: expected text, found the number 5",
            None,
        ),
        (
            lambda: built(rules=[{"alert": "a"}]),
            "rules.0: the key 'when' is missing",
            "for example when: count(*) > 10",
        ),
        (
            lambda: built(source=5),
            "source: expected a mapping with the kind of source, found the number 5",
            "for example source: {file: {path: access.log}}",
        ),
        (
            lambda: built(archive=Archive(to=("row",))),
            "archive.to.0: there is no output 'row'",
            "did you mean 'rows'?",
        ),
        (lambda: EventField(type="text", min=1), "min: 'min' is for numbers, not for text", None),
    ],
)
def test_mistakes_are_pipeline_errors(make: Any, message: str, hint: str | None) -> None:
    with pytest.raises(PipelineError) as caught:
        make()
    (problem,) = caught.value.problems
    assert (problem.message, problem.hint, problem.where) == (message, hint, None)


def test_several_mistakes_at_once() -> None:
    with pytest.raises(PipelineError) as caught:
        built(name="a b", rules=[Alert(name="a", when="x", to=("none",))], fields={})
    assert [problem.message for problem in caught.value.problems] == [
        "name: 'a b' is not a name",
        "fields: no field is declared",
        "rules.0.to.0: there is no output 'none'",
    ]


def test_frozen() -> None:
    with pytest.raises(Exception, match="frozen"):
        built().name = "other"


def test_copies_and_pickles() -> None:
    config = built()
    assert copy.deepcopy(config) == config
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 (made here)


def test_loaded_from_python() -> None:
    loaded = Loaded.of(built())
    assert loaded.file == "<python>"
    assert str(loaded.positions.where(("rules", 0, "when"), 3)) == "rules.0.when"
    assert loads(loaded.text, env={}).config == loaded.config
    assert loaded.secrets == frozenset()


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        (None, []),
        ("host", [("host", "host", ("by",))]),
        ("ip_prefix(ip, 24)", [(None, "ip_prefix(ip, 24)", ("by",))]),
        ({"net": "ip_prefix(ip, 24)"}, [("net", "ip_prefix(ip, 24)", ("by", "net"))]),
        (
            ["host", {"net": "x || y", "b": "c"}, "a + b"],
            [
                ("host", "host", ("by", 0)),
                ("net", "x || y", ("by", 1, "net")),
                ("b", "c", ("by", 1, "b")),
                (None, "a + b", ("by", 2)),
            ],
        ),
    ],
)
def test_parts_of_a_key(
    by: Any, parts: list[tuple[str | None, str, tuple[str | int, ...]]]
) -> None:
    rule = Alert(name="a", window=Window.parse("1m"), when="x", by=by)
    assert [(part.name, part.text, part.path) for part in rule.keys] == parts


FULL = built(
    source=FileSource(path=("a/*.log", "b.log"), follow=True, fields="(?P<vhost>[^/]+)/a"),
    format=Csv(columns=("timestamp", "ip", "host", "status", "request", "n"), delimiter="\t"),
    time=TimeSettings(
        field="timestamp",
        format="iso",
        zone="Europe/Madrid",
        grace=Duration("1m30s"),
        max_future_skew=Duration("0s"),
        arrival=("meta", "received"),
        idle_after=Duration("500ms"),
    ),
    fields={
        "ip": "text",
        "host": EventField(type="text", required=True, from_=("request", "host")),
        "n": EventField(type="double", min=-0.5, max=1e300),
        "status": EventField(type="integer", min=0, max=2**62),
    },
    derive={"path": "split_part(request, ' ', 2)", "odd": "status = '${X}' # no: comment"},
    dedup=Dedup(by=("ip", "vhost"), within=Duration("2h")),
    limits=Limits(max_keys=100, max_distinct=7, max_record_bytes=1500),
    dead_letters=DeadLetterSettings(max_bytes=0),
    explain=ExplainSettings(retain=Duration("7d")),
    rules=[
        Alert(
            name="flood",
            by=("ip", {"net": "ip_prefix(ip, 24)"}),
            window=Window.parse("20s every 1s"),
            where="status is not null",
            when="count(*) > 10\nand true",
            select={"n": "avg(n)", "worst case": "max(n)"},
            for_=Duration("20s"),
            keep_firing_for=Duration("1m"),
            cooldown=Duration("1h"),
            update_every=Duration("1d"),
            labels={"severity": "no", "team": "{host}"},
            annotations={"summary": "{ip}: @{{1}} \u2028 \u00e9 \x07"},
            to=("alerts", "rows"),
        ),
        Alert(name="each", when="status = 500", to=("alerts",)),
        Record(name="rate", window=Window.parse("1m"), select={"n": "count(*)"}, when="n > 1"),
    ],
    archive=Archive(to=("archive",)),
    outputs={
        "alerts": Output(terminal=TerminalOutput(), zone="Asia/Tokyo"),
        "rows": Output(table=TableOutput(name="windows")),
        "archive": Output(file=FileOutput(path="out/raw/", format="parquet")),
    },
    store=StoreSettings(path="state.duckdb"),
)


@pytest.mark.parametrize(
    "config",
    [
        built(),
        FULL,
        built(source=StdinSource(), format="combined"),
        built(source=FolderSource(path="spool", pattern="*.gz")),
        built(format=LogFormat(log_format="$a \"$b\" '${c}'", escape="json")),
        built(format=Csv()),
    ],
)
def test_written_and_read_back(config: PipelineConfig) -> None:
    text = dumps(config)
    assert loads(text, env={}).config == config
    assert dumps(loads(text, env={}).config) == text


def test_written_without_defaults() -> None:
    assert (
        dumps(built(rules=[Alert(name="a", when="status > 1", to=("alerts",))]))
        == """\
name: web
source:
  file:
    path: access.log
time:
  field: timestamp
fields:
  client_ip: text
  host: text
  status: integer
  request: text
rules:
- alert: a
  when: status > 1
  to: alerts
outputs:
  alerts:
    terminal: {}
  rows:
    table:
      name: windows
"""
    )


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip)
_NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
_SPAN = st.integers(0, 10**9).map(lambda n: Duration(n * 1000))


@settings(max_examples=60)
@given(
    _TEXT,
    st.dictionaries(_NAME.map(lambda n: "a" + n), _TEXT, max_size=3),
    _SPAN,
    st.tuples(st.integers(1, 10**7), st.integers(1, 50)),
)
def test_any_texts_come_back(
    text: str, labels: Mapping[str, str], span: Duration, window: tuple[int, int]
) -> None:
    every, times = window
    alert = Alert(
        name="a",
        window=Window(every * times * 1000, every * 1000),
        when=text,
        for_=span,
        labels=labels,
        annotations={"summary": text},
        select=labels,
    )
    config = built(rules=[alert], source=FileSource(path=text), derive={"derived": text})
    assert loads(dumps(config), env={}).config == config


def test_imports_nothing_heavy() -> None:
    code = (
        "import sys; import tailrace.config, tailrace.config.schema, tailrace.cli.schema;"
        "print(*{'duckdb', 'pyarrow', 'numpy', 'pandas'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert result.stdout.strip() == ""
