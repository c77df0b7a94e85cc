import pytest

from tailrace.cli import libraries
from tailrace.cli.libraries import missing_libraries
from tailrace.config import loads

TEXT = """
name: needy
source: {kafka: {brokers: ["localhost:9092"], topics: a}}
time: {field: t}
fields: {a: text}
rules:
  - {alert: e, when: a = 'x', to: [k, s, f, w]}
outputs:
  k: {kafka: {brokers: ["localhost:9092"], topic: b}}
  s: {sql: {url: "postgresql://localhost/x", table: e}}
  f: {file: {path: f.ndjson}}
  w: {webhook: {url: "http://localhost/"}}
web: {listen: "127.0.0.1:9464"}
"""


def test_each_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = loads(TEXT, "needy.yaml")
    here = {"confluent_kafka", "psycopg", "starlette", "uvicorn"}
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name in here else name)
    told = {
        problem.message.partition(";")[0]: (str(problem.where), problem.hint)
        for problem in missing_libraries(loaded)
    }
    install = "pip install 'tailrace[{}]'".format
    kafka, libraries_of_web = "the library confluent_kafka", "the libraries starlette, uvicorn"
    assert told == {
        f"the source needs {kafka}": ("needy.yaml:3:1", install("kafka")),
        f"the output 'k' needs {kafka}": ("needy.yaml:9:3", install("kafka")),
        "the output 's' needs the library psycopg": ("needy.yaml:10:3", install("sql")),
        f"web needs {libraries_of_web}": ("needy.yaml:13:1", install("http")),
    }
    monkeypatch.setattr(libraries, "find_spec", lambda name: name)
    assert not list(missing_libraries(loaded))
