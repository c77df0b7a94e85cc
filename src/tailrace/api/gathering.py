"""What the epochs of a run find, kept as Arrow tables until the run is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tailrace.alerts.events import EventAlert
from tailrace.engines.accounts import DEAD_LETTERS
from tailrace.engines.dispatch import event_columns, time_column, window_columns
from tailrace.engines.folding import value_types
from tailrace.expr.nodes import Type
from tailrace.kernel.judging import ARROW_TYPES
from tailrace.outputs.batches import INSTANT
from tailrace.outputs.events import EventTexts
from tailrace.outputs.typed import (
    EVENTS,
    typed_archive,
    typed_events,
    typed_incidents,
    typed_notices,
    typed_windows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailrace.alerts.incidents import Revision
    from tailrace.alerts.notices import Notice
    from tailrace.engines.concluding import Result as Epoch
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import Plan, Rule


class Gathered:
    """Takes each epoch's result once; an epoch that is told of again replaces itself."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._epochs: dict[int, _Found] = {}

    def take(self, result: Epoch) -> None:
        """Keep what an epoch found."""
        windows: dict[str, list[pa.Table]] = {}
        for firings, keys in result.windows:
            rule = firings.rule
            fields, measures = window_columns(firings, keys)
            table = typed_windows(rule.name, fields, firings.ends, firings.size, measures)
            windows.setdefault(rule.name, []).append(table)
        events = []
        for judge, rows in result.fired:
            alert = EventAlert(
                judge.identity, judge.name, self._plan.name, judge.labels, judge.annotations
            )
            texts = EventTexts(alert, rows.table)
            events.append(typed_events(texts, _versions(result, judge.references)))
        labelled: dict[str, list[pa.Table]] = {}
        for each, rows in result.classified:
            table = typed_archive(event_columns(self._plan, rows.table), each.name)
            labelled.setdefault(each.name, []).append(table)
        self._epochs[result.commit.epoch] = _Found(
            list(result.revisions),
            list(result.notices),
            windows,
            events,
            labelled,
            result.commit.dead,
        )

    def revisions(self) -> list[Revision]:
        """All revisions, in order."""
        return [revision for found in self._epochs.values() for revision in found.revisions]

    def revision_table(self) -> pa.Table:
        """All revisions, a row each."""
        return _plain(typed_incidents(self.revisions()))

    def incident_table(self) -> pa.Table:
        """The last revision of each incident."""
        latest = {revision.fingerprint: revision for revision in self.revisions()}
        return _plain(typed_incidents(list(latest.values())))

    def notice_table(self) -> pa.Table:
        """All early notices."""
        notices = [notice for found in self._epochs.values() for notice in found.notices]
        table = _plain(typed_notices(notices))
        wanted = ("id", "pipeline", "rule", "key", "labels", "window_start", "window_end")
        return table.select(wanted)

    def alert_table(self) -> pa.Table:
        """All alerts on single events."""
        return _joined([t for found in self._epochs.values() for t in found.events], EVENTS)

    def window_table(self, rule: Rule) -> pa.Table:
        """The windows of one rule."""
        tables = [t for found in self._epochs.values() for t in found.windows.get(rule.name, [])]
        return _joined(tables, window_schema(rule))

    def label_table(self, rule: Classification) -> pa.Table:
        """All events with the labels and reasons of one rule."""
        tables = [t for found in self._epochs.values() for t in found.labelled.get(rule.name, [])]
        name = time_column(self._plan)
        types = {name: Type.TIME} | {n: kind for n, kind in rule.columns.items() if n != name}
        return _joined(tables, pa.schema(_arrow(types)))

    def dead_table(self) -> pa.Table:
        """All dead letters."""
        tables = [found.dead for found in self._epochs.values() if found.dead is not None]
        return _joined(tables, DEAD_LETTERS).drop_columns(["replayed"])


def _versions(result: Epoch, names: tuple[str, ...]) -> dict[str, str]:
    """The versions of references that are in force in an epoch."""
    known = result.commit.state["references"]
    assert isinstance(known, dict)  # noqa: S101 - the state says so
    return {name: known[name] for name in names if name in known}


class _Found:
    __slots__ = ("dead", "events", "labelled", "notices", "revisions", "windows")

    def __init__(
        self,
        revisions: list[Revision],
        notices: list[Notice],
        windows: dict[str, list[pa.Table]],
        events: list[pa.Table],
        labelled: dict[str, list[pa.Table]],
        dead: pa.Table | None,
    ) -> None:
        self.revisions, self.notices = revisions, notices
        self.windows, self.events, self.labelled, self.dead = windows, events, labelled, dead


def window_schema(rule: Rule) -> pa.Schema:
    """The columns of a rule's windows."""
    types = {key.name: key.node.type for key in rule.keys}
    types |= {name: value_types(rule)[name] for name in rule.columns}
    return pa.schema([("window_start", INSTANT), ("window_end", INSTANT), *_arrow(types)])


def _arrow(types: Mapping[str, Type]) -> list[tuple[str, pa.DataType]]:
    return [
        (name, INSTANT if type_ is Type.TIME else ARROW_TYPES[type_])
        for name, type_ in types.items()
    ]


def _joined(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([_plain(t) for t in tables]) if tables else schema.empty_table()


def _plain(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata(None)
