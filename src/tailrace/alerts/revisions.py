"""How a revision of an incident is worded: its ids, its labels and annotations."""

from __future__ import annotations

from tailrace.alerts.incidents import FLAGS, IncidentRule, Reason, Revision, Status
from tailrace.alerts.states import Firing
from tailrace.plan.identity import Key, Scalar, Time, revision_id
from tailrace.plan.templates import parse


class Wording:
    """Makes revisions of one rule's incidents; its templates are parsed once."""

    def __init__(self, rule: IncidentRule) -> None:
        self._rule = rule
        self._labels = {name: parse(text) for name, text in rule.labels.items()}
        self._annotations = {name: parse(text) for name, text in rule.annotations.items()}

    def revision(
        self, key: Key, life: Firing, reason: Reason, at: int, resolved_at: int | None = None
    ) -> Revision:
        """The revision that ``life`` has come to, for ``reason``, at the instant ``at``."""
        rule = self._rule
        end = life.last
        start = rule.start(end, life.measures)
        fields = dict(zip(rule.key_names, key, strict=True))
        labels, annotations = self._texts(fields, life.measures, start, end)
        return Revision(
            id=revision_id(life.fingerprint, life.revision),
            fingerprint=life.fingerprint,
            revision=life.revision,
            state=Status.FIRING if resolved_at is None else Status.RESOLVED,
            reason=reason,
            pipeline=rule.pipeline,
            rule=rule.name,
            labels=labels,
            annotations=annotations,
            key=fields,
            measures=life.measures,
            start=start,
            end=end,
            started_at=life.since,
            opened_at=life.opened_at,
            last_firing_at=life.last,
            resolved_at=resolved_at,
            notices=life.notices,
            flags=tuple(name for bit, name in enumerate(FLAGS) if life.flags >> bit & 1),
            at=at,
        )

    def _texts(
        self, fields: dict[str, Scalar], measures: dict[str, Scalar], start: int, end: int
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Labels and annotations.

        A name means a key field, else a measure, else a label, else a word of every rule.
        """
        rule = self._rule
        words: dict[str, Scalar] = {
            "rule": rule.name,
            "pipeline": rule.pipeline,
            "start": Time(start),
            "end": Time(end),
        }
        known = {**words, **measures, **fields}
        labels = {name: text.fill(known) for name, text in self._labels.items()}
        known = {**words, **labels, **measures, **fields}
        return labels, {name: text.fill(known) for name, text in self._annotations.items()}
