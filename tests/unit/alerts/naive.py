"""Incidents as the semantics tell them: one key, one window end after another."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from tailrace.alerts.incidents import IncidentRule


class Told(NamedTuple):
    """A revision: reason, window end, since, opened, last, resolved, number."""

    reason: str
    end: int
    since: int
    opened_at: int
    last: int
    resolved_at: int | None
    revision: int


@dataclass
class _Open:
    since: int
    opened_at: int
    last: int
    revision: int = 0
    multiple: int = 1


def tell(rule: IncidentRule, fired: AbstractSet[int], final: int) -> list[Told]:  # noqa: C901 - told as the semantics tell it
    """All revisions of one key whose windows fired at ``fired``; the input ends at ``final``."""
    told: list[Told] = []
    incident: _Open | None = None
    pending: int | None = None
    cool_until: int | None = None

    def say(reason: str, resolved_at: int | None = None) -> None:
        assert incident is not None
        told.append(
            Told(
                reason,
                incident.last,
                incident.since,
                incident.opened_at,
                incident.last,
                resolved_at,
                incident.revision,
            )
        )
        incident.revision += 1

    def over(incident: _Open) -> int:
        return incident.last + rule.every + rule.keep_firing_for

    for end in range(min(fired, default=0), max(fired, default=0) + 1, rule.every):
        if end not in fired:
            pending = None
            continue
        if incident is not None and over(incident) < end:
            say("resolved", over(incident))
            cool_until = over(incident) + rule.cooldown
            incident = None
        if incident is not None:
            incident.last = end
            if rule.update_every:
                crossed = (end - incident.opened_at) // rule.update_every
                if crossed >= incident.multiple:
                    incident.multiple = crossed + 1
                    say("updated")
        elif cool_until is None or end >= cool_until:
            pending = end if pending is None else pending
            if end - pending >= rule.for_:
                incident = _Open(pending, end, end)
                pending = None
                say("opened")
    if incident is not None:
        if over(incident) <= final:
            say("resolved", over(incident))
        else:
            say("input_ended")
    return told
