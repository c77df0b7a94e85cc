"""Which outputs workers write to themselves, and what is left to the driver."""

import pytest

from tailrace.config import loads
from tailrace.engines.spark.direct import direct_outputs, drivers_plan, labels_travel
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

OUTPUTS = {
    "by_id": "opensearch: {index: a}",
    "stream": "opensearch: {index: b, data_stream: true}",
    "daily": "opensearch: {index: c, by: day}",
    "chosen": "opensearch: {index: d, id: '{k}'}",
    "table": "sql: {url: 'sqlite:///x.db', table: t}",
    "key": "redis: {key: '{k}'}",
    "lines": "file: {path: out.ndjson}",
}
TEXT = """
name: t
source: {{stdin: {{}}}}
time: {{field: t, grace: 0s}}
fields: {{k: text}}
rules:
  - {{record: seen, by: k, window: 10s, select: {{n: count(*)}}, to: [by_id, lines]}}
  - {{alert: many, by: k, window: 10s, when: count(*) > 5, to: [by_id]}}
  - {{classify: label, labels: {{odd: {{o: k is null}}}}, else: ok, to: {to}, to_label: {to_label}}}
archive: {{to: [stream, chosen]}}
outputs:
"""


def plan(to: str = "[]", to_label: str = "{}") -> Plan:
    text = TEXT.format(to=to, to_label=to_label)
    outputs = "".join(f"  {name}: {{{form}}}\n" for name, form in OUTPUTS.items())
    return compile_pipeline(loads(text + outputs, "p.yaml"))


def test_ids_that_the_file_chooses_need_the_order() -> None:
    assert direct_outputs(plan()) == {"by_id", "stream", "daily"}


@pytest.mark.parametrize(
    ("to", "to_label", "travels", "left", "left_by_label"),
    [
        ("[]", "{}", True, (), {}),
        ("[by_id]", "{}", False, (), {}),
        ("[chosen]", "{}", True, ("chosen",), {}),
        ("[by_id, lines]", "{}", True, ("lines",), {}),
        ("[by_id]", "{odd: [daily]}", False, (), {"odd": ()}),
        ("[by_id]", "{odd: [table, daily]}", True, (), {"odd": ("table",)}),
    ],
)
def test_the_driver_gets_what_workers_cannot_write(
    to: str,
    to_label: str,
    travels: bool,
    left: tuple[str, ...],
    left_by_label: dict[str, tuple[str, ...]],
) -> None:
    whole = plan(to, to_label)
    direct = direct_outputs(whole)
    (rule,) = whole.classifications
    assert labels_travel(rule, direct) is travels
    own = drivers_plan(whole, direct)
    (mine,) = own.classifications
    assert (mine.to, dict(mine.to_label)) == (left, left_by_label)
    assert mine.identity == rule.identity
    assert own.archive == ("chosen",)
    assert [r.to for r in own.rules] == [("lines",), ("by_id",)]
