"""The stateless half of the kernel: decoded events in, partials by (group, key, pane) out.

Everything about one event by itself happens here: derived fields, filters, lateness within its
slice, keys, per-event rules. What needs earlier batches beyond a partition's maximum time and the
memory of ``dedup`` is the reducer's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace import calculator
from tailrace.expr.sql import failure_sql, to_sql
from tailrace.kernel import time as event_time
from tailrace.kernel.batch_columns import BatchColumns
from tailrace.kernel.classify import Classifier
from tailrace.kernel.counting import Counter
from tailrace.kernel.dedup import Deduplicator
from tailrace.kernel.lookups import Lookups
from tailrace.kernel.ordered.arrays import EventArrays
from tailrace.kernel.ordered.mapping import EventSql
from tailrace.kernel.partials_sql import GroupSql
from tailrace.kernel.row_lookups import PREFIX, RowLookups
from tailrace.kernel.types import JUDGED_AT, EventRows, GroupPartials, Judged, Mapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.types import Piece
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import EventRule, Group, Plan


class Mapper:
    """Runs the row-level part of a plan over batches; used by one thread at a time.

    ``salt`` is the store's secret of SEMANTICS 12; distinct values are hashed with it.
    """

    def __init__(
        self,
        plan: Plan,
        groups: Sequence[Group],
        salt: str,
        *,
        errors_by_pane: bool = False,
        lookups: Lookups | None = None,
    ) -> None:
        """Prepare the statements of every group and rule once.

        ``lookups``: the versions of references that are in force, which others change.

        ``errors_by_pane``: whoever knows later which events were late gets failures by pane.
        """
        self._errors_by_pane = errors_by_pane
        self._plan = plan
        self._groups = [
            EventSql(group, salt) if group.rules[0].by_event else GroupSql(group, salt)
            for group in groups
        ]
        self._placed = any(group.rules[0].placed for group in groups)
        self._counters = [
            EventArrays(group, salt) if group.rules[0].by_event else Counter(group, salt)
            for group in groups
        ]
        self._dedup = Deduplicator(plan.dedup, plan.grace) if plan.dedup else None
        self._connection = calculator.connect()
        self._widths = sorted({group.width for group in groups})
        self._lookups = RowLookups(plan, lookups or Lookups(), self._connection)
        self._classifier = Classifier(plan.classifications, self._connection, self._lookups)

    @property
    def texts(self) -> frozenset[str]:
        """The text fields that are wanted by their distinct texts; ``Decoded.words`` saves time."""
        return frozenset().union(*(each.texts for each in self._counters if each.fits))

    @property
    def dedup(self) -> Deduplicator | None:
        """The memory of earlier events, where the pipeline removes duplicates."""
        return self._dedup

    def map(self, pieces: Sequence[Piece]) -> Mapped:
        """Turn a batch into partials; pieces of one partition come in its order."""
        events = _event_table(pieces)
        times = (
            np.concatenate([piece.decoded.time for piece in pieces])
            if pieces
            else np.empty(0, np.int64)
        )
        horizon, after = _horizons(pieces, self._plan.grace)
        total = len(times)
        any_late = bool(total) and bool((times < horizon).any())
        duplicate = (
            self._dedup.mask(events, times, pieces, horizon) if self._dedup and total else None
        )
        self._lookups.begin(times)
        table, derive_errors = self._with_derived(events)
        table, unclear = self._classifier.add(table)
        table = self._lookups.for_rules(table)
        extra: dict[str, pa.Array] = {"_time": pa.array(times)}
        all_panes = {width: event_time.panes_of(times, width) for width in self._widths}
        late_masks: dict[int, NDArray[np.bool_]] = {}
        for width, panes in all_panes.items():
            extra[f"_pane_{width}"] = pa.array(panes)
            if any_late:
                late_masks[width] = event_time.late_mask(panes, width, horizon)
                extra[f"_late_{width}"] = pa.array(late_masks[width])
        if duplicate is not None:
            extra["_duplicate"] = pa.array(duplicate)
        extra |= _places(pieces) if self._placed and total else {}
        for name, column in extra.items():
            table = table.append_column(name, column)
        duplicates = int(duplicate.sum()) if duplicate is not None else 0
        groups: dict[str, GroupPartials] = {}
        errors: dict[str, int] = {}
        by_pane: dict[str, list[tuple[int, int, int]]] = {}
        fired: dict[str, EventRows] = {}
        judged: dict[str, Judged] = {}
        if total:
            self._connection.register("events", table)
            twice = duplicate if duplicates else None
            words = _encoded(pieces, self.texts)
            columns = BatchColumns(table, self._connection, all_panes, late_masks, twice, words)
            groups = self._partials(columns, late=any_late, deduplicated=duplicates > 0)
            errors, by_pane = self._errors(late=any_late, deduplicated=duplicates > 0)
            for rule in self._plan.event_rules:
                mask, judged[rule.identity] = self._judge(rule, deduplicated=duplicates > 0)
                chosen = np.flatnonzero(mask)
                if len(chosen):
                    fired[rule.identity] = EventRows(_located(table, pieces).take(pa.array(chosen)))
            self._connection.unregister("events")
            self._add_labelled(table, pieces, unclear, duplicate, (judged, fired))
        archive = self._archived(table, pieces, np.maximum(times, horizon)) if total else None
        return Mapped(
            total, duplicates, groups, errors, derive_errors, judged, fired, archive, after, by_pane
        )

    def _partials(
        self, columns: BatchColumns, *, late: bool, deduplicated: bool
    ) -> dict[str, GroupPartials]:
        """The partials of each group: by NumPy, or if they don't fit by a statement."""
        found: dict[str, GroupPartials] = {}
        for sql, counter in zip(self._groups, self._counters, strict=True):
            counted = counter.run(columns) if counter.fits else None
            found[sql.group.identity] = counted or sql.run(
                self._connection, late=late, deduplicated=deduplicated
            )
        return found

    def _errors(
        self, *, late: bool, deduplicated: bool
    ) -> tuple[dict[str, int], dict[str, list[tuple[int, int, int]]]]:
        """For each rule how many of its operations failed; or by pane, where that is wanted."""
        errors: dict[str, int] = {}
        by_pane: dict[str, list[tuple[int, int, int]]] = {}
        for sql in self._groups:
            if self._errors_by_pane:
                by_pane.update(sql.errors_by_pane(self._connection, late=late))
            else:
                errors.update(sql.errors(self._connection, late=late, deduplicated=deduplicated))
        return errors, by_pane

    def _add_labelled(
        self,
        table: pa.Table,
        pieces: Sequence[Piece],
        unclear: Mapping[str, NDArray[np.bool_]],
        duplicate: NDArray[np.bool_] | None,
        found: tuple[dict[str, Judged], dict[str, EventRows]],
    ) -> None:
        """Put what each classification counts, and its rows, to those of other rules."""
        judged, fired = found
        for each in self._plan.classifications:
            judged[each.identity], fired[each.identity] = _labelled(
                each, table, unclear[each.identity], duplicate, pieces
            )

    def _archived(
        self, table: pa.Table, pieces: Sequence[Piece], judged_at: NDArray[np.int64]
    ) -> EventRows | None:
        """All events, where there is an archive; what verdicts are asked for says when."""
        if not self._plan.archive:
            return None
        archived = _located(table, pieces)
        if self._plan.marks:
            archived = archived.append_column(JUDGED_AT, pa.array(judged_at))
        return EventRows(archived)

    def _with_derived(self, events: pa.Table) -> tuple[pa.Table, dict[str, int]]:
        """The event table with its derived fields, and how many events each of them failed on."""
        if not self._plan.derived or not events.num_rows:
            return events, {}
        errors: dict[str, int] = {}
        for derived in self._plan.derived:
            events = self._lookups.add(events, (derived.node,))
            self._connection.register("plain", events)
            failure = failure_sql(derived.node)
            wanted = f"{to_sql(derived.node)} as value"
            if failure:
                wanted += f", {failure} as failed"
            result = self._connection.sql(f"select {wanted} from plain").to_arrow_table()
            if failure:
                errors[derived.name] = pc.sum(result["failed"]).as_py() or 0
            events = events.append_column(derived.name, result["value"])
            self._connection.unregister("plain")
        return events, errors

    def _judge(self, rule: EventRule, *, deduplicated: bool) -> tuple[NDArray[np.bool_], Judged]:
        """Which events a per-event rule fires for, and for how many its condition failed."""
        passes = f"coalesce({to_sql(rule.where)}, false)" if rule.where is not None else "true"
        if deduplicated:
            passes = f"not _duplicate and {passes}"
        failures = [f"({passes}) and {failure_sql(rule.when) or 'false'}"]
        if rule.where is not None:
            failure = failure_sql(rule.where) or "false"
            failures.append(f"not _duplicate and {failure}" if deduplicated else failure)
        failed = " or ".join(f"({failure})" for failure in failures)
        columns = f"{passes} as passed, {passes} and coalesce({to_sql(rule.when)}, false) as hit"
        query = f"select {columns}, coalesce({failed}, false) as failed from events"
        result = self._connection.sql(query).to_arrow_table()
        judged = Judged(
            int(pc.sum(result["passed"]).as_py() or 0), int(pc.sum(result["failed"]).as_py() or 0)
        )
        return result["hit"].to_numpy().astype(np.bool_), judged


