"""What a list of verdicts knows of one key, and how the store keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from tailrace.alerts.states import stored_value, typed_value
from tailrace.alerts.verdicts import Accusation, Act, ManualAct

if TYPE_CHECKING:
    from tailrace.plan.identity import Key, Scalar


@dataclass(slots=True)
class Case:
    """What is known of one key.

    ``since`` None: it isn't listed by rules now. ``last``: from when on no rule accuses;
    ``until``: when the listing ends if nothing comes. ``told``: when it was told of last, with
    ``told_last``; ``number``: of changes told since it was listed. ``reasons``: by
    rule how many firings. ``listings``: when it was listed last, as far as repeaters need it.
    ``waiting``: accusations that not all rules have come to. ``ended``: from when to when it was an
    offender and is no longer, as far as events may still be judged by that.
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
    ended: list[tuple[int, int]] = field(default_factory=list)

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

    def to_json(self, rule: str, key: Key) -> str:
        """Text from which ``from_json`` makes an equal case."""
        body: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        body["manual"] = None if self.manual is None else asdict(self.manual)
        body["measures"] = [[name, stored_value(value)] for name, value in self.measures.items()]
        body["waiting"] = [
            {
                **asdict(one),
                "key": None,
                "measures": [[n, stored_value(v)] for n, v in one.measures.items()],
            }
            for one in self.waiting
        ]
        document = {"rule": rule, "key": [stored_value(value) for value in key], "case": body}
        return json.dumps(document, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> tuple[Key, Case]:
        """The key and the case that ``to_json`` wrote."""
        document = json.loads(text)
        key = tuple(typed_value(value) for value in document["key"])
        body = document["case"]
        body["measures"] = {name: typed_value(value) for name, value in body["measures"]}
        body["waiting"] = [
            Accusation(
                **{**one, "key": key, "measures": {n: typed_value(v) for n, v in one["measures"]}}
            )
            for one in body["waiting"]
        ]
        manual = body["manual"]
        body["manual"] = manual and ManualAct(**{**manual, "act": Act(manual["act"])})
        body["ended"] = [(since, until) for since, until in body.get("ended", ())]
        return key, cls(**body)


_PLAIN = [one.name for one in fields(Case) if one.name not in ("manual", "measures", "waiting")]
