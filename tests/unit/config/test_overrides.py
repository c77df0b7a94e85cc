"""``--set key=value``."""

import pytest
from tests.unit.config.pipelines import pipeline, problems, read

from tailrace.config import Alert, FileSource
from tailrace.errors import Where


@pytest.mark.parametrize(
    ("setting", "get", "value"),
    [
        ("time.grace=10s", "time.grace", 10_000_000),
        (" time.grace = 10s ", "time.grace", 10_000_000),
        ("name=no", "name", "no"),
        ("limits.max_keys=5", "limits.max_keys", 5),  # a section that the file doesn't have
        ("store.path=x.duckdb", "store.path", "x.duckdb"),
        ("rules.flood.when=count(*) > 5", "rules.0.when", "count(*) > 5"),
        ("rules.0.when=a = 'b' # c", "rules.0.when", "a = 'b' # c"),
        ("rules.flood.labels={severity: page}", "rules.0.labels", {"severity": "page"}),
        ("rules.flood.to=[alerts, rows]", "rules.0.to", ("alerts", "rows")),
        ('time.field="@t"', "time.field", "@t"),
        ("time.field=@t", "time.field", "@t"),
        ("time.field=a=b", "time.field", "a=b"),
        ("time.arrival=", "time.arrival", None),
        ("fields.status.min=0", "fields.status.min", 0),  # was 'status: integer'
        ("fields.size=integer", "fields.size.type", "integer"),
        ("time.field=${FIELD}", "time.field", "from env"),
        ("outputs.alerts={file: {path: a.json}}", "outputs.alerts.file.path", "a.json"),
        ("source.file.path=[a, b]", "source.path", ("a", "b")),
    ],
)
def test_override(setting: str, get: str, value: object) -> None:
    found: object = read(pipeline(), {"FIELD": "from env"}, [setting]).config
    for step in get.split("."):
        if isinstance(found, dict | tuple):
            found = found[int(step)] if isinstance(found, tuple) else found[step]
        else:
            found = getattr(found, step)
    assert found == value


@pytest.mark.parametrize(
    ("setting", "where", "message", "hint"),
    [
        (
            "time.grace",
            "--set",
            "'time.grace' is not of the form key=value",
            "for example --set time.grace=10s",
        ),
        ("=5", "--set", "'=5' is not of the form key=value", "for example --set time.grace=10s"),
        ("time..grace=5s", "--set time..grace", "a part of the key is empty", None),
        ("time.grase=5s", "--set time.grase", "time: unknown key 'grase'", "did you mean 'grace'?"),
        ("tme.grace=5s", "--set tme.grace", "unknown key 'tme'", "did you mean 'time'?"),
        (
            "time.grace=5",
            "--set time.grace",
            "time.grace: expected a duration such as 20s, 5m or 1h30m, found '5'",
            "with its unit: 5s",
        ),
        (
            "rules.flod.for=1m",
            "--set rules.flod.for",
            "rules has no rule 'flod'",
            "did you mean 'flood'?",
        ),
        (
            "rules.7.for=1m",
            "--set rules.7.for",
            "rules has 1 items, counted from 0; there is no 7",
            None,
        ),
        ("name.x=1", "--set name.x", "name is a single value and has no 'x'", None),
        (
            "rules.flood.labels={a",
            "--set rules.flood.labels:1:3",
            "',' or '}' is missing here",
            "if '{' began a text, put the whole text in quotes",
        ),
        (
            "rules.flood.labels={a: [b]}",
            "--set rules.flood.labels",
            "rules.flood.labels.a: expected text, found a list",
            "text that begins with '{' or '[' needs quotes",
        ),
        (
            "name=${NONE}",
            "--set name:1:1",
            "the environment variable NONE is not set",
            "set it, or give a default: ${NONE:-value}; for a plain '${' write '$${'",
        ),
    ],
)
def test_mistake(setting: str, where: str, message: str, hint: str | None) -> None:
    (problem,) = problems(pipeline(), sets=[setting])
    assert (str(problem.where), problem.message, problem.hint) == (where, message, hint)


def test_later_overrides_win_and_mend_the_file() -> None:
    text = pipeline(time="time: {field: ts, grace: soon, zone: '${ZONE}'}")
    loaded = read(text, sets=["time.zone=UTC", "time.grace=1s", "time.grace=2s"])
    assert loaded.config.time.grace == 2_000_000
    assert loaded.positions.where(("time", "grace")) == Where("--set time.grace")
    assert loaded.positions.where(("time", "field")) == Where("p.yaml", 3, 15)


def test_an_expression_in_an_override_has_places() -> None:
    loaded = read(pipeline(), sets=["rules.flood.when=count(*) >> 5"])
    place = loaded.positions.where(("rules", 0, "when"), 9)
    assert str(place) == "--set rules.flood.when:1:10"


def test_an_alias_is_changed_in_one_place() -> None:
    rules = "rules: [&a {alert: a, when: x}, {<<: *a, alert: b}]"
    first, second = read(pipeline(rules=rules), sets=["rules.a.when=y"]).config.rules
    assert isinstance(first, Alert)
    assert isinstance(second, Alert)
    assert (first.when, second.when) == ("y", "x")


def test_a_source_is_replaced() -> None:
    source = read(pipeline(), sets=["source={file: {path: b.log}}"]).config.source
    assert source == FileSource(path="b.log")
