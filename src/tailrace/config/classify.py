"""Rules that give each event a label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint
from tailrace.config.scalars import Expression, FieldName, RuleName
from tailrace.config.several import Several, SeveralOrNone
from tailrace.config.suggestions import suggestion
from tailrace.config.values import shown

REASONS = "_reasons"
"""Behind the rule's name: the field with the codes."""


class Classify(Model):
    """A label for each event: the first one that has a condition that holds.

    Two fields are added to the event, both text: one of the rule's name with the label, and
    `NAME_reasons` with the codes of all conditions that hold, of whatever label, in the file's
    order and joined by commas; null where none holds. Rules that follow, and the archive, have
    these fields. A condition that fails or is null doesn't hold.
    """

    kind: ClassVar[str] = "classify"
    elsewhere: ClassVar[Mapping[str, str]] = {
        "by": "each event is classified by itself; count labels in a rule below",
        "window": "each event is classified by itself; count labels in a rule below",
        "when": "conditions stand below their label: labels: {bad: {no_id: id is null}}",
        "where": "write it into the conditions",
        "default": "the label of all others is 'else'",
    }

    name: FieldName = Field(
        validation_alias="classify",
        serialization_alias="classify",
        description="The field with the label; also the rule's name, unique among the rules.",
        examples=["status"],
    )
    labels: Mapping[RuleName, Mapping[FieldName, Expression]] = Field(
        description=(
            "The labels in order; for each of them conditions on the event, by the code that says"
            " in the reasons that it held."
        ),
        examples=[{"bad": {"no_id": "id is null"}}],
    )
    else_: RuleName = Field(
        validation_alias="else",
        serialization_alias="else",
        description="The label of events for which no condition holds.",
        examples=["good"],
    )
    to: SeveralOrNone = Field(
        default=(),
        description="The outputs of all events, with all their fields.",
        examples=["all"],
    )
    to_label: Mapping[RuleName, Several] = Field(
        default={},
        description="Outputs of the events of one label, by label.",
        examples=[{"bad": ["bad_logs"]}],
    )

    @property
    def reasons(self) -> str:
        """The name of the field with the codes."""
        return self.name + REASONS

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs that get some of the events, each once."""
        named = (*self.to, *(name for to in self.to_label.values() for name in to))
        return tuple(dict.fromkeys(named))

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Labels with conditions, codes that tell them apart, outputs of labels that there are."""
        labels = given.get("labels")
        if not isinstance(labels, Mapping):
            return
        if not labels:
            yield Complaint(("labels",), "there is no label", "labels: {bad: {no_id: id is null}}")
        yield from _codes(labels)
        if given.get("else") in labels:
            message = f"{shown(str(given['else']))} has conditions already"
            yield Complaint(("else",), message, "name another label for all others")
        known = [*(str(label) for label in labels), *([given["else"]] if "else" in given else ())]
        to_label = given.get("to_label")
        for label in to_label if isinstance(to_label, Mapping) else ():
            if label not in known:
                hint = suggestion(str(label), known, "labels")
                message = f"there is no label {shown(str(label))}"
                yield Complaint(("to_label", str(label)), message, hint, at_key=True)
        yield from _twice(given)


def _codes(labels: Given) -> Iterator[Complaint]:
    """Labels without conditions, and codes of two labels."""
    codes: dict[str, str] = {}
    for label, conditions in labels.items():
        if not isinstance(conditions, Mapping):
            continue
        if not conditions:
            message = f"the label {shown(str(label))} has no condition"
            yield Complaint(("labels", str(label)), message)
        for code in conditions:
            if codes.setdefault(code, label) != label:
                message = f"the code {shown(str(code))} stands below {shown(codes[code])}, too"
                hint = "reasons name codes without their labels"
                yield Complaint(("labels", str(label), code), message, hint, at_key=True)


def _twice(given: Given) -> Iterator[Complaint]:
    """An output that would get an event twice."""
    every = given.get("to")
    every = [every] if isinstance(every, str) else every if isinstance(every, list | tuple) else ()
    to_label = given.get("to_label")
    for label, to in to_label.items() if isinstance(to_label, Mapping) else ():
        for name in [to] if isinstance(to, str) else to if isinstance(to, list | tuple) else ():
            if name in every:
                message = f"the output {shown(str(name))} gets all events already ('to')"
                yield Complaint(("to_label", str(label)), message)
