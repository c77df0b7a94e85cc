"""Events without a time: slices of a partition are read by one task, which knows what was before.

A task that is tried again in the same process begins where it began.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tailrace.config import loads
from tailrace.engines.delivery import Delivery
from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.mapping import HOME
from tailrace.engines.spark.planned import PlanReader
from tailrace.engines.spark.sealing import Sealed
from tailrace.engines.spark.session import ClusterSession
from tailrace.engines.spark.workers import MapPlans
from tailrace.formats.records import Records
from tailrace.kernel.time import NEVER
from tailrace.plan.compile import compile_pipeline
from tailrace.sources.inline import with_records
from tailrace.sources.memory import MemorySource
from tailrace.sources.types import Slice
from tailrace.store.store import MEMORY, Store

TEXT = """
name: t
source: {stdin: {}}
on_error: classify
time: {field: t, grace: 0s}
fields: {k: text}
rules:
  - {record: seen, by: k, window: 10s, select: {n: count(*)}}
"""
SECOND = 1_000_000
TIMED = {"p": 100 * SECOND}
SLICES = [
    ("p", 0, '{"t": 90}\nx\n'),
    ("q", 0, "x\n"),
    ("p", 12, "x\n"),
    ("p", 14, '{"t": 120}\n'),
    ("q", 2, '{"t": 7}\nx\n'),
    ("p", 25, "x\n"),
]
MAXIMA = {("p", 0): 100, ("p", 12): 100, ("p", 14): 120, ("p", 25): 120, ("q", 0): 0, ("q", 2): 7}
"""Seconds of the greatest time in each slice, by partition and position."""


def planned(partition: str, start: int, text: str) -> dict[str, Any]:
    lines = text.encode().splitlines(keepends=True)
    offsets = np.cumsum([0, *map(len, lines)]).astype(np.int32)
    records = Records(pa.py_buffer(b"".join(lines)), offsets, start + offsets[:-1].astype(np.int64))
    return asdict(with_records(Slice(partition, 0, start, start + len(text), {}), records))


@pytest.fixture
def session() -> ClusterSession:
    plan = compile_pipeline(loads(TEXT, "p.yaml"))
    store = Store.open(MEMORY, "t")
    return ClusterSession(plan, store, MemorySource({}), Delivery({}), previous=None)


def tasks(maxima: dict[str, int] | None) -> list[list[dict[str, Any]]]:
    """What each task reads."""
    plan: dict[str, Any] = {"before": [], "after": [], "notes": {}, "maxima": maxima}
    plan["slices"] = [planned(*one) for one in SLICES]
    end = {"number": 1, "plans": json.dumps({"0": plan})}
    reader = PlanReader(Path("nowhere"))
    _, *pieces = reader.partitions({"number": 0, "plans": "{}"}, end)
    return [json.loads(piece.body)["slices"] for piece in pieces]  # type: ignore[attr-defined]  # ours


def test_a_partition_is_read_in_order_by_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailrace.engines.spark.planned.TASK_BYTES", 1)
    assert [len(one) for one in tasks(None)] == [1] * 6
    found = tasks(TIMED)
    assert [[s["slice"]["start"] for s in one] for one in found] == [[0, 12, 14, 25], [0, 2]]
    told = [[s.get("before") for s in one] for one in found]
    assert told == [[100 * SECOND, None, None, None], [NEVER, None]]
    assert sorted(s["order"] for one in found for s in one) == list(range(6))


def test_every_event_takes_the_greatest_time_before_it(session: ClusterSession) -> None:
    mapper = MapPlans(Sealed((session.job("r", 1),)), (0,))
    for _ in range(2):
        bodies = [json.dumps({"slices": one}) for one in tasks(TIMED)]
        rows = [pa.record_batch([pa.array([body])], ["body"]) for body in bodies]
        heads = [Frame.unpack(batch["payload"][0].as_buffer()).head for batch in mapper(iter(rows))]
        found = {
            (head["partition"], head["slice"]["start"]): head["maximum"] // SECOND
            for head in heads
            if head["kind"] == HOME
        }
        assert found == MAXIMA
