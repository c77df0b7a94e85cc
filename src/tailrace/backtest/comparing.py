"""Two rule sets over the same data: whom only one accuses, which incidents differ."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.backtest.scoring import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tailrace.backtest.history import History, Incident, RuleHistory

Words = tuple[str, ...]
"""The values of a key as text, in the order of its fields."""


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """Whom the rules with this key accuse: keys of one side only, and how many of both."""

    fields: tuple[str, ...]
    only_here: tuple[Words, ...]
    only_there: tuple[Words, ...]
    both: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ.

    Incidents are held against those about the same key, of the rule of the same name if both sides
    have one. ``equal``: how many here have one there with the same beginning, opening and end;
    ``changed``: those here that overlap in time with others there, with the first of these;
    ``only_here`` and ``only_there`` overlap with none of the other side.
    """

    pipeline: str
    keys: tuple[KeyDifference, ...]
    equal: int
    changed: tuple[tuple[Incident, Incident], ...]
    only_here: tuple[Incident, ...]
    only_there: tuple[Incident, ...]


def compare(here: History, there: History) -> Difference:
    """What differs between two runs over the same input."""
    return Difference(
        there.pipeline,
        tuple(_keys(here.rules, there.rules)),
        *_incidents(here, there),
    )


def key_words(incident: Incident) -> Words:
    """The values of an incident's key as text."""
    return tuple(text(value) for value in incident.key.values())


def _keys(here: Sequence[RuleHistory], there: Sequence[RuleHistory]) -> Iterable[KeyDifference]:
    mine, theirs = _accused(here), _accused(there)
    for fields in dict.fromkeys((*mine, *theirs)):
        ours, others = mine.get(fields, set()), theirs.get(fields, set())
        if not (ours or others):
            continue
        yield KeyDifference(
            fields, tuple(sorted(ours - others)), tuple(sorted(others - ours)), len(ours & others)
        )


def _accused(rules: Sequence[RuleHistory]) -> Mapping[tuple[str, ...], set[Words]]:
    found: defaultdict[tuple[str, ...], set[Words]] = defaultdict(set)
    for rule in rules:
        if rule.keys:
            found[rule.keys] |= {key_words(incident) for incident in rule.incidents}
    return found


def _incidents(
    here: History, there: History
) -> tuple[int, tuple[tuple[Incident, Incident], ...], tuple[Incident, ...], tuple[Incident, ...]]:
    common = {rule.name for rule in here.rules} & {rule.name for rule in there.rules}
    mine, theirs = _by_place(here.rules, common), _by_place(there.rules, common)
    equal, changed = 0, []
    only_here: list[Incident] = []
    only_there: list[Incident] = []
    for place in dict.fromkeys((*mine, *theirs)):
        ours, others = mine.get(place, []), theirs.get(place, [])
        for incident in ours:
            matches = [other for other in others if _overlap(incident, other)]
            if not matches:
                only_here.append(incident)
            elif any(_times(incident) == _times(other) for other in matches):
                equal += 1
            else:
                changed.append((incident, matches[0]))
        only_there += [o for o in others if not any(_overlap(i, o) for i in ours)]
    return equal, tuple(changed), tuple(only_here), tuple(only_there)


def _by_place(
    rules: Sequence[RuleHistory], common: set[str]
) -> Mapping[tuple[str, tuple[str, ...], Words], list[Incident]]:
    found: defaultdict[tuple[str, tuple[str, ...], Words], list[Incident]] = defaultdict(list)
    for rule in rules:
        name = rule.name if rule.name in common else ""
        for incident in rule.incidents:
            found[name, rule.keys, key_words(incident)].append(incident)
    return found


def _overlap(one: Incident, other: Incident) -> bool:
    return one.begun_at < other.ended_at and other.begun_at < one.ended_at


def _times(incident: Incident) -> tuple[int, int, int | None]:
    return incident.begun_at, incident.opened_at, incident.resolved_at
