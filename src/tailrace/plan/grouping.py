"""Which rules share one set of partials: those with equal keys, filter, pane width and start.

A rule that needs each event for itself shares with nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.expr.render import render
from tailrace.plan.event_columns import event_columns
from tailrace.plan.identity import digest
from tailrace.plan.model import NO_START, Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailrace.plan.model import Rule


def group_rules(rules: Iterable[Rule], starts: Mapping[str, int]) -> tuple[Group, ...]:
    """Groups in the order of their first rules.

    ``starts`` is the start of each rule by identity (else none).
    """
    members: dict[str, list[Rule]] = {}
    for rule in rules:
        start = starts.get(rule.identity, NO_START)
        parts = [f"{key.name}={render(key.node)}" for key in rule.keys]
        where = render(rule.where) if rule.where is not None else None
        identity = digest(*parts, where, rule.window.width, start)[:16]
        if rule.by_event:
            identity = digest("ordered", rule.identity, start)[:16]
        members.setdefault(identity, []).append(rule)
    groups = []
    for identity, together in members.items():
        first = together[0]
        if first.by_event:
            partials = {p.name: p for p in event_columns(first)}
        else:
            partials = {p.name: p for rule in together for m in rule.measures for p in m.partials}
        groups.append(
            Group(
                identity,
                first.keys,
                first.where,
                first.window.width,
                starts.get(first.identity, NO_START),
                tuple(partials[name] for name in sorted(partials)),
                tuple(together),
            )
        )
    return tuple(groups)
