"""What goes into the fold of incidents and what comes out: rules, firings, revisions.

The life of one (rule, key)::

    nothing ─► pending ─► firing ─► resolved (cooldown) ─► nothing

The meaning is written in the semantics, "Firings and incidents"; the fold itself is in ``fold``,
what it remembers between epochs in ``states``. All times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING

from tailrace.alerts.states import IncidentState
from tailrace.plan.identity import Key, Scalar, Time
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

FLAGS = ("keys_evicted", "distinct_saturated")
"""What the bits of ``Firings.flags`` mean, from bit 0."""


@dataclass(frozen=True, slots=True)
class IncidentRule:
    """What the fold needs to know of an alert over windows; durations in microseconds.

    ``identity`` is the hash of the rule's meaning, ``name`` what people call it; ``labels`` and
    ``annotations`` are templates. ``update_every`` 0 means no updates. ``start_from``: the measure
    that says where a window starts, if that is not ``size`` before its end.
    """

    identity: str
    name: str
    pipeline: str
    size: int
    every: int
    for_: int = 0
    keep_firing_for: int = 0
    cooldown: int = 0
    update_every: int = 0
    key_names: tuple[str, ...] = ()
    measure_names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    start_from: str | None = None

    def start(self, end: int, measures: Mapping[str, Scalar]) -> int:
        """The start of a window that ends at ``end``."""
        if self.start_from is None:
            return end - self.size
        start = measures[self.start_from]
        assert isinstance(start, Time)  # noqa: S101 - the plan names a measure of that type
        return int(start)


@dataclass(frozen=True, slots=True)
class Firings:
    """The firings of one rule among windows that closed together: parallel arrays, in any order.

    ``ends``: window ends, multiples of the rule's ``every``; ``keys``: dense key ids from 0; no
    (key, end) twice. ``lasts``: where a row is a run, it fires at each multiple of ``every`` from
    its end to this one, which is before the next row's end. ``open``: it goes on after that up to
    the next row of its key, which may be one without firings (whose ``lasts`` is before its end).
    ``flags``: bits of ``FLAGS``, or None for none set. ``key_values`` gives the typed key of an id;
    ``measures`` gives, for a row number of these arrays, the window's measures by name as plain
    typed values (no NumPy scalars), and is asked only for the few rows that a revision or a state
    shows.
    """

    ends: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_values: Callable[[int], Key]
    measures: Callable[[int], dict[str, Scalar]]
    flags: NDArray[np.int64] | None = None
    lasts: NDArray[np.int64] | None = None
    open: NDArray[np.bool_] | None = None


class Status(StrEnum):
    """Whether an incident is going on."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Reason(StrEnum):
    """Why there is a revision."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"
    INPUT_ENDED = "input_ended"
    RULE_REMOVED = "rule_removed"


@dataclass(frozen=True, slots=True)
class Revision:
    """One thing that happened to an incident, complete in itself.

    ``measures``, ``start``, ``end`` and ``flags`` are of the window that caused it; when nothing
    fires any more, of the last window that did. ``at`` is the instant of event time at which it
    happened. It has no wall-clock time: delivery adds that.
    """

    id: str
    fingerprint: str
    revision: int
    state: Status
    reason: Reason
    pipeline: str
    rule: str
    labels: dict[str, str]
    annotations: dict[str, str]
    key: dict[str, Scalar]
    measures: dict[str, Scalar]
    start: int
    end: int
    started_at: int
    opened_at: int
    last_firing_at: int
    resolved_at: int | None
    notices: tuple[str, ...]
    flags: tuple[str, ...]
    at: int
    references: Mapping[str, str] = field(default_factory=dict)
    """The versions of references that the rule looked things up in when it was told."""

    def to_json_dict(self, zone: tzinfo = UTC) -> dict[str, Json]:
        """The form in which outputs get it; times are ISO 8601 in ``zone``."""
        stamp: dict[str, Json] = {"references": dict(self.references)} if self.references else {}
        return {
            "id": self.id,
            "fingerprint": self.fingerprint,
            "revision": self.revision,
            "state": self.state.value,
            "reason": self.reason.value,
            "pipeline": self.pipeline,
            "rule": self.rule,
            "key": json_values(self.key, zone),
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "measures": json_values(self.measures, zone),
            "window": {"start": iso(self.start, zone), "end": iso(self.end, zone)},
            "started_at": iso(self.started_at, zone),
            "opened_at": iso(self.opened_at, zone),
            "last_firing_at": iso(self.last_firing_at, zone),
            "resolved_at": None if self.resolved_at is None else iso(self.resolved_at, zone),
            "notices": list(self.notices),
            "flags": list(self.flags),
            **stamp,
        }


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What one call of the fold gave.

    ``revisions``: by (``at``, key, revision), so that their order doesn't depend on how often the
    fold was called. ``changed``: states to store in place of those of the same ``place``.
    ``forgotten``: places of stored states to delete. ``unconfirmed``: ids of early notices whose
    window closed without an incident that names them (eviction can do that).
    """

    revisions: tuple[Revision, ...] = ()
    changed: tuple[IncidentState, ...] = ()
    forgotten: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()


def json_values(values: Mapping[str, Scalar], zone: tzinfo = UTC) -> dict[str, Json]:
    """Typed values as JSON has them: times become ISO 8601 text."""
    return {
        name: iso(value, zone) if isinstance(value, Time) else value
        for name, value in values.items()
    }
