"""Kinds of alerts that see a key's events one after another: leaky, first_seen and the others.

What they compute is in the semantics, "Ordered rules"; here is how they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint
from tailrace.config.kinds import Kind
from tailrace.config.scalars import (
    DURATION_SCHEMA,
    Count,
    Expression,
    FieldName,
    PositiveSpan,
    Span,
)
from tailrace.config.units import Duration

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

ORDERED_KINDS = ("leaky", "first_seen", "absent_for", "sequence")
"""The keys of an alert that stand in place of a window."""

MOST_STEPS = 8
"""The most steps of a sequence: what is kept of a key grows with their square."""


class Leaky(Model):
    """A bucket for each key, into which events are poured and which leaks one after another."""

    capacity: Count = Field(
        description="So many events are in the bucket at the most; one more makes it overflow.",
        examples=[5],
    )
    leak: PositiveSpan = Field(
        description="How long it takes until one event has leaked out.", examples=["10s"]
    )
    distinct: Expression | None = Field(
        default=None,
        description=(
            "Only events are poured whose value of this isn't in the bucket yet. Null is no value."
        ),
        examples=["path"],
    )
    blackhole: Span = Field(
        default=Duration(0),
        description="How long after the bucket overflowed its key's events aren't looked at.",
        examples=["5m"],
    )


class FirstSeen(Model):
    """A key that had no event for a long time, or never."""

    within: PositiveSpan = Field(
        description="A key is new if it had no event for so long.", examples=["30d"]
    )
    learn: Span | None = Field(
        default=None,
        description=(
            "How long nothing fires at first, as all keys are new then; `within` if not given."
        ),
        examples=["7d"],
    )


class AbsentFor(Model):
    """A key that had events, and has none any more."""

    after: PositiveSpan = Field(
        description="How long after its last event a key is absent.", examples=["5m"]
    )
    forget: PositiveSpan = Field(
        default=Duration("7d"),
        description="How long after its last event a key is forgotten, and the alert ends.",
        examples=["1d"],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """``forget`` is later than ``after``."""
        try:
            made = cls.model_construct(
                after=_span(given.get("after")), forget=_span(given.get("forget", "7d"))
            )
        except ValueError:
            return
        if made.forget <= made.after:
            message = "a key would be forgotten before it is absent"
            yield Complaint(("forget",), message, "forget: must be longer than after:")


class Sequence(Model):
    """Conditions that become true one after another."""

    steps: Annotated[Mapping[FieldName, Expression], Kind("conditions by name")] = Field(
        description="Conditions on events by name, in their order; two at least.",
        examples=[{"failed": "status = 401", "login": "status = 200"}],
    )
    within: PositiveSpan = Field(
        description="How long the last step is after the first at the most.", examples=["10m"]
    )
    cancel: Expression | None = Field(
        default=None,
        description="An event for which this is true lets the key begin anew.",
        examples=["event = 'logout'"],
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Two steps at least, and not too many."""
        steps = given.get("steps")
        if not isinstance(steps, Mapping):
            return
        if len(steps) < 2:
            hint = "an alert on single events needs 'when' alone"
            yield Complaint(("steps",), "a sequence has two steps at least", hint)
        if len(steps) > MOST_STEPS:
            yield Complaint(("steps",), f"a sequence has {MOST_STEPS} steps at the most")


def _span(value: object) -> Duration:
    return Duration(value if isinstance(value, str | int) else "")


def _short(name: str) -> BeforeValidator:
    """A duration alone is that one option."""
    return BeforeValidator(
        lambda given: given if isinstance(given, Mapping | Model) else {name: given}
    )


class _ShortSchema:
    """The JSON schema of a duration or the model."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: object) -> dict[str, object]:
        return {"anyOf": [DURATION_SCHEMA, handler(core)]}  # type: ignore[operator]


FirstSeenOrSpan = Annotated[
    FirstSeen, _short("within"), _ShortSchema(), Kind("duration or mapping")
]
"""``30d`` or ``{within: 30d, learn: 7d}``."""

AbsentForOrSpan = Annotated[AbsentFor, _short("after"), _ShortSchema(), Kind("duration or mapping")]
"""``5m`` or ``{after: 5m, forget: 7d}``."""


def kind_complaints(given: Given) -> Iterator[Complaint]:
    """What fits none of an alert's kinds: those of here, windows, and single events."""
    kinds = [kind for kind in ("window", *ORDERED_KINDS) if given.get(kind) is not None]
    for other in kinds[1:]:
        message = f"'{other}' beside '{kinds[0]}': an alert is of one kind"
        yield Complaint((other,), message, "make two rules of it", at_key=True)
    kind = kinds[0] if kinds else None
    if kind is not None and kind in ORDERED_KINDS:
        yield from _without_when(given, kind)
    elif given.get("when") is None:
        yield Complaint(
            (), "the key 'when' is missing", "for example when: count(*) > 10", at_key=True
        )
    yield from grain_complaints(given, kind)


def _without_when(given: Given, kind: str) -> Iterator[Complaint]:
    if given.get("when") is not None:
        message = f"'when' beside '{kind}', which says itself when it fires"
        yield Complaint(("when",), message, "'where' chooses events", at_key=True)
    if given.get("select"):
        message = f"'select' beside '{kind}', which has measures of its own"
        yield Complaint(("select",), message, at_key=True)
    if kind != "absent_for" and given.get("for") not in (None, 0, "0", "0s"):
        message = f"'for' beside '{kind}': it fires at an instant, nothing lasts"
        yield Complaint(("for",), message, at_key=True)


def grain_complaints(given: Given, kind: str | None) -> Iterator[Complaint]:
    """``grain`` is for rules that see events in order."""
    sliding = kind == "window" and "sliding" in str(given.get("window"))
    if given.get("grain") is not None and not sliding and kind not in ORDERED_KINDS:
        message = "'grain' is for rules that see events in order"
        yield Complaint(("grain",), message, "for example window: 1m sliding", at_key=True)
