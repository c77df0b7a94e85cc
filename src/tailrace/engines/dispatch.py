"""What an epoch has to say, as batches for the outbox: rows of one content for one output each.

An output gets rows in the form that its kind takes: text (one JSON object a row) or typed columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.alerts.events import EventAlert
from tailrace.alerts.incidents import IncidentRule, json_values
from tailrace.alerts.notices import early_notice
from tailrace.engines.folding import value_types
from tailrace.engines.words import (
    archive_address,
    classified_address,
    dead_letter_address,
    event_address,
    notice_address,
    revision_address,
    verdict_address,
    window_address,
)
from tailrace.expr.nodes import Type
from tailrace.kernel.hashing import digests
from tailrace.kernel.judging import ARROW_TYPES
from tailrace.outputs import rows as text_rows
from tailrace.outputs import typed as typed_rows
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import made
from tailrace.outputs.events import EventTexts, field_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tailrace.alerts.incidents import Revision
    from tailrace.alerts.notices import Notice
    from tailrace.alerts.verdicts import Change
    from tailrace.config import Output
    from tailrace.engines.words import Address
    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import EventRows, RuleFirings
    from tailrace.outputs.batches import Rows
    from tailrace.plan.classify import Classification
    from tailrace.plan.identity import Key
    from tailrace.plan.model import EventRule, Plan, Rule
    from tailrace.plan.verdicts import VerdictList


@dataclass(frozen=True, slots=True)
class _Target:
    """An output that gets rows, and how it takes them."""

    name: str
    config: Output
    zone: ZoneInfo

    @property
    def incidents(self) -> bool:
        """Whether alerts send incidents there, not windows."""
        return self.config.rows == "incidents"

    @property
    def typed(self) -> bool:
        """Whether rows are typed columns there, not JSON text."""
        return self.config.target.row_form == "typed"


class Dispatch:
    """Collects the rows of one epoch by output."""

    def __init__(
        self, plan: Plan, next_seq: int, versions: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Number the outbox's batches from ``next_seq``.

        ``versions``: those of references that are in force.
        """
        self._versions = versions
        self._plan = plan
        self._next_seq = next_seq
        self._parts: list[tuple[str, Rows]] = []

    def _targets(self, names: Iterable[str]) -> list[_Target]:
        outputs = self._plan.config.outputs
        return [_Target(n, outputs[n], ZoneInfo(outputs[n].zone)) for n in names if n in outputs]

    def _add(self, target: _Target, rows: Rows, address: Callable[[], Address]) -> None:
        options = target.config.target
        if options.addressed:
            known = address()
            rows = addressed(
                made(rows),
                known.ids,
                known.times,
                options.templates,
                known.words,
                target.zone,
                json_templates=options.json_templates,
            )
        self._parts.append((target.name, rows))

    def windows(self, firings: RuleFirings, keys: DenseKeys) -> None:
        """Rows of closed windows: a record rule's, and an alert's for ``rows: windows``."""
        rule = firings.rule
        targets = [t for t in self._targets(rule.to) if not (rule.alert and t.incidents)]
        if not targets or not len(firings.keys):
            return
        fields, measures = window_columns(firings, keys)
        name, starts, ends, size = rule.name, firings.starts, firings.ends, firings.size
        address = cache(lambda: window_address(self._plan, rule, fields, starts, ends, measures))
        stamp = self._stamp(rule)
        for target in targets:
            if target.typed:
                known = stamp if rule.references else None
                rows = typed_rows.typed_windows(name, fields, ends, size, measures, known)
            else:
                rows = text_rows.window_rows(
                    name, fields, ends, size, measures, target.zone, references=stamp
                )
            self._add(target, rows, address)

    def revisions(self, rule: Rule, revisions: Sequence[Revision]) -> None:
        """Revisions of incidents, for outputs that take incidents."""
        for target in self._targets(rule.to) if revisions else ():
            if target.incidents:
                if target.typed:
                    rows = typed_rows.typed_incidents(revisions)
                else:
                    rows = text_rows.incident_rows(revisions, target.zone)
                self._add(target, rows, lambda: revision_address(revisions))

    def notices(self, rule: Rule, keys: Iterable[Key], start: int) -> list[Notice]:
        """Early notices of the window from ``start`` on, for outputs that take incidents."""
        known = incident_rule(self._plan, rule)
        notices = [early_notice(known, key, start) for key in keys]
        for target in self._targets(rule.to) if notices else ():
            if target.incidents and target.config.notices:
                if target.typed:
                    rows = typed_rows.typed_notices(notices)
                else:
                    rows = text_rows.notice_rows(notices, target.zone)
                self._add(target, rows, lambda: notice_address(notices, known.measure_names))
        return notices

    def events(self, rule: EventRule, fired: EventRows) -> None:
        """Alerts of a rule without a window."""
        targets = self._targets(rule.to)
        if not targets:
            return
        alert = EventAlert(rule.identity, rule.name, self._plan.name, rule.labels, rule.annotations)
        texts = EventTexts(alert, fired.table)
        for target in targets:
            if target.typed:
                rows = typed_rows.typed_events(texts, self._stamp(rule))
            else:
                rows = text_rows.event_rows(texts, target.zone, references=self._stamp(rule))
            self._add(target, rows, lambda: event_address(texts))

    def _stamp(self, rule: Rule | EventRule) -> dict[str, str]:
        """The versions in force of the references that a rule looks things up in."""
        return {name: self._versions[name] for name in rule.references if name in self._versions}

    def archive(self, rows: EventRows) -> None:
        """All events of the epoch: their fields, and the time under the name of its source key."""
        fields = field_columns(rows.table)
        columns = event_columns(self._plan, rows.table)
        address = cache(lambda: archive_address(self._plan, rows.table, fields))
        for target in self._targets(self._plan.archive):
            if target.typed:
                batch = typed_rows.typed_archive(columns)
            else:
                batch = text_rows.archive_rows_later(columns, target.zone)
            self._add(target, batch, address)

    def archive_of(self, old: Plan, rows: EventRows) -> None:
        """Events as the plan before this one archived them, for outputs that are still there."""
        outputs = {"outputs": self._plan.config.outputs}
        before = Dispatch(replace(old, config=old.config.model_copy(update=outputs)), 0)
        before.archive(rows)
        self._parts += before._parts

    def classified(self, rule: Classification, rows: EventRows) -> None:
        """Labelled events, as archived ones; those of one label for the outputs of that label."""
        # In one piece: what is made of it for one output after the other needs no copy then.
        table = rows.table.combine_chunks()
        self._labelled(rule, table, rule.to)
        for label, to in rule.to_label.items():
            self._labelled(rule, table.filter(pc.equal(table[rule.name], label)), to)

    def _labelled(self, rule: Classification, rows: pa.Table, to: Sequence[str]) -> None:
        targets = self._targets(to) if rows.num_rows else []
        if not targets:
            return
        columns = event_columns(self._plan, rows)
        address = cache(lambda: classified_address(self._plan, rule, rows, field_columns(rows)))
        for target in targets:
            if target.typed:
                batch = typed_rows.typed_archive(columns, rule.name)
            else:
                batch = text_rows.archive_rows_later(columns, target.zone, rule.name)
            self._add(target, batch, address)

    def dead_letters(self, letters: pa.Table) -> None:
        """Dead letters of the epoch, as the store has them."""
        targets = self._targets(self._plan.config.dead_letters.to)
        if not targets:
            return
        columns = dead_letter_columns(self._plan, letters)
        for target in targets:
            if target.typed:
                rows = typed_rows.typed_dead_letters(columns)
            else:
                rows = text_rows.dead_letter_rows(columns)
            self._add(target, rows, lambda: dead_letter_address(columns))

    def verdicts(self, verdicts: VerdictList, changes: Sequence[Change]) -> None:
        """Changes of a list of verdicts."""
        for target in self._targets(verdicts.to) if changes else ():
            if target.typed:
                rows = typed_rows.typed_verdicts(changes)
            else:
                rows = text_rows.verdict_rows(changes, target.zone)
            self._add(target, rows, lambda: verdict_address(changes))

    def left(self, output: str, rows: pa.Table) -> None:
        """Rows as another's ``batches`` gave them, which could not be delivered there."""
        self._parts.append((output, rows))

    def batches(
        self,
    ) -> tuple[tuple[tuple[int, str, Rows], ...], tuple[tuple[str, pa.Table], ...]]:
        """Batches for the outbox (seq, output, rows), and for tables of the store (table, rows).

        Lines of events are made by whoever writes them.
        """
        outbox: list[tuple[int, str, Rows]] = []
        tables: list[tuple[str, pa.Table]] = []
        for name, rows in self._parts:
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
        start_from=rule.ordered.start_from if rule.ordered is not None else None,
    )


