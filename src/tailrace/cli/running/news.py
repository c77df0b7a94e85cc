"""What happened in an epoch, in the form that people and programs are told it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tailrace.alerts.events import EventAlert
from tailrace.alerts.verdicts import Standing
from tailrace.outputs.batches import Content
from tailrace.outputs.events import EventTexts
from tailrace.outputs.rows import event_rows

if TYPE_CHECKING:
    from tailrace.config import Output
    from tailrace.engines.concluding import Result
    from tailrace.plan.model import EventRule, Plan
    from tailrace.sources.types import Note

Document = Mapping[str, Any]

MOST = 50
"""So many items of one epoch are told to people; programs get all."""


class Kind(StrEnum):
    """What an item is about."""

    INCIDENT = "incident"
    NOTICE = "notice"
    VERDICT = "verdict"
    EVENT = "event"
    NOTE = "note"


CONTENTS = {
    Kind.INCIDENT: Content.INCIDENTS,
    Kind.NOTICE: Content.NOTICES,
    Kind.VERDICT: Content.VERDICTS,
    Kind.EVENT: Content.EVENTS,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tell: ``document`` is what an output would get of it."""

    kind: Kind
    document: Document


class Audience:
    """Which rules' news are told by the command itself.

    Not those of alerts that are only asked for every window. ``printed``: terminal outputs are at
    work and tell what is sent to them. ``logged``: those of every rule.
    """

    def __init__(self, plan: Plan, *, printed: bool, logged: bool = False) -> None:
        outputs = plan.config.outputs
        self._told: dict[str, bool] = {}
        self._lists: dict[str, bool] = {}
        if logged:
            return
        for rule in plan.every_rule:
            takers = [outputs[name] for name in rule.to if outputs[name].rows != "windows"]
            mine = not rule.to or bool(takers)
            self._told[rule.name] = mine and not (printed and any(map(_is_terminal, takers)))

        for wanted in plan.verdicts:
            takers = [outputs[name] for name in wanted.to]
            self._lists[wanted.name] = not (printed and any(map(_is_terminal, takers)))

    def hears_of_list(self, name: str) -> bool:
        """Whether changes of a list of verdicts are told."""
        return self._lists.get(name, True)

    def hears_of(self, rule: str) -> bool:
        """Whether news of that rule are told; those of a rule that was removed are."""
        return self._told.get(rule, True)


def _is_terminal(output: Output) -> bool:
    return output.terminal is not None


def items(result: Result, plan: Plan, audience: Audience) -> Iterator[Item]:
    """What an epoch found, in order: notices are older than the incidents that confirm them."""
    for rule, rows in result.fired:
        if audience.hears_of(rule.name):
            yield from _events(rule, rows.table, plan)
    for revision in result.revisions:
        if audience.hears_of(revision.rule):
            yield Item(Kind.INCIDENT, revision.to_json_dict())
    for notice in result.notices:
        if audience.hears_of(notice.rule):
            yield Item(Kind.NOTICE, notice.to_json_dict())

    for change in result.verdicts:
        if change.state is not Standing.EXTENDED and audience.hears_of_list(change.list):
            yield Item(Kind.VERDICT, change.to_json_dict())


def note_item(note: Note) -> Item:
    """A note of the source."""
    document = {"code": note.code, "partition": note.partition, "text": note.text}
    return Item(Kind.NOTE, {**document, "count": note.count})


def _events(rule: EventRule, table: Any, plan: Plan) -> Iterator[Item]:  # noqa: ANN401 - Arrow
    import json

    alert = EventAlert(rule.identity, rule.name, plan.name, rule.labels, rule.annotations)
    for text in event_rows(EventTexts(alert, table))["json"].to_pylist():
        yield Item(Kind.EVENT, json.loads(text))
