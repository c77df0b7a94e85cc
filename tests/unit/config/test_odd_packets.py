"""Broken packets are dead letters: a pipeline that wants them as events is refused."""

from __future__ import annotations

import pytest
from tests.unit.config.pipelines import pipeline, read, told

PACKETS = {"time": "time: {field: time}", "fields": "fields: {source: text, bytes: integer}"}


@pytest.mark.parametrize("source", ["pcap: {path: x.pcap}", "capture: {}"])
def test_on_error_classify(source: str) -> None:
    source = f"source: {{{source}}}"
    given = {**PACKETS, "source": source, "rules": "rules: [{alert: odd, when: bytes is null}]"}
    [text] = told(pipeline(**given, x="on_error: classify"))
    assert "on_error: a packet that can't be read is a dead letter, never an event" in text
    assert read(pipeline(**given, x="on_error: dead_letter")).config.on_error == "dead_letter"
    assert read(pipeline(x="on_error: classify")).config.on_error == "classify"
