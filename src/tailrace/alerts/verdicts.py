"""Verdicts: which keys are listed as offenders, since when and until when, by event time.

The life of one key in one list::

    nothing ─► listed ─► (extended ...) ─► expired ─► nothing, or remembered for repeaters

Firings of the list's rules accuse: the first lists the key, each later one moves its end on. A
person may ban a key, allow it, and take either back; that wins over the rules. Here is what passes
in and out; the fold itself is in ``verdict_fold``. All times are microseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING

from tailrace.alerts.incidents import Json, json_values
from tailrace.plan.identity import Key, Scalar, digest
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FOREVER = 2**62
"""The end of a ban without one, and of a run that goes on."""


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """What the fold needs to know of a list; durations in microseconds.

    ``rules``: the names of the accusing rules. A listing lasts ``for_`` after the last firing, or
    without ``refresh`` after the first. The n-th listing within ``within`` lasts ``factor`` to the
    power of n - 1 times as long, at most ``most``. While firings go on, a change is told once in
    ``tell_every``.
    """

    identity: str
    name: str
    pipeline: str
    key_names: tuple[str, ...]
    rules: tuple[str, ...]
    for_: int
    refresh: bool = True
    factor: int = 1
    most: int | None = None
    within: int = 0
    tell_every: int = 0
    steps: int = field(init=False, repr=False, compare=False)
    """The number of a listing beyond which none lasts longer."""

    def __post_init__(self) -> None:
        """Work out ``steps``, which every listing asks for."""
        longest = FOREVER if self.most is None else self.most
        lasts, steps = self.for_, 1
        while self.factor > 1 and lasts < longest:
            lasts, steps = lasts * self.factor, steps + 1
        object.__setattr__(self, "steps", steps)


@dataclass(frozen=True, slots=True)
class Accusation:
    """A firing of one rule: it holds from the instant ``start`` to ``last``, both inclusive.

    ``told``: it is a firing of its own; otherwise it continues one that was given before.
    ``rest``: so long after ``last`` the key is free of it: a microsecond of a run, which holds up
    to the instant of the change, none of a window, which is counted from its end.
    ``run``: the rule's whole key, of a rule whose runs are told once and go on. One whose ``last``
    is ``FOREVER`` does, until more is told of its run: that ends it the instant before (and says
    no more if its own ``last`` is before its ``start``).
    """

    rule: str
    key: Key
    start: int
    last: int
    told: bool = True
    rest: int = 0
    measures: Mapping[str, Scalar] = field(default_factory=dict)
    run: Key | None = None

    def going_on(self, start: int) -> Accusation:
        """The rest of it, from ``start`` on."""
        return replace(self, start=start, told=False)


@dataclass(frozen=True, slots=True)
class Series:
    """Firings of one rule for one key at ascending instants, of windows; not empty.

    ``measures`` gives those of the firing at a place among ``ends``.
    """

    rule: str
    key: Key
    ends: Sequence[int]
    measures: Callable[[int], Mapping[str, Scalar]]

    def single(self, place: int) -> Accusation:
        """One of the firings."""
        end = self.ends[place]
        return Accusation(self.rule, self.key, end, end, measures=self.measures(place))


class Act(StrEnum):
    """What a person does with a key of a list."""

    BAN = "ban"
    ALLOW = "allow"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class ManualAct:
    """A person's act: from ``at`` to ``until`` (``FOREVER`` for no end), and why."""

    act: Act
    at: int
    until: int
    comment: str = ""


class Standing(StrEnum):
    """What a change leaves the key as."""

    LISTED = "listed"
    EXTENDED = "extended"
    EXPIRED = "expired"
    BANNED = "banned"
    ALLOWED = "allowed"
    LIFTED = "lifted"

    @property
    def live(self) -> bool:
        """Whether the key is an offender."""
        return self in (Standing.LISTED, Standing.EXTENDED, Standing.BANNED)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a key of a list, complete in itself.

    ``at``: the instant of event time at which it happened; ``until`` None: without end. ``id``
    names list and key, so that whoever keeps rows by id has one a key; ``number`` counts the
    changes of one listing. ``measures`` are those of the last firing.
    """

    list: str
    pipeline: str
    id: str
    key: dict[str, Scalar]
    state: Standing
    number: int
    at: int
    since: int
    until: int | None
    reasons: dict[str, int]
    count: int
    first_seen: int | None
    last_seen: int | None
    listings: int
    measures: dict[str, Scalar]
    comment: str

    def to_json_dict(self, zone: tzinfo = UTC) -> dict[str, Json]:
        """The form in which outputs get it; times are ISO 8601 in ``zone``."""

        def instant(value: int | None) -> str | None:
            return None if value is None else iso(value, zone)

        return {
            "id": self.id,
            "verdict": self.list,
            "pipeline": self.pipeline,
            "state": self.state.value,
            "live": self.state.live,
            "key": json_values(self.key, zone),
            "at": iso(self.at, zone),
            "since": iso(self.since, zone),
            "until": instant(self.until),
            "reasons": dict(self.reasons),
            "count": self.count,
            "first_seen": instant(self.first_seen),
            "last_seen": instant(self.last_seen),
            "listings": self.listings,
            "measures": json_values(self.measures, zone),
            "comment": self.comment,
            "number": self.number,
        }


def change_id(rule: VerdictRule, key: Key) -> str:
    """The id of a key in a list."""
    return digest("verdict", rule.pipeline, rule.name, *key)


def place_of(rule: VerdictRule, key: Key) -> str:
    """Under what the store keeps a case."""
    return digest("verdict", rule.identity, *key)
