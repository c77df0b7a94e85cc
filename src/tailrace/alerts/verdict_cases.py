"""What a list of verdicts knows of one key, and how the store keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from tailrace.alerts.states import stored_value, typed_value
from tailrace.alerts.verdicts import FOREVER, Accusation, Act, ManualAct

if TYPE_CHECKING:
    from tailrace.plan.identity import Key, Scalar


@dataclass(slots=True)
class Case:
    """What is known of one key.

    ``since`` None: it isn't listed by rules now. ``last``: from when on no rule accuses;
    ``until``: when the listing ends if nothing comes. ``told``: when it was told of last, with
    ``told_last``; ``number``: of changes told since it was listed. ``reasons``: by
    rule how many firings. ``listings``: when it was listed last, as far as repeaters need it.
    ``waiting``: accusations that not all rules have come to. ``open``: those that go on, by rule
    and run; what they have said up to their ``start`` is in the rest, and more only where something
    happens. ``ended``: from when to when it was an offender and is no longer, as far as events may
    still be judged by that.
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
    open: dict[tuple[str, Key], Accusation] = field(default_factory=dict)
    manual: ManualAct | None = None
    ended: list[tuple[int, int]] = field(default_factory=list)

    @property
    def free(self) -> bool:
        """Whether no accusation is left to be looked at."""
        return not self.waiting and not self.open

    def times(self) -> list[tuple[int, int]]:
        """The times for which the key is an offender, as far as the fold has come.

        While a person's word holds, rules have no say.
        """
        own = [] if self.since is None else [(self.since, self.until)]
        manual = self.manual
        if manual is None:
            return own
        parts = [(since, min(until, manual.at)) for since, until in own]
        parts += [(max(since, manual.until), until) for since, until in own]
        found = [(since, until) for since, until in parts if since < until]
        return [*found, (manual.at, manual.until)] if manual.act is Act.BAN else found

    def accuse(self, one: Accusation) -> None:
        """Take up what a rule says; how far all rules have come is for others to know."""
        if one.run is not None:
            self.end(one.rule, one.run, one.start - 1)
            if one.last == FOREVER:
                self.open[one.rule, one.run] = one
                return
        if one.last >= one.start:
            self.waiting.append(one)

    def end(self, rule: str, run: Key, last: int) -> None:
        """A run that went on, if there is one, did so up to ``last``."""
        before = self.open.pop((rule, run), None)
        if before is not None and before.start <= last:
            self.waiting.append(replace(before, last=last))

    def said(self, until: int) -> list[Accusation]:
        """What runs that go on say up to an instant; they are left with the rest."""
        found = []
        for run, one in self.open.items():
            if one.start <= until:
                found.append(replace(one, last=until))
                self.open[run] = one.going_on(until + 1)
        return found

    def to_json(self, rule: str, key: Key) -> str:
        """Text from which ``from_json`` makes an equal case."""
        body: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        body["manual"] = None if self.manual is None else asdict(self.manual)
        body["measures"] = [[name, stored_value(value)] for name, value in self.measures.items()]
        body["waiting"] = [_stored(one) for one in (*self.waiting, *self.open.values())]
        document = {"rule": rule, "key": [stored_value(value) for value in key], "case": body}
        return json.dumps(document, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> tuple[Key, Case]:
        """The key and the case that ``to_json`` wrote."""
        document = json.loads(text)
        key = tuple(typed_value(value) for value in document["key"])
        body = document["case"]
        body["measures"] = {name: typed_value(value) for name, value in body["measures"]}
        waiting = [_accusation(key, one) for one in body["waiting"]]
        body["waiting"] = [one for one in waiting if one.last != FOREVER]
        body["open"] = {(o.rule, o.run): o for o in waiting if o.last == FOREVER}
        manual = body["manual"]
        body["manual"] = manual and ManualAct(**{**manual, "act": Act(manual["act"])})
        body["ended"] = [(since, until) for since, until in body.get("ended", ())]
        return key, cls(**body)


def _stored(one: Accusation) -> dict[str, Any]:
    # Not ``asdict``: that would copy the key.
    return {
        **{name: getattr(one, name) for name in _PLAIN_OF_ONE},
        "measures": [[name, stored_value(value)] for name, value in one.measures.items()],
        "run": None if one.run is None else [stored_value(value) for value in one.run],
    }


def _accusation(key: Key, stored: dict[str, Any]) -> Accusation:
    measures = {name: typed_value(value) for name, value in stored["measures"]}
    run = stored.get("run")
    run = None if run is None else tuple(typed_value(value) for value in run)
    return Accusation(**{**stored, "key": key, "measures": measures, "run": run})


_PLAIN = [
    one.name for one in fields(Case) if one.name not in ("manual", "measures", "waiting", "open")
]
_PLAIN_OF_ONE = [
    one.name for one in fields(Accusation) if one.name not in ("key", "measures", "run")
]
