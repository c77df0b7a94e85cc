"""Early notices: news of a window that is not closed yet but is sure to fire (SEMANTICS 19).

Whether a condition allows them is found from its expression, which key may have one is asked of
the fold; here is only what a notice says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo

from tailrace.alerts.incidents import IncidentRule, Json, json_values
from tailrace.plan.identity import Key, Scalar, Time, notice_id
from tailrace.plan.instants import iso
from tailrace.plan.templates import parse

STATE = "notice"


@dataclass(frozen=True, slots=True)
class Notice:
    """An early notice; it has no measures, for they aren't final. Times in microseconds."""

    id: str
    pipeline: str
    rule: str
    key: dict[str, Scalar]
    labels: dict[str, str]
    start: int
    end: int

    def to_json_dict(self, zone: tzinfo = UTC) -> dict[str, Json]:
        """The form in which outputs get it; times are ISO 8601 in ``zone``."""
        return {
            "id": self.id,
            "state": STATE,
            "pipeline": self.pipeline,
            "rule": self.rule,
            "key": json_values(self.key, zone),
            "labels": dict(self.labels),
            "window": {"start": iso(self.start, zone), "end": iso(self.end, zone)},
        }


def early_notice(rule: IncidentRule, key: Key, start: int) -> Notice:
    """The notice for the window of ``key`` that starts at ``start``.

    It has those labels that don't show measures, so that it finds the same people.
    """
    fields = dict(zip(rule.key_names, key, strict=True))
    end = start + rule.size
    words: dict[str, Scalar] = {
        "rule": rule.name,
        "pipeline": rule.pipeline,
        "start": Time(start),
        "end": Time(end),
    }
    templates = {name: parse(text) for name, text in rule.labels.items()}
    unknown = set(rule.measure_names) - set(fields)
    return Notice(
        id=notice_id(rule.identity, key, start),
        pipeline=rule.pipeline,
        rule=rule.name,
        key=fields,
        labels={
            name: template.fill({**words, **fields})
            for name, template in templates.items()
            if unknown.isdisjoint(template.names)
        },
        start=start,
        end=end,
    )
