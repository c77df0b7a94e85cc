"""Verdicts: which keys are listed as offenders, since when and until when, by event time.

The life of one key in one list::

    nothing ─► listed ─► (extended ...) ─► expired ─► nothing, or remembered for repeaters

Firings of the list's rules accuse: the first lists the key, each later one moves its end on. A
person may ban a key, allow it, and take either back; that wins over the rules. Here is what passes
in and out; the fold itself is in ``verdict_fold``. All times are microseconds since the epoch.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tailrace.alerts.incidents import Json, json_values
from tailrace.plan.identity import Key, Scalar, Time, digest
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FOREVER = 2**62
"""The end of a ban without one."""


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


@dataclass(frozen=True, slots=True)
class Accusation:
    """A firing of one rule: it holds from the instant ``start`` to ``last``, both inclusive.

    ``told``: it is a firing of its own; otherwise it continues one that was given before.
    ``rest``: so long after ``last`` the key is free of it: a microsecond of a run, which holds up
    to the instant of the change, none of a window, which is counted from its end.
    """

    rule: str
    key: Key
    start: int
    last: int
    told: bool = True
    rest: int = 0
    measures: Mapping[str, Scalar] = field(default_factory=dict)


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


@dataclass(slots=True)
class Case:
    """What is known of one key.

    ``since`` None: it isn't listed by rules now. ``last``: from when on no rule accuses;
    ``until``: when the listing ends if nothing comes. ``told``: when it was told of last, with
    ``told_last``; ``number``: of changes told since it was listed. ``reasons``: by
    rule how many firings. ``listings``: when it was listed, as far as repeaters need it.
    ``waiting``: accusations that not all rules have come to.
    """

    id: str = ""
    since: int | None = None
    last: int = 0
    until: int = 0
    duration: int = 0
    told: int = 0
    told_last: int = 0
    number: int = 0
    count: int = 0
    first_seen: int = 0
    last_seen: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    measures: dict[str, Scalar] = field(default_factory=dict)
    listings: list[int] = field(default_factory=list)
    waiting: list[Accusation] = field(default_factory=list)
    manual: ManualAct | None = None

    def live(self, at: int) -> bool:
        """Whether the key is an offender at an instant that the fold has come to."""
        manual = self.manual
        if manual is not None and manual.at <= at < manual.until:
            return manual.act is Act.BAN
        return self.since is not None and self.since <= at < self.until

    def to_json(self, rule: str, key: Key) -> str:
        """Text from which ``from_json`` makes an equal case."""
        body: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        body["manual"] = None if self.manual is None else asdict(self.manual)
        body["measures"] = [[name, _stored(value)] for name, value in self.measures.items()]
        body["waiting"] = [
            {
                **asdict(one),
                "key": None,
                "measures": [[n, _stored(v)] for n, v in one.measures.items()],
            }
            for one in self.waiting
        ]
        document = {"rule": rule, "key": [_stored(value) for value in key], "case": body}
        return json.dumps(document, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> tuple[Key, Case]:
        """The key and the case that ``to_json`` wrote."""
        document = json.loads(text)
        key = tuple(_value(value) for value in document["key"])
        body = document["case"]
        body["measures"] = {name: _value(value) for name, value in body["measures"]}
        body["waiting"] = [
            Accusation(
                **{**one, "key": key, "measures": {n: _value(v) for n, v in one["measures"]}}
            )
            for one in body["waiting"]
        ]
        manual = body["manual"]
        body["manual"] = manual and ManualAct(**{**manual, "act": Act(manual["act"])})
        return key, cls(**body)


_PLAIN = [one.name for one in fields(Case) if one.name not in ("manual", "measures", "waiting")]


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


def _stored(value: Scalar) -> Any:  # noqa: ANN401 - JSON of any form
    return {"time": int(value)} if isinstance(value, Time) else value


def _value(stored: Any) -> Scalar:  # noqa: ANN401 - JSON of any form
    if isinstance(stored, dict):
        return Time(stored["time"])
    value: Scalar = stored
    return value
