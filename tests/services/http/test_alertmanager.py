"""Incidents in a real Alertmanager: they fire as long as they are repeated, and end once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pytest
from tests.servers.alertmanager import Alertmanager
from tests.unit.outputs.samples import SECOND, notices, revisions

from tailrace.config.outputs import Output
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs import OutboxBatch, OutputContext, make_output
from tailrace.outputs.addressing import addressed
from tailrace.outputs.rows import incident_rows, notice_rows

if TYPE_CHECKING:
    from tests.services.conftest import Fresh

    from tailrace.alerts.incidents import Revision
    from tailrace.outputs.alertmanager import Alertmanager as Made


pytestmark = pytest.mark.services

CLIENT = 'a"\n\x1b{ä'
LABELS = {
    "alertname": "flood",
    "pipeline": "nginx",
    "client_ip": CLIENT,
    "host": "null",
    "severity": "page",
    "team": "12",
    "where": "here",
}


def config(url: str, **options: object) -> Output:
    return Output.model_validate(
        {"alertmanager": {"url": url, "labels": {"where": "here"}, **options}}
    )


def made(chosen: Output) -> Made:
    return cast("Made", make_output("pager", chosen, OutputContext("nginx", "s")))


def batch(seq: int, chosen: Output, *chosen_revisions: Revision) -> OutboxBatch:
    return _batch(seq, chosen, incident_rows(chosen_revisions), len(chosen_revisions))


def _batch(seq: int, chosen: Output, rows: pa.Table, count: int) -> OutboxBatch:
    ids = pa.array([f"{seq}-{n}" for n in range(count)])
    times = pa.array([100 * SECOND] * count, pa.int64())
    target = chosen.target
    table = addressed(rows, ids, times, target.templates, {"rule": "flood", "id": ids})
    return OutboxBatch(seq, table)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def server(fresh: Fresh[Alertmanager]) -> Alertmanager:
    return fresh(Alertmanager())


def test_opened_and_resolved(server: Alertmanager) -> None:
    opened, resolved = revisions(CLIENT)
    chosen = config(server.url, generator_url="https://g.example.org/{rule}")
    output = made(chosen)
    output.open(None)
    receipt = output.deliver(batch(0, chosen, opened))
    assert receipt.refused == ()
    (alert,) = server.alerts()
    assert alert["labels"] == LABELS
    assert alert["annotations"] == {"summary": f"{CLIENT} made 12 requests in 20 s"}
    assert alert["startsAt"] == "1970-01-01T00:01:40.000Z"
    assert alert["generatorURL"] == "https://g.example.org/flood"
    output.deliver(batch(1, chosen, resolved))
    assert server.alerts() == []


def test_said_again_until_resolved_also_by_another_process(server: Alertmanager) -> None:
    """Nobody repeats it: gone after four times 500 ms. Repeated: there."""
    opened, resolved = revisions(CLIENT)
    chosen = config(server.url, resend_every="500ms")
    output = made(chosen)
    output.open(None)
    state = output.deliver(batch(0, chosen, opened)).state
    assert len(server.alerts()) == 1
    until = time.monotonic() + 3
    while time.monotonic() < until:
        again = output.renew()
        assert again is not None
        assert len(server.alerts()) == 1
        time.sleep(min(again, 0.1))
    output.close()
    eventually(lambda: server.alerts() == [])
    output = made(chosen)
    output.open(state)
    output.renew()
    assert [alert["labels"] for alert in server.alerts()] == [LABELS]
    assert output.deliver(batch(1, chosen, resolved)).state == {"seq": 1, "firing": {}}
    assert output.renew() is None
    assert server.alerts() == []


def test_notices_are_alerts_already(server: Alertmanager) -> None:
    chosen = config(server.url)
    output = made(chosen)
    output.open(None)
    found = notices(CLIENT)
    output.deliver(_batch(0, chosen, notice_rows(found), len(found)))
    (alert,) = server.alerts()
    # The label that shows a measure isn't known yet.
    assert alert["labels"] == {name: v for name, v in LABELS.items() if name != "team"}


def test_more_than_are_kept_fire_too(server: Alertmanager) -> None:
    chosen = config(server.url, max_firing=2)
    output = made(chosen)
    output.open(None)
    pairs = [revisions(f"10.0.0.{n}") for n in range(5)]
    state = output.deliver(batch(0, chosen, *(opened for opened, _ in pairs))).state
    assert len(state["firing"]) == 2  # type: ignore[arg-type]
    assert len(server.alerts()) == 5
    output.deliver(batch(1, chosen, *(resolved for _, resolved in pairs)))
    assert server.alerts() == []


def test_down_killed_and_paused(server: Alertmanager) -> None:
    opened, resolved = revisions(CLIENT)
    chosen = config(server.url, timeout="300ms")
    output = made(chosen)
    output.open(None)
    output.deliver(batch(0, chosen, opened))
    server.pause()
    with pytest.raises(UnreachableError, match="no answer in time"):
        output.deliver(batch(1, chosen, resolved))
    server.resume()
    server.kill()
    with pytest.raises(UnreachableError, match="can't be reached"):
        output.deliver(batch(1, chosen, resolved))
    server.start()
    # It has forgotten what nobody told it to keep; what fires is said again.
    eventually(lambda: output.renew() is not None)
    output.deliver(batch(1, chosen, resolved))
    assert server.alerts() == []


def test_somebody_else_at_the_address(server: Alertmanager) -> None:
    with pytest.raises(OutputError, match="is no Alertmanager"):
        made(config(f"{server.url}/elsewhere")).open(None)
    with pytest.raises(UnreachableError, match="can't be reached"):
        made(config("http://127.0.0.1:1")).open(None)
