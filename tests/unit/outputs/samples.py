"""Rows of every content, as outputs get them, with text that tries to break out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tailrace.alerts import EventAlert, IncidentFold, IncidentRule, Notice, Revision, early_notice
from tailrace.alerts.incidents import Firings
from tailrace.alerts.verdict_fold import VerdictFold
from tailrace.alerts.verdicts import Accusation, Change, VerdictRule
from tailrace.outputs.batches import Content, Form
from tailrace.outputs.events import EventTexts, field_columns
from tailrace.outputs.rows import (
    archive_rows,
    dead_letter_rows,
    event_rows,
    incident_rows,
    notice_rows,
    verdict_rows,
    window_rows,
)
from tailrace.outputs.typed import (
    typed_archive,
    typed_dead_letters,
    typed_events,
    typed_incidents,
    typed_notices,
    typed_verdicts,
    typed_windows,
)

SECOND = 1_000_000
HOSTILE = '\x1b[2J\r\n"},{"\u202e\0\u2028é\x7f\x9b1m\\'
RULE = IncidentRule(
    identity="r1",
    name="flood",
    pipeline="nginx",
    size=20 * SECOND,
    every=SECOND,
    key_names=("client_ip", "host"),
    measure_names=("count",),
    labels={"severity": "page", "team": "{count}"},
    annotations={"summary": "{client_ip} made {count} requests in 20 s"},
)


def revisions(client: str = HOSTILE, lasting: int = 1) -> tuple[Revision, ...]:
    """An incident that opens and is resolved ``lasting`` seconds later."""
    ends = np.arange(100, 100 + lasting) * SECOND
    fired = Firings(
        ends, np.zeros(lasting, np.int64), lambda _: (client, None), lambda _: {"count": 12}
    )
    return IncidentFold(RULE).advance(fired, 1000 * SECOND).revisions


def notices(client: str = HOSTILE) -> tuple[Notice, ...]:
    return (early_notice(RULE, (client, None), 80 * SECOND),)


def changes(client: str = HOSTILE) -> tuple[Change, ...]:
    """A key that is listed and whose listing expires."""
    rule = VerdictRule("l1", "bots", "nginx", ("client_ip", "host"), ("flood",), 20 * SECOND)
    accused = Accusation(
        "flood", (client, None), 100 * SECOND, 100 * SECOND, True, 0, {"count": 12}
    )
    return VerdictFold(rule).advance([accused], 1000 * SECOND).changes


def events(path: str = HOSTILE) -> EventTexts:
    alert = EventAlert(
        "e1", "probe", "nginx", {"host": "{host}"}, {"summary": "{path} at {time} on {host}"}
    )
    return EventTexts(alert, event_table(path))


def event_table(path: str = HOSTILE) -> pa.Table:
    return pa.table(
        {
            "path": [path, "/"],
            "host": pa.array([None, "api"], pa.string()),
            "seen": pa.array([0, 1], pa.int64()).cast(pa.timestamp("us", "UTC")),
            "mean": [0.5, 1.0],
            "_partition": ["access.log", "access.log"],
            "_generation": pa.array([0, 0], pa.int64()),
            "_position": pa.array([17, 90], pa.int64()),
            "_time": pa.array([SECOND, 2 * SECOND], pa.int64()),
        }
    )


def windows() -> tuple[dict[str, pa.Array], np.ndarray, dict[str, pa.Array]]:
    """Keys, ends and measures of three windows."""
    keys = {"client_ip": pa.array([HOSTILE, "10.0.0.1", None])}
    measures = {"count": pa.array([12, 3, 0]), 'mean "s"': pa.array([0.1, None, 5.0])}
    return keys, np.array([100, 101, 101], np.int64) * SECOND, measures


def dead_letters(raw: str = HOSTILE) -> dict[str, pa.Array]:
    return {
        "id": pa.array(["d0", "d1"]),
        "pipeline": pa.array(["nginx", "nginx"]),
        "partition": pa.array(["access.log", "access.log"]),
        "generation": pa.array([0, 0], pa.int64()),
        "position": pa.array([17, 90], pa.int64()),
        "code": pa.array(["not_json", "bad_value"]),
        "field": pa.array([None, "status"], pa.string()),
        "reason": pa.array(["no JSON", raw]),
        "raw": pa.array([raw, None], pa.string()),
    }


def rows_of(content: Content, form: Form) -> pa.Table:
    """A table of that content and form, as the outbox holds it."""
    return MADE[content, form]()


MADE: dict[tuple[Content, Form], Callable[[], pa.Table]] = {
    (Content.WINDOWS, Form.ROWS): lambda: _windows(window_rows),
    (Content.WINDOWS, Form.TYPED): lambda: _windows(typed_windows),
    (Content.VERDICTS, Form.ROWS): lambda: verdict_rows(changes()),
    (Content.VERDICTS, Form.TYPED): lambda: typed_verdicts(changes()),
    (Content.INCIDENTS, Form.ROWS): lambda: incident_rows(revisions()),
    (Content.INCIDENTS, Form.TYPED): lambda: typed_incidents(revisions()),
    (Content.NOTICES, Form.ROWS): lambda: notice_rows(notices()),
    (Content.NOTICES, Form.TYPED): lambda: typed_notices(notices()),
    (Content.EVENTS, Form.ROWS): lambda: event_rows(events()),
    (Content.EVENTS, Form.TYPED): lambda: typed_events(events()),
    (Content.ARCHIVE, Form.ROWS): lambda: archive_rows(field_columns(event_table())),
    (Content.ARCHIVE, Form.TYPED): lambda: typed_archive(field_columns(event_table())),
    (Content.DEAD_LETTERS, Form.ROWS): lambda: dead_letter_rows(dead_letters()),
    (Content.DEAD_LETTERS, Form.TYPED): lambda: typed_dead_letters(dead_letters()),
}


def _windows(rows: Callable[..., pa.Table]) -> pa.Table:
    keys, ends, measures = windows()
    return rows("flood", keys, ends, RULE.size, measures)
