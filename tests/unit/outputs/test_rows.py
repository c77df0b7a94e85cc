from __future__ import annotations

import json
from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.outputs import samples
from tests.unit.outputs.samples import HOSTILE, SECOND

from tailrace.outputs.batches import INSTANT, Content, Form, OutboxBatch
from tailrace.outputs.rows import window_rows
from tailrace.outputs.typed import DEAD_LETTERS, EVENTS, INCIDENTS, VERDICTS, typed_schema
from tailrace.plan.identity import event_id
from tailrace.plan.instants import iso


def texts(table: pa.Table) -> list[str]:
    rows: list[str] = table.column("json").to_pylist()
    return rows


def test_a_window_row_byte_for_byte() -> None:
    end = np.array([1_659_509_520_000_000])
    keys = {"client_ip": pa.array(["154.85.126.16"])}
    measures = {
        "count": pa.array([12]),
        "avg (s)": pa.array([0.1]),
        "max": pa.array([None], pa.int64()),
    }
    (row,) = texts(window_rows("flood", keys, end, 20 * SECOND, measures))
    assert row == (
        '{"window":{"start":"2022-08-03T06:51:40.000Z","end":"2022-08-03T06:52:00.000Z"},'
        '"client_ip":"154.85.126.16","count":12,"avg (s)":0.1,"max":null}'
    )
    berlin = window_rows("flood", {}, end, 20 * SECOND, {}, ZoneInfo("Europe/Berlin"))
    assert texts(berlin) == [
        '{"window":{"start":"2022-08-03T08:51:40.000+02:00","end":"2022-08-03T08:52:00.000+02:00"}}'
    ]


@settings(deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.text(max_size=5) | st.none(),
            st.integers(-10, 10),
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        )
    ),
    names=st.lists(st.text(max_size=4), min_size=3, max_size=3, unique=True),
)
def test_window_rows_are_what_the_json_module_writes(
    rows: list[tuple[str | None, int, int | None, float | None]], names: list[str]
) -> None:
    clients, ends, counts, means = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    )
    table = window_rows(
        "flood",
        {names[0]: pa.array(clients, pa.string())},
        np.array(ends, np.int64) * SECOND,
        3 * SECOND,
        {names[1]: pa.array(counts, pa.int64()), names[2]: pa.array(means, pa.float64())},
    )
    assert texts(table) == [
        json.dumps(
            {"window": {"start": iso((end - 3) * SECOND), "end": iso(end * SECOND)}}
            | dict(zip(names, (client, count, mean if mean is None else mean + 0.0), strict=True)),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for client, end, count, mean in rows
    ]


def test_an_incident_row() -> None:
    opened, resolved = map(json.loads, texts(samples.rows_of(Content.INCIDENTS, Form.ROWS)))
    assert list(opened) == [
        "id", "fingerprint", "revision", "state", "reason", "pipeline", "rule", "key", "labels",
        "annotations", "measures", "window", "started_at", "opened_at", "last_firing_at",
        "resolved_at", "notices", "flags",
    ]  # fmt: skip
    assert opened["key"] == {"client_ip": HOSTILE, "host": None}
    assert opened["annotations"] == {"summary": f"{HOSTILE} made 12 requests in 20 s"}
    assert (resolved["reason"], resolved["resolved_at"]) == ("resolved", "1970-01-01T00:01:41.000Z")


def test_a_notice_row() -> None:
    (row,) = map(json.loads, texts(samples.rows_of(Content.NOTICES, Form.ROWS)))
    assert row == {
        "id": samples.notices()[0].id,
        "state": "notice",
        "pipeline": "nginx",
        "rule": "flood",
        "key": {"client_ip": HOSTILE, "host": None},
        "labels": {"severity": "page"},
        "window": {"start": "1970-01-01T00:01:20.000Z", "end": "1970-01-01T00:01:40.000Z"},
    }


def test_event_rows() -> None:
    first, second = map(json.loads, texts(samples.rows_of(Content.EVENTS, Form.ROWS)))
    assert first == {
        "id": event_id("e1", "access.log", 0, 17),
        "rule": "probe",
        "pipeline": "nginx",
        "state": "event",
        "time": "1970-01-01T00:00:01.000Z",
        "fields": {"path": HOSTILE, "host": None, "seen": "1970-01-01T00:00:00.000Z", "mean": 0.5},
        "labels": {"host": "null"},
        "annotations": {"summary": f"{HOSTILE} at 1970-01-01T00:00:01.000Z on null"},
        "partition": "access.log",
        "position": 17,
    }
    assert second["labels"] == {"host": "api"}


def test_an_archive_row_has_the_fields_and_nothing_else() -> None:
    rows = texts(samples.rows_of(Content.ARCHIVE, Form.ROWS))
    assert rows[1] == '{"path":"/","host":"api","seen":"1970-01-01T00:00:00.000001Z","mean":1.0}'


@pytest.mark.parametrize("content", Content)
@pytest.mark.parametrize("form", Form)
def test_a_batch_says_what_it_holds_after_a_journey_through_the_store(
    content: Content, form: Form
) -> None:
    table = samples.rows_of(content, form)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    batch = OutboxBatch(3, pa.ipc.open_stream(sink.getvalue()).read_all())
    assert (batch.form, batch.content) == (form, content)
    assert batch.rule == {Content.WINDOWS: "flood", Content.EVENTS: "probe"}.get(content, "")
    assert batch.rows.equals(table)


@pytest.mark.parametrize("content", Content)
def test_typed_rows_have_the_announced_columns(content: Content) -> None:
    table = samples.rows_of(content, Form.TYPED)
    keys, _, measures = samples.windows()
    expected = {
        Content.WINDOWS: typed_schema(
            content,
            {name: column.type for name, column in keys.items()},
            {name: column.type for name, column in measures.items()},
        ),
        Content.ARCHIVE: pa.schema(
            [
                ("path", pa.string()),
                ("host", pa.string()),
                ("seen", INSTANT),
                ("mean", pa.float64()),
            ]
        ),
        Content.EVENTS: EVENTS,
        Content.DEAD_LETTERS: DEAD_LETTERS,
        Content.VERDICTS: VERDICTS,
    }.get(content, INCIDENTS)
    assert table.schema.remove_metadata() == expected


def test_typed_rows_hold_what_text_rows_hold() -> None:
    typed = samples.rows_of(Content.INCIDENTS, Form.TYPED).to_pylist()
    for row, text in zip(typed, texts(samples.rows_of(Content.INCIDENTS, Form.ROWS)), strict=True):
        document = json.loads(text)
        for name in ("key", "labels", "annotations", "measures"):
            assert json.loads(row[name]) == document[name]
        for name in ("id", "fingerprint", "revision", "state", "reason", "notices", "flags"):
            assert row[name] == document[name]
        assert row["window_end"].astimezone(UTC).isoformat() == "1970-01-01T00:01:40+00:00"
