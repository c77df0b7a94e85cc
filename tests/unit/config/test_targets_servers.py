"""Options of outputs to OpenSearch and SQL: what is taken, what is complained of."""

from __future__ import annotations

import pytest

from tailrace.config.outputs import Output
from tailrace.errors import PipelineError

CASES = [
    ("opensearch", {"index": "Test"}, "can't be an index's name"),
    ("opensearch", {"index": "_a"}, "can't be an index's name"),
    ("opensearch", {"index": "a b"}, "can't be an index's name"),
    ("opensearch", {"index": "a", "url": "localhost:9200"}, "is not an address"),
    ("opensearch", {"index": "a", "url": "http://a:9200,ftp://b"}, "'ftp://b' is not an address"),
    ("opensearch", {"index": "a", "by": "day", "data_stream": True}, "exclude each other"),
    ("opensearch", {"index": "a", "by": "week"}, "expected hour, day, month or year"),
    ("opensearch", {"index": "a", "username": "u"}, "'username' needs 'password'"),
    ("opensearch", {"index": "a", "password": "p"}, "'password' needs 'username'"),
    ("opensearch", {"index": "a", "max_request_bytes": 10}, "at least 1024 bytes"),
    (
        "opensearch",
        {"index": "a", "api_key": "k", "username": "u", "password": "p"},
        "'api_key' and 'username' exclude each other",
    ),
    ("sql", {"url": "oracle://db", "table": "t"}, "no known database: 'oracle'"),
    ("sql", {"url": "alerts.db", "table": "t"}, "no known database"),
    ("sql", {"url": "sqlite://", "table": "t"}, "a database in a file is needed"),
    ("sql", {"url": "sqlite:///:memory:", "table": "t"}, "a database in a file is needed"),
    (
        "sql",
        {"url": "sqlite:///a.db", "table": "t", "columns": {"a": "id"}, "key": ["a", "b"]},
        "the column 'b' gets no value",
    ),
]


@pytest.mark.parametrize(("kind", "options", "said"), CASES)
def test_complaints(kind: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(PipelineError) as error:
        Output(**{kind: options})  # type: ignore[arg-type]
    text = error.value.render()
    assert said in text


def test_passwords_in_addresses_are_not_shown() -> None:
    with pytest.raises(PipelineError) as error:
        Output(opensearch={"index": "a", "url": "http://user:secret@:x"})  # type: ignore[arg-type]
    assert "secret" not in error.value.render()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/d",
        "postgres://u@h/d",
        "postgresql+psycopg://h/d",
        "mysql://h/d",
        "mariadb://h:3307/d",
        "sqlite:///file.db",
        "sqlite:////var/lib/file.db",
    ],
)
def test_databases(url: str) -> None:
    output = Output.model_validate({"sql": {"url": url, "table": "t"}})
    assert output.sql is not None
    assert output.kind == "sql"


def test_nodes() -> None:
    given = {"index": "a", "url": "http://one:9200/, https://two:9200"}
    output = Output.model_validate({"opensearch": given})
    assert output.opensearch is not None
    assert output.opensearch.urls == ("http://one:9200", "https://two:9200")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/file.db?mode=rw", "sqlite:////var/lib/file.db"),
        ("postgresql://u:p/w?d@db:5432/alerts", "postgresql://db:5432"),
        ("mysql://db/alerts", "mysql://db"),
    ],
)
def test_what_is_shown_of_a_database(url: str, shown: str) -> None:
    given = {"sql": {"url": url, "table": "t"}}
    assert Output.model_validate(given).target.told == f"sql t at {shown}"
