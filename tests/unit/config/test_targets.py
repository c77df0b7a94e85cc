"""Outputs to Redis and over HTTP: options that don't fit, and texts that hide secrets."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from tests.unit.config.pipelines import pipeline, problems, read

from tailrace.config.targets.body import template_of
from tailrace.errors import PipelineError
from tailrace.outputs.addressing import filled
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.templates import parse

REDIS = [
    ("{key: '{host}', url: 'http://u:hidden@h'}", "url: this is not the address of a Redis server"),
    ("{key: '{host}', url: 'redis://:hidden@h/x'}", "url: what follows the host is the number"),
    ("{key: '{host}', url: 'unix://'}", "url: the path of the socket is missing"),
    ("{key: '{host}', type: map}", "outputs.o.redis.type: "),
    ("{url: 'redis://h'}", "redis: the key 'key' is missing"),
    ("{key: a, max_entries: 5}", "max_entries belongs to the type list or stream"),
    ("{key: a, labels: {a: b}}", "labels belongs to the type timeseries"),
    ("{key: a, type: hash, value: x}", "value: the fields of a hash are the row's values"),
    ("{key: a, type: timeseries}", "redis: a sample needs a number"),
    ("{key: a, type: set, on_resolved: delete}", "on_resolved: the value of the resolved"),
    ("{key: a, ttl_from: time}", "ttl_from: there is no 'ttl' to count"),
    ("{key: a, ttl: 0s}", "ttl: expected a duration above 0"),
    ("{key: a, host: h}", "unknown key 'host'"),
]
WEBHOOK = [
    ("{url: 'ftp://hidden'}", "url: this is not the address of a service"),
    ("{url: 'https://u:hidden@h/'}", "url: name and password don't belong into the address"),
    ("{url: 'https://h/ hidden'}", "url: an address has no blanks"),
    ("{url: 'http://h', headers: {'a b': c}}", "headers: a header's name has letters"),
    ("{url: 'http://h', headers: {Host: c}}", "headers: the header Host is not yours to set"),
    ('{url: "http://h", headers: {X: "a\\nb"}}', "headers: the value of the header X has control"),
    ('{url: "http://h", token: "hidden\\n"}', "token: the token has characters"),
    ("{url: 'http://h', token: a, username: b}", "token: there is a user already"),
    ("{url: 'http://h', password: b}", "password: a password without its user"),
    ("{url: 'http://h', timeout: 31s}", "timeout: expected 30s at most"),
    ("{url: 'http://h', batch: 20000}", "batch: expected 10000 at most"),
    ("{url: 'http://h', format: ndjson}", "format: requests have one row"),
    ("{url: 'http://h', body: x, batch: 2}", "batch: plain text can't be sent in batches"),
    ("{url: 'http://h', body: {}}", "body: expected a text, a mapping or a list"),
    (
        "{url: 'http://h', body: '{host}', headers: {Content-Type: application/json}}",
        "body: values are not escaped in a text",
    ),
    ("{url: 'http://h', tls: {key: a.pem}}", "tls.key: a key without its certificate"),
    ("{url: 'http://h', method: PUT}", "unknown key 'method'"),
]
CASES = [("redis", *case) for case in REDIS] + [("webhook", *case) for case in WEBHOOK]


@pytest.mark.parametrize(("kind", "options", "said"), CASES)
def test_mistakes(kind: str, options: str, said: str) -> None:
    found = problems(pipeline(outputs=f"outputs: {{o: {{{kind}: {options}}}}}"))
    assert [said in problem.message for problem in found] == [True]
    assert "hidden" not in "".join(problem.render() for problem in found)


TEMPLATES = [
    ("redis: {key: '§{hosts}'}", "{hosts} is not known here"),
    ("redis: {key: a, type: timeseries, value: a, labels: {x: '§{y}'}}", "{y} is not known here"),
    ("webhook: {url: 'http://h', body: {a: [x, '§{hosts}']}}", "{hosts} is not known here"),
    ("webhook: {url: 'http://h', body: {a: {b.c: '§x { y'}}}", "begins no {name}"),
    ("webhook: {url: 'http://h', body: '§{hosts}'}", "{hosts} is not known here"),
    ("alertmanager: {generator_url: '§{hosts}'}", "{hosts} is not known here"),
]


@pytest.mark.parametrize(("output", "said"), TEMPLATES)
def test_templates_are_checked_where_they_stand(output: str, said: str) -> None:
    rules = "rules: [{alert: flood, by: host, window: 1m, when: count(*) > 10, to: o}]"
    text = pipeline(rules=rules, outputs=f"outputs: {{o: {{{output}}}}}")
    line = next(line for line in text.splitlines() if "§" in line)
    with pytest.raises(PipelineError) as caught:
        compile_pipeline(read(text.replace("§", "")))
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.where is not None
    assert problem.where.column == line.index("§")


PAGER = "outputs: {o: {alertmanager: {}}}"
ENDLESS = [
    ({"rules": "rules: [{alert: a, when: status > 1, to: o}]"}, "without a window"),
    (
        {"rules": "rules: [{record: a, window: 1m, select: {n: count(*)}, to: o}]"},
        "a record has no incidents",
    ),
    ({"x": "archive: {to: o}"}, "an archive has no incidents"),
    ({"x": "dead_letters: {to: o}"}, "dead letters have no incidents"),
    ({"outputs": "outputs: {o: {alertmanager: {}, rows: windows}}"}, "no rows of windows"),
]


@pytest.mark.parametrize(("sections", "said"), ENDLESS)
def test_an_alertmanager_takes_incidents_alone(sections: dict[str, str], said: str) -> None:
    found = problems(pipeline(**({"outputs": PAGER} | sections)))
    assert [said in problem.message for problem in found] == [True]


BODIES = [
    {"text": "{host}"},
    ["{host}", {"a {b": '"{host}" {{x}} \\'}],
    {"a": None, "b": ["\n", "{host}{host}"]},
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("value", ["plain", '"},{"', "\\", "{host}", "\u2028\x00\ud7ff", None])
def test_a_body_with_any_value_is_json(body: object, value: str | None) -> None:
    template = parse(template_of(body))
    (made,) = filled(template, {"host": pa.array([value])}, 1, escaped=True).to_pylist()

    def expected(part: object) -> object:
        match part:
            case str():
                return parse(part).fill({"host": value})
            case dict():
                return {name: expected(item) for name, item in part.items()}
            case list():
                return [expected(item) for item in part]
        return part

    assert json.loads(made) == expected(body)


SOURCES = [
    ("{listen: '0.0.0.0:80'}", "can be reached from other machines without a token"),
    ("{listen: '[::]:80'}", "can be reached from other machines without a token"),
    ("{listen: here}", "'here' is not host:port"),
    ("{path: events}", "'events' is not a path"),
    ('{token: "a\\nhidden"}', "the token has characters"),
    ("{key: a.pem}", "a key without its certificate"),
    ("{max_body_bytes: 10}", "expected at least 1024 bytes"),
    ("{port: 80}", "unknown key 'port'"),
]


@pytest.mark.parametrize(("options", "said"), SOURCES)
def test_mistakes_of_an_http_source(options: str, said: str) -> None:
    found = problems(pipeline(source=f"source: {{http: {options}}}"))
    assert [said in problem.message for problem in found] == [True]
    assert "hidden" not in "".join(problem.render() for problem in found)


@pytest.mark.parametrize("format_", ["csv", "{csv: {}}", "{csv: {columns: [timestamp]}}"])
def test_what_is_sent_in_pieces_has_no_header(format_: str) -> None:
    (problem,) = problems(
        pipeline(
            source="source: {http: {}}",
            x=f"format: {format_}",
            fields="fields: {host: {type: text, from: timestamp}}",
            rules="rules: [{alert: flood, window: 1m, when: count(*) > 10}]",
        )
    )
    assert "no header in common" in problem.message
    columns = "[timestamp, client_ip, host, status, request]"
    read(
        pipeline(
            source="source: {http: {listen: '0.0.0.0:80', token: x}}",
            x=f"format: {{csv: {{columns: {columns}, header: false}}}}",
        )
    )
