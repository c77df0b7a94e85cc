"""What a run of a case found, as the outcome that rule tests compare."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.alerts.events import EventAlert
from tailrace.engines.folding import value_types
from tailrace.expr.nodes import Type
from tailrace.kernel.hashing import typed_values
from tailrace.kernel.types import FLAG_NAMES
from tailrace.outputs.events import EventTexts, field_columns
from tailrace.plan.identity import Time, window_row_id
from tailrace.testing import outcome as found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tailrace.alerts.incidents import Revision
    from tailrace.alerts.verdicts import Change
    from tailrace.engines.concluding import Result
    from tailrace.engines.session import BaseSession
    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import EventRows, RuleFirings


@dataclass
class Gathered:
    """The results of all epochs, by number: an epoch that ran again must have found the same."""

    by_epoch: dict[int, _Found] = field(default_factory=dict)
    pipeline: str = ""

    def take(self, result: Result) -> None:
        """Keep an epoch's result; AssertionError if it ran before and found something else."""
        now = _found(result, self.pipeline)
        before = self.by_epoch.setdefault(result.commit.epoch, now)
        assert before == now, f"epoch {result.commit.epoch} ran twice and differed"  # noqa: S101 - that is the test


@dataclass(frozen=True)
class _Found:
    revisions: tuple[found.Revision, ...]
    windows: tuple[found.Window, ...]
    events: tuple[found.EventAlert, ...]
    dead: tuple[found.DeadLetter, ...]
    notices: tuple[found.Notice, ...]
    verdicts: tuple[found.Verdict, ...]
    archived: tuple[found.Archived, ...]


def outcome_of(session: BaseSession, gathered: Gathered) -> found.Outcome:
    """All results of a run, and its counts at the end."""
    parts = list(gathered.by_epoch.values())
    counts = session.state.counts
    rules = {}
    for rule in session.plan.every_rule:
        mine = counts.rules.get(rule.identity)
        if mine is not None:
            rules[rule.name] = found.RuleCounts(
                mine.filtered,
                mine.late,
                mine.evicted,
                mine.accepted,
                mine.errors,
                mine.forgotten,
            )
        else:
            rules[rule.name] = found.RuleCounts()
    return found.Outcome(
        revisions=tuple(r for part in parts for r in part.revisions),
        windows=tuple(w for part in parts for w in part.windows),
        events=tuple(e for part in parts for e in part.events),
        dead=tuple(d for part in parts for d in part.dead),
        counts=found.Counts(counts.read, counts.events, counts.dead, counts.blank),
        rules=rules,
        notices=tuple(n for part in parts for n in part.notices),
        verdicts=tuple(v for part in parts for v in part.verdicts),
        archived=tuple(a for part in parts for a in part.archived),
    )


def _found(result: Result, pipeline: str) -> _Found:
    return _Found(
        tuple(_revision(r) for r in result.revisions),
        tuple(w for firings, keys in result.windows for w in _windows(firings, keys)),
        tuple(_all_events(result, pipeline)),
        tuple(_dead(result.commit.dead)),
        tuple(found.Notice(n.id, n.rule, _values(n.key), n.start, n.end) for n in result.notices),
        tuple(_verdict(change) for change in result.verdicts),
        tuple(_archived(result.archived)),
    )


def _revision(r: Revision) -> found.Revision:
    return found.Revision(
        id=r.id,
        fingerprint=r.fingerprint,
        revision=r.revision,
        state=r.state.value,
        reason=r.reason.value,
        pipeline=r.pipeline,
        rule=r.rule,
        key=_values(r.key),
        measures=_values(r.measures),
        start=r.start,
        end=r.end,
        started_at=r.started_at,
        opened_at=r.opened_at,
        last_firing_at=r.last_firing_at,
        resolved_at=r.resolved_at,
        labels=r.labels,
        annotations=r.annotations,
        flags=r.flags,
        notices=r.notices,
    )


def _verdict(change: Change) -> found.Verdict:
    return found.Verdict(
        id=change.id,
        list=change.list,
        state=change.state.value,
        number=change.number,
        key=_values(change.key),
        at=change.at,
        since=change.since,
        until=change.until,
        reasons=change.reasons,
        count=change.count,
        first_seen=change.first_seen,
        last_seen=change.last_seen,
        listings=change.listings,
        measures=_values(change.measures),
        comment=change.comment,
    )


def _archived(events: EventRows | None) -> Iterator[found.Archived]:
    if events is None:
        return
    table = events.table
    columns = {
        name: typed_values(column, table.num_rows) for name, column in field_columns(table).items()
    }
    partitions, positions = table["_partition"].to_pylist(), table["_position"].to_pylist()
    times = table["_time"].to_pylist()
    for row in range(table.num_rows):
        fields = _values({name: column[row] for name, column in columns.items()})
        yield found.Archived(partitions[row], positions[row], times[row], fields)


def _values(values: Mapping[str, object]) -> dict[str, found.Value]:
    return {
        name: found.Instant(int(value)) if isinstance(value, Time) else value  # type: ignore[misc]  # typed scalars
        for name, value in values.items()
    }


def _windows(firings: RuleFirings, keys: DenseKeys) -> list[found.Window]:
    rule = firings.rule
    types = value_types(rule)
    columns = {name: firings.values.column(name).to_pylist() for name in rule.columns}
    starts = firings.starts.tolist()
    rows = []
    for row, (number, end) in enumerate(
        zip(firings.keys.tolist(), firings.ends.tolist(), strict=True)
    ):
        measures = {
            name: found.Instant(column[row])
            if types[name] is Type.TIME and column[row] is not None
            else column[row]
            for name, column in columns.items()
        }
        key = dict(zip((k.name for k in rule.keys), keys.values(number), strict=True))
        flags = tuple(name for bit, name in FLAG_NAMES.items() if firings.flags[row] & bit)
        rows.append(
            found.Window(
                window_row_id(rule.identity, keys.values(number), starts[row], end),
                rule.name,
                starts[row],
                end,
                _values(key),
                measures,
                flags,
            )
        )
    return rows


def _all_events(result: Result, pipeline: str) -> Iterator[found.EventAlert]:
    """Alerts on single events, and labelled events, which have no labels of their own."""
    for rule, rows in result.fired:
        alert = EventAlert(rule.identity, rule.name, pipeline, rule.labels, rule.annotations)
        yield from _events(alert, rows.table)
    for each, rows in result.classified:
        yield from _events(EventAlert(each.identity, each.name, pipeline, {}, {}), rows.table)


def _events(rule: EventAlert, table: pa.Table) -> list[found.EventAlert]:
    texts = EventTexts(rule, table)
    columns = {
        name: typed_values(column, table.num_rows) for name, column in field_columns(table).items()
    }
    labels, annotations = texts.labels().to_pylist(), texts.annotations().to_pylist()
    partitions, positions = table["_partition"].to_pylist(), table["_position"].to_pylist()
    return [
        found.EventAlert(
            id=texts.ids[row].as_py(),
            rule=rule.name,
            partition=partitions[row],
            position=positions[row],
            time=int(texts.times[row]),
            fields=_values({name: column[row] for name, column in columns.items()}),
            labels=json.loads(labels[row]),
            annotations=json.loads(annotations[row]),
        )
        for row in range(table.num_rows)
    ]


def _dead(table: pa.Table | None) -> list[found.DeadLetter]:
    if table is None:
        return []
    names = ("partition", "position", "code", "field")
    columns = [table[name].to_pylist() for name in names]
    return [found.DeadLetter(*row) for row in zip(*columns, strict=True)]
