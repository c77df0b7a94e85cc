"""Results as people see them, as data frames, and while they come."""

import json
import sys
import threading
from pathlib import Path

import pytest
from tests.unit.api.pipelines import TEXT, line, pipeline

from tailrace import Revision, StoreError, TailraceError

HOSTILE = "<script>alert(1)</script>\\u001b[31m"
FLOOD = [line(second, HOSTILE) for second in range(4)]


def test_html_is_escaped() -> None:
    shown = pipeline().run(records=FLOOD)._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "\x1b" not in shown


def test_text_is_escaped() -> None:
    shown = repr(pipeline().run(records=FLOOD))
    assert "flood" in shown
    assert "\x1b" not in shown


def test_many_incidents_are_cut() -> None:
    lines = [line(0, f"192.0.2.{i}") for i in range(20) for _ in range(3)]
    assert "... and 10 more incidents" in repr(pipeline().run(records=lines))


def test_pandas() -> None:
    result = pipeline().run(records=FLOOD)
    assert list(result.to_pandas()["rule"]) == ["flood"]
    assert list(result.to_pandas("per_status")["requests"]) == [4]
    assert list(result.to_pandas("counts")["read"]) == [4]
    with pytest.raises(TailraceError, match="'other' is not in the pipeline"):
        result.to_pandas("other")


def test_pandas_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    result = pipeline().run(records=FLOOD)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(TailraceError, match="pandas is not installed") as caught:
        result.to_pandas()
    assert "tailrace[pandas]" in str(caught.value.problems[0].hint)


def test_empty() -> None:
    result = pipeline().run(records=b"")
    tables = (
        result.incidents,
        result.revisions,
        result.alerts,
        result.notices,
        result.dead_letters,
    )
    assert [table.num_rows for table in tables] == [0] * 5
    assert result.windows("flood").column_names == [
        "window_start",
        "window_end",
        "client_ip",
        "count",
    ]
    assert list(result.records) == ["per_status"]


def test_follow(tmp_path: Path) -> None:
    """Revisions come while the file grows; leaving the block stops, and the store can be opened."""
    log, store = tmp_path / "access.ndjson", tmp_path / "web.duckdb"
    log.write_text("".join(line(second) + "\n" for second in range(4)))
    seen: list[Revision] = []
    with pipeline().follow(files=log, store=store) as revisions, log.open("a") as file:
        print(line(20), file=file, flush=True)
        for revision in revisions:
            seen.append(revision)
            if revision.state == "resolved":
                break
    assert [revision.reason for revision in seen] == ["opened", "resolved"]
    again = pipeline().follow(files=log, store=store, until_end=True)
    assert [revision.rule for revision in again] == []


def test_follow_to_the_end(tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    log.write_text("".join(line(second) + "\n" for second in range(4)))
    with pipeline().follow(files=log, until_end=True) as revisions:
        reasons = [revision.reason for revision in revisions]
    assert reasons == ["opened", "input_ended"]


def test_stop_from_another_thread(tmp_path: Path) -> None:
    log = tmp_path / "access.ndjson"
    log.touch()
    following = pipeline().follow(files=log)
    threading.Timer(0.2, following.stop).start()
    assert list(following) == []


def test_errors_reach_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "access.ndjson"
    log.write_text(line(0) + "\n")

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("tailrace.store.store.Store.commit", full)
    with pipeline().follow(files=log) as revisions, pytest.raises(StoreError, match="disk is full"):
        next(revisions)


def test_check_gives_advice() -> None:
    messages = [problem.message for problem in pipeline(TEXT).check()]
    assert any("grace is 0" in message for message in messages)
    assert json.dumps(messages)


LABELLED = f"""{TEXT}
  - classify: kind
    labels: {{bad: {{teapot: status = 418, slow: took > 1}}}}
    else: good
"""


def test_labelled_events() -> None:
    result = pipeline(LABELLED).run(records=[line(1), line(2, status=418)])
    table = result.labelled("kind")
    assert table.column_names[:2] == ["at", "client_ip"]
    found = table.select(["status", "kind", "kind_reasons"]).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (200, "good", None),
        (418, "bad", "teapot"),
    ]
    assert pipeline(LABELLED).run(records=[]).labelled("kind").schema == table.schema
    with pytest.raises(TailraceError, match="no rule 'flood' gives labels"):
        result.labelled("flood")
