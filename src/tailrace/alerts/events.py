"""Per-event alerts: what a rule without a window says of an event. They have no incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EventAlert:
    """What alerts of a per-event rule need to know of it; labels and annotations are templates.

    Names in templates: the event's fields, the labels, ``rule``, ``pipeline`` and ``time``.
    """

    identity: str
    name: str
    pipeline: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
