from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families
from tests.unit.cli.moments import HOSTILE, PROCESS, SPARK, STATUS

from tailrace.engines.status import OutputStatus
from tailrace.web.metrics import render


def samples(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_each_count_of_a_status_is_a_metric() -> None:
    found = samples(render(STATUS, "1.2"))

    def value(name: str, **labels: str) -> float:
        return found[f"tailrace_{name}", frozenset(labels.items())]

    assert value("build_info", pipeline="nginx", version="1.2") == 1
    assert value("records_read_total") == 1_000_003
    assert value("events_total") == 1_000_000
    assert value("records_dead_total", code="bad_value") == 2
    assert value("records_blank_total") == 1
    assert value("watermark_lag_seconds") == 6
    assert value("incidents_firing") == 25
    assert value("stage_seconds_total", stage="kernel") == 25
    assert value("partition_position", partition=f"/log/{HOSTILE}", generation="1") == 4096
    assert value("partition_live", partition="/log/b") == 0
    for rule in STATUS.rules:
        assert value("rule_events_total", rule=rule.name) == rule.events
        assert value("rule_events_late_total", rule=rule.name) == rule.late
        assert value("rule_events_matched_total", rule=rule.name) == rule.accepted
        assert value("rule_firings_total", rule=rule.name) == rule.firings


def test_whether_the_source_is_there() -> None:
    away = replace(STATUS, source_error="no broker answers", source_away_since=0)
    for status, up in ((STATUS, 1), (away, 0)):
        assert samples(render(status, "1.2"))["tailrace_source_up", frozenset()] == up


def test_what_spark_tells() -> None:
    assert b"spark" not in render(STATUS, "1.2")
    begun = replace(STATUS, process=replace(PROCESS, spark=replace(SPARK, batch=-1)))
    assert b"spark" not in render(begun, "1.2")
    for spark, rate in ((SPARK, 123_456.7), (replace(SPARK, rows_per_second=None), None)):
        status = replace(STATUS, process=replace(PROCESS, spark=spark))
        found = samples(render(status, "1.2"))
        names = {
            "batch": 17,
            "batch_seconds": 1.25,
            "state_rows": 64,
            "state_bytes": 5 << 20,
            "state_memory_bytes": 9 << 10,
        }
        for name, value in names.items():
            assert found[f"tailrace_spark_{name}", frozenset()] == value
        assert found.get(("tailrace_spark_rows_per_second", frozenset())) == rate


def test_outputs() -> None:
    outputs = (
        OutputStatus("up", "kafka", 10, 0, 0),
        OutputStatus("down", "sql", 5, 7, 700, "no route", 12.5, 3),
        OutputStatus("tab", "table goal1", 0, 0, 0),
    )
    found = samples(render(replace(STATUS, outputs=outputs), "1.2"))
    names = {
        "output_rows_delivered_total": (10, 5),
        "output_rows_refused_total": (0, 3),
        "outbox_rows": (0, 7),
        "outbox_bytes": (0, 700),
        "outbox_age_seconds": (0, 12.5),
        "output_up": (1, 0),
    }
    for name, (up, down) in names.items():
        of = {dict(labels)["output"]: v for (n, labels), v in found.items() if n.endswith(name)}
        assert of == {"up": up, "down": down}


def test_a_pipeline_that_nobody_runs_has_no_process() -> None:
    found = {name for name, _ in samples(render(replace(STATUS, process=None), "1"))}
    assert "tailrace_records_read_total" in found
    assert "tailrace_stage_seconds_total" not in found
