"""A server that isn't there: every kind of output says the same at its first opening and later.

The first time is a mistake to be told at the start, for nobody knows whether the address is right;
later the run goes on, rows wait, and the server is asked again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.servers.ports import free_port

from tailrace.config import loads
from tailrace.engines.delivery import Delivery
from tailrace.engines.shapes import shapes_of
from tailrace.errors import UnreachableError
from tailrace.outputs import OutputContext, make_output
from tailrace.plan.compile import compile_pipeline
from tailrace.store.store import Store

TEXT = """
name: nobody
source: {{file: {{path: in.ndjson}}}}
time: {{field: t}}
fields: {{a: text}}
rules: [{{alert: many, by: a, window: 10s, when: count(*) > 3, to: [o]}}]
outputs:
  o: {output}
"""
OUTPUTS = {
    "kafka": '{kafka: {brokers: ["127.0.0.1:PORT"], topic: a}}',
    "opensearch": '{opensearch: {url: "http://127.0.0.1:PORT", index: a}}',
    "postgresql": '{sql: {url: "postgresql://u@127.0.0.1:PORT/d", table: a}}',
    "mysql": '{sql: {url: "mysql://u@127.0.0.1:PORT/d", table: a}}',
    "redis": '{redis: {url: "redis://127.0.0.1:PORT", type: list, key: a}}',
    "webhook": '{webhook: {url: "http://127.0.0.1:PORT/"}}',
    "alertmanager": '{alertmanager: {url: "http://127.0.0.1:PORT/"}}',
}
SAVED = {"seq": 3, "topic": "a", "cluster": "x", "index": "a", "table": "a", "firing": {}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "store.duckdb", "nobody")
    yield store
    store.close()


@pytest.mark.parametrize("kind", OUTPUTS)
def test_nobody_is_there(kind: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "kafka":
        monkeypatch.setattr("tailrace.outputs.kafka.place.CONNECT_SECONDS", 1.0)
    text = TEXT.format(output=OUTPUTS[kind].replace("PORT", str(free_port())))
    plan = compile_pipeline(loads(text, "nobody.yaml"))
    context = OutputContext("nobody", store.identity, shapes_of(plan, "o"))

    def delivery(states: Any) -> Delivery:
        made = Delivery({"o": make_output("o", plan.config.outputs["o"], context)})
        made.open(states, {}, store.outbox)
        return made

    with pytest.raises(UnreachableError):
        delivery({})
    later = delivery({"o": (3, 40, SAVED)})
    try:
        assert later.standings()["o"].error is not None
        assert later.standings()["o"].delivered_rows == 40
    finally:
        later.close()