def _event_table(pieces: Sequence[Piece]) -> pa.Table:
    """All events of a batch in one table."""
    if not pieces:
        return pa.table({})
    return pa.concat_tables([piece.decoded.events for piece in pieces])


def _encoded(pieces: Sequence[Piece], names: Iterable[str]) -> dict[str, list[pa.DictionaryArray]]:
    """The columns that are encoded already in every piece."""
    found = {}
    for name in names:
        parts = [piece.decoded.words.get(name) for piece in pieces if len(piece.decoded.time)]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            found[name] = known
    return found


def _horizons(pieces: Sequence[Piece], grace: int) -> tuple[NDArray[np.int64], dict[str, int]]:
    """For each event the maximum time before it less grace, and each partition's new maximum."""
    after: dict[str, int] = {}
    parts: list[NDArray[np.int64]] = []
    for piece in pieces:
        before = after.get(piece.partition, piece.before)
        earlier, after[piece.partition] = event_time.earlier_maximum(piece.decoded.time, before)
        parts.append(earlier - grace)
    return (np.concatenate(parts) if parts else np.empty(0, np.int64)), after


def _labelled(
    rule: Classification,
    table: pa.Table,
    failed: NDArray[np.bool_],
    duplicate: NDArray[np.bool_] | None,
    pieces: Sequence[Piece],
) -> tuple[Judged, EventRows]:
    """What a classification counts, and its rows: all events but duplicates."""
    rows = _located(table.select([*rule.columns, "_time"]), pieces)
    if duplicate is not None and duplicate.any():
        failed = failed & ~duplicate
        rows = rows.filter(pa.array(~duplicate))
    found = pc.value_counts(rows[rule.name]).to_pylist()
    labels = {one["values"]: one["counts"] for one in found}
    return Judged(rows.num_rows, int(np.count_nonzero(failed)), labels), EventRows(rows)


def _located(table: pa.Table, pieces: Sequence[Piece]) -> pa.Table:
    """The events with partition, generation and position, without other internal columns."""
    places = _places(pieces)
    keep = [
        name
        for name in table.column_names
        if not name.startswith(("_pane_", "_late_", "_duplicate", PREFIX)) and name not in places
    ]
    located = table.select(keep)
    for name, column in places.items():
        located = located.append_column(name, column)
    return located


def _places(pieces: Sequence[Piece]) -> dict[str, pa.Array]:
    """Where each event of a batch was read; the partitions' names as a dictionary."""
    sizes = [len(piece.decoded.time) for piece in pieces]
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(pieces), dtype=np.int32), sizes)),
        pa.array([piece.partition for piece in pieces], pa.string()),
    )
    generations = np.repeat(np.array([piece.generation for piece in pieces], np.int64), sizes)
    return {
        "_partition": names,
        "_generation": pa.array(generations),
        "_position": pa.array(np.concatenate([piece.positions for piece in pieces])),
    }