def window_columns(
    firings: RuleFirings, keys: DenseKeys
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """The key fields and the measures of closed windows as typed columns (times as timestamps)."""
    rule = firings.rule
    fields = {
        key.name: _typed(keys.column(firings.keys, i, ARROW_TYPES[key.node.type]), key.node.type)
        for i, key in enumerate(rule.keys)
    }
    types = value_types(rule)
    measures = {name: _typed(firings.values.column(name), types[name]) for name in rule.columns}
    return fields, measures


def event_columns(plan: Plan, events: pa.Table) -> dict[str, pa.Array]:
    """The time of events, then their fields."""
    name = time_column(plan)
    time = events["_time"].combine_chunks().cast(pa.timestamp("us", "UTC"))
    return {name: time} | {n: c for n, c in field_columns(events).items() if n != name}


def time_column(plan: Plan) -> str:
    """The archive's column with the event time: named as the key that the time is read from."""
    field = plan.config.time.field
    return field if isinstance(field, str) else field[-1]


def dead_letter_columns(plan: Plan, letters: pa.Table) -> dict[str, pa.Array]:
    r"""The store's dead letters as columns of ``typed.DEAD_LETTERS``.

    Bytes that are not UTF-8 are shown as Python shows them, ``\xff``.
    """
    place = [letters[name].combine_chunks() for name in ("partition", "generation", "position")]
    raw = [
        None if value is None else value.decode("utf-8", "backslashreplace")
        for value in letters["raw"].to_pylist()
    ]
    columns = {
        "id": digests(["dead letter", *place], letters.num_rows),
        "pipeline": pa.repeat(plan.name, letters.num_rows),
        "raw": pa.array(raw, pa.string()),
    }
    columns |= {
        name: letters[name].combine_chunks()
        for name in ("partition", "generation", "position", "code", "field", "reason")
    }
    return {name: columns[name] for name in typed_rows.DEAD_LETTERS.names}


def incident_table(revisions: Sequence[Revision]) -> pa.Table | None:
    """The last revision of each incident, as rows of the store's table ``incidents``."""
    latest = list({revision.fingerprint: revision for revision in revisions}.values())
    if not latest:
        return None

    def instants(name: str) -> pa.Array:
        return pa.array([getattr(revision, name) for revision in latest], pa.int64()).cast(
            pa.timestamp("us")
        )

    return pa.table(
        {
            "fingerprint": [revision.fingerprint for revision in latest],
            "rule": [revision.rule for revision in latest],
            "key": [text_rows.dumps(json_values(revision.key)) for revision in latest],
            "state": [revision.state.value for revision in latest],
            "reason": [revision.reason.value for revision in latest],
            "revision": [revision.revision for revision in latest],
            "started_at": instants("started_at"),
            "opened_at": instants("opened_at"),
            "last_firing_at": instants("last_firing_at"),
            "resolved_at": instants("resolved_at"),
            "body": text_rows.incident_rows(latest)["json"],
        }
    )


def verdict_table(changes: Sequence[Change]) -> pa.Table | None:
    """The last change of each key, as rows of the store's table ``verdicts``."""
    latest = list({change.id: change for change in changes}.values())
    if not latest:
        return None

    def instants(name: str) -> pa.Array:
        found = [getattr(change, name) for change in latest]
        return pa.array(found, pa.int64()).cast(pa.timestamp("us"))

    return pa.table(
        {
            "id": [change.id for change in latest],
            "verdict": [change.list for change in latest],
            "key": [text_rows.dumps(json_values(change.key)) for change in latest],
            "state": [change.state.value for change in latest],
            "live": [change.state.live for change in latest],
            "since": instants("since"),
            "until": instants("until"),
            "reasons": [text_rows.dumps(change.reasons) for change in latest],
            "count": [change.count for change in latest],
            "body": text_rows.verdict_rows(latest)["json"],
        }
    )


def _typed(column: pa.Array | pa.ChunkedArray, type_: Type) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column.cast(pa.timestamp("us", "UTC")) if type_ is Type.TIME else column
