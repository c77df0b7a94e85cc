"""What changes of a list of verdicts become in Redis, by the type of its keys."""

import pyarrow as pa
import pytest

from tailrace.alerts.verdict_fold import VerdictFold
from tailrace.alerts.verdicts import Accusation, VerdictRule
from tailrace.config import loads
from tailrace.config.outputs import Output
from tailrace.engines.words import verdict_address
from tailrace.errors import PipelineError
from tailrace.outputs import OutboxBatch
from tailrace.outputs.addressing import addressed
from tailrace.outputs.redis.commands import writes
from tailrace.outputs.rows import verdict_rows
from tailrace.plan.compile import compile_pipeline

RULE = VerdictRule("list", "bots", "p", ("ip",), ("r",), for_=10_000_000)

CASES = [
    ("string", [["SET", "PEXPIREAT"], ["DEL"]]),
    ("hash", [["DEL", "HSET", "PEXPIREAT"], ["DEL"]]),
    ("set", [["SADD"], ["SREM"]]),
    ("list", [["RPUSH"], ["RPUSH"]]),
    ("stream", [["XADD"], ["XADD"]]),
    ("timeseries", [["TS.ADD"], ["TS.ADD"]]),
]


@pytest.mark.parametrize(("kind", "expected"), CASES)
def test_commands(kind: str, expected: list[list[str]]) -> None:
    fold = VerdictFold(RULE)
    accusation = Accusation("r", ("a",), 5_000_000, 5_000_000)
    changes = fold.advance([accusation], 60_000_000).changes
    values = {"set": "{ip}", "timeseries": "{firings}"}
    given = {"type": kind, "key": "k_{ip}"}
    given |= {"value": values[kind]} if kind in values else {}
    config = Output.model_validate({"redis": given})
    assert config.redis is not None
    known = verdict_address(changes)
    rows = addressed(
        verdict_rows(changes), known.ids, known.times, config.target.templates, known.words
    )
    assert isinstance(rows, pa.Table)
    found = [
        [command[0] for command in each.commands]
        for each in writes(OutboxBatch(1, rows), config.redis)
    ]
    assert found == expected


TEXT = """
name: p
source: {file: {path: in.ndjson}}
time: {field: t}
fields: {ip: text}
rules:
  - {alert: many, by: ip, window: 1s, when: count(*) > 1}
verdicts:
  bots: {from: [many], for: 1m, to: [out]}
outputs:
  out: {redis: {key: bots, type: set VALUE}}
"""
MESSAGE = "needs a 'value' of the key's fields alone"


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("", False),
        (', value: "{ip}"', True),
        (', value: "{verdict}:{ip}"', True),
        (', value: "{ip} {state}"', False),
        (', value: "x"', False),
        (', value: "{verdict}"', False),
    ],
)
def test_members_of_a_set(value: str, right: bool) -> None:
    loaded = loads(TEXT.replace(" VALUE", value), "p.yaml")
    if right:
        compile_pipeline(loaded)
    else:
        with pytest.raises(PipelineError, match=MESSAGE):
            compile_pipeline(loaded)
