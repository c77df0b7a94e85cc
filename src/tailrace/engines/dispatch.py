"""What an epoch has to say, as batches for the outbox: one for each output that has rows in this epoch.

An output gets rows in the form that its kind takes: text (one JSON object a row) or typed columns. Every row has its
deterministic id (SEMANTICS 24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.alerts.incidents import IncidentRule
from tailrace.alerts.notices import Notice
from tailrace.engines.folding import value_types
from tailrace.expr import Type
from tailrace.kernel.hashing import digests
from tailrace.kernel.reducer import ARROW_TYPES
from tailrace.outputs import rows as output_rows
from tailrace.plan.identity import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tailrace.alerts.incidents import Revision
    from tailrace.config import Output
    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import EventRows, RuleFirings
    from tailrace.plan.identity import Key
    from tailrace.plan.model import EventRule, Plan, Rule


class Dispatch:
    """Collects the rows of one epoch by output."""

    def __init__(self, plan: Plan, next_seq: int) -> None:
        """Number the outbox's batches from ``next_seq``."""
        self._plan = plan
        self._next_seq = next_seq
        self._parts: dict[str, list[pa.Table]] = {}

    def _targets(self, names: Iterable[str]) -> list[tuple[str, Output]]:
        outputs = self._plan.config.outputs
        return [(name, outputs[name]) for name in names if name in outputs]

    def windows(self, firings: RuleFirings, keys: DenseKeys) -> None:
        """Rows of closed windows: of a record rule, and of an alert for outputs with ``rows: windows``."""
        rule = firings.rule
        targets = [(n, o) for n, o in self._targets(rule.to) if not rule.alert or o.rows == "windows"]
        if not targets or not len(firings.keys):
            return
        rows = window_rows(rule, firings, keys)
        for name, output in targets:
            self._parts.setdefault(name, []).append(output_rows.windows(rows, output))

    def revisions(self, rule: Rule, revisions: Sequence[Revision]) -> None:
        """Revisions of incidents, for outputs that take incidents."""
        for name, output in self._targets(rule.to):
            if output.rows == "incidents" and revisions:
                self._parts.setdefault(name, []).append(output_rows.incidents(revisions, output))

    def notice(self, rule: Rule, key: Key, start: int, end: int) -> Notice:
        """An early notice, for outputs that take incidents."""
        notice = Notice.of(incident_rule(self._plan, rule), key, start, end)
        for name, output in self._targets(rule.to):
            if output.rows == "incidents":
                self._parts.setdefault(name, []).append(output_rows.notices([notice], output))
        return notice

    def events(self, rule: EventRule, fired: EventRows) -> None:
        """Alerts of a rule without a window."""
        ids = _event_ids(rule.identity, fired.table)
        for name, output in self._targets(rule.to):
            part = output_rows.event_alerts(self._plan, rule, fired.table, ids, output)
            self._parts.setdefault(name, []).append(part)

    def archive(self, rows: EventRows) -> None:
        """All events of the epoch."""
        ids = _event_ids(ARCHIVE, rows.table)
        for name, output in self._targets(self._plan.archive):
            self._parts.setdefault(name, []).append(output_rows.events(self._plan, rows.table, ids, output))

    def batches(self) -> tuple[tuple[tuple[int, str, pa.Table], ...], tuple[tuple[str, pa.Table], ...]]:
        """Batches for the outbox (seq, output, rows), and rows for tables of the store (table, rows)."""
        outbox: list[tuple[int, str, pa.Table]] = []
        tables: list[tuple[str, pa.Table]] = []
        for name, parts in self._parts.items():
            rows = pa.concat_tables(parts, promote_options="default")
            table = self._plan.config.outputs[name].table
            if table is not None:
                tables.append((table.name, rows))
            else:
                outbox.append((self._next_seq + len(outbox), name, rows))
        return tuple(outbox), tuple(tables)


def incident_rule(plan: Plan, rule: Rule) -> IncidentRule:
    """What the fold of incidents needs to know of a rule."""
    return IncidentRule(
        identity=rule.identity,
        name=rule.name,
        pipeline=plan.name,
        size=rule.window.size,
        every=rule.window.every,
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        cooldown=rule.cooldown,
        update_every=rule.update_every,
        key_names=tuple(key.name for key in rule.keys),
        measure_names=rule.columns,
        labels=rule.labels,
        annotations=rule.annotations,
    )


def window_rows(rule: Rule, firings: RuleFirings, keys: DenseKeys) -> pa.Table:
    """Closed windows as typed rows: ``id``, ``window_start``, ``window_end``, key fields, measures."""
    names = [key.name for key in rule.keys]
    fields = [_instants(keys.column(firings.keys, i, ARROW_TYPES[k.node.type]), k.node.type) for i, k in enumerate(rule.keys)]
    starts = pa.array(firings.ends - rule.window.size, pa.timestamp("us", "UTC"))
    ends = pa.array(firings.ends, pa.timestamp("us", "UTC"))
    naive = [pa.array(firings.ends - rule.window.size, pa.timestamp("us")), pa.array(firings.ends, pa.timestamp("us"))]
    ids = digests([rule.identity, *fields, *naive], len(firings.keys))
    types = value_types(rule)
    measures = [
        _instants(firings.values.column(name).combine_chunks(), types[name]) for name in rule.columns
    ]
    return pa.table(
        [ids, starts, ends, *fields, *measures], names=["id", "window_start", "window_end", *names, *rule.columns]
    )


def incident_table(revisions: Sequence[Revision]) -> pa.Table | None:
    """The last revision of each incident, as rows of the store's table ``incidents``."""
    latest = {revision.fingerprint: revision for revision in revisions}
    return output_rows.incident_states(list(latest.values())) if latest else None


def _instants(column: pa.Array, type_: Type) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column.cast(pa.timestamp("us")) if type_ is Type.TIME else column


def _event_ids(rule: str, table: pa.Table) -> pa.Array:
    columns = [table[name].combine_chunks() for name in ("_partition", "_generation", "_position")]
    flat = [c.chunk(0) if isinstance(c, pa.ChunkedArray) else c for c in columns]
    return digests([rule, *flat], table.num_rows)


