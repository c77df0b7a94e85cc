"""A run at a moment, a summary and a status to show: with text in them that tries to break out."""

from __future__ import annotations

from tailrace.cli.running.moment import Moment, OpenIncident, Summary
from tailrace.engines.status import (
    GroupStatus,
    IncidentStatus,
    OutputStatus,
    PartitionStatus,
    ProcessStatus,
    RuleStatus,
    SparkStatus,
    Status,
)

SECOND = 1_000_000
NOON = 1_714_564_800 * SECOND
HOSTILE = "\x1b[2J\n\u202e\x9b1m"

RULES = (
    RuleStatus("flood", 1_000_000, 10, 2, 0, 999_988, errors=0, firings=7, open_windows=20),
    RuleStatus("single", 1_000_000, 0, 0, 0, 1_000_000, errors=3, firings=1),
)
OUTPUTS = (
    OutputStatus("alerts", "file", 12, 0, 0),
    OutputStatus("far", "file", 3, 1200, 4096, f"it is down {HOSTILE}"),
    OutputStatus("tab", "table goal1", 0, 0, 0),
)
PROCESS = ProcessStatus(
    pid=4711,
    started_at=NOON,
    seconds=125.0,
    records_per_second=12_345.6,
    bounded=False,
    times={"read": 1.0, "kernel": 25.0},
)
SPARK = SparkStatus(
    batch=17,
    batch_seconds=1.25,
    state_rows=64,
    state_bytes=5 << 20,
    state_memory_bytes=9 << 10,
    rows_per_second=123_456.7,
)
STATUS = Status(
    pipeline="nginx",
    store=".tailrace/nginx.duckdb",
    at=NOON + 6 * SECOND,
    epoch=1234,
    finished=False,
    watermark=NOON,
    read=1_000_003,
    bytes=200 << 20,
    events=1_000_000,
    dead=2,
    blank=1,
    duplicates=5,
    dead_by_code={"bad_value": 2},
    derive_errors={"path": 4},
    notes={"rotated": 1},
    process=PROCESS,
    partitions=(
        PartitionStatus(f"/log/{HOSTILE}", "live", 1, 4096, 1_000_000, NOON + 5 * SECOND),
        PartitionStatus("/log/b", "idle", 0, 12, 3, None),
    ),
    rules=RULES,
    groups=(GroupStatus(("flood",), 12, 240, 9600),),
    outputs=OUTPUTS,
    incidents=25,
    oldest_incidents=(
        IncidentStatus("flood", {"client_ip": HOSTILE}, NOON - 65 * SECOND, NOON, HOSTILE),
    ),
    store_bytes=3 << 20,
    tables={"goal1": 99, "incidents": 25},
)
SUMMARY = Summary(
    pipeline="nginx",
    ended="stopped",
    seconds=2.0,
    run_records=1000,
    read=1_000_003,
    events=1_000_000,
    dead=2,
    blank=1,
    duplicates=5,
    dead_by_code={"bad_value": 2},
    opened=3,
    updated=1,
    resolved=2,
    notices=4,
    open=1,
    rules=RULES,
    outputs=OUTPUTS,
    tables={"goal1": 99},
)


def moment(*, bounded: bool = False, totals: tuple[int, int] | None = None) -> Moment:
    return Moment(
        pipeline="nginx",
        seconds=65.0,
        bounded=bounded,
        totals=totals,
        bytes_per_second=float(1 << 20),
        read=1_000_003,
        records_per_second=12_345.6,
        watermark=NOON,
        lag=6.0,
        dead=2,
        waiting_rows=1200,
        incidents=8,
        newest_incidents=tuple(
            OpenIncident("flood", {"client_ip": HOSTILE}, NOON - age * SECOND, HOSTILE)
            for age in range(7)
        ),
        errors={"far": f"it is down {HOSTILE}"},
    )
