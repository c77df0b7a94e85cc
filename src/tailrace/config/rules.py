"""Rules: what makes an alert, and what is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainSerializer, PlainValidator

from tailrace.config.allow import Allow
from tailrace.config.base import Given, Model
from tailrace.config.classify import Classify
from tailrace.config.complaints import Complaint, expected, refusal
from tailrace.config.keys import RESERVED, By, KeyPart, key_parts
from tailrace.config.kinds import Kind
from tailrace.config.ordered import (
    ORDERED_KINDS,
    AbsentForOrSpan,
    FirstSeenOrSpan,
    Leaky,
    Sequence,
    grain_complaints,
    kind_complaints,
)
from tailrace.config.scalars import (
    Expression,
    FieldName,
    LabelText,
    MeasureName,
    PositiveSpan,
    RuleName,
    Span,
)
from tailrace.config.several import SeveralOrNone
from tailrace.config.units import Duration
from tailrace.config.values import shown
from tailrace.config.windows import WindowText

_TIMERS = ("for", "keep_firing_for", "cooldown", "update_every")
_ZERO = Duration(0)

_WINDOW = (
    "`SIZE`, or `SIZE every EVERY` for windows that overlap, in event time, aligned to 1970; or"
    " `SIZE sliding`: judged at each event, over the time before it."
)
_SELECT = "Measures by name: expressions over aggregates and key fields."

_By = Annotated[
    By | None,
    Field(
        description=(
            "The key: each of its values is counted apart. A field, an expression, a list of them,"
            " or a mapping from names to expressions. Without it all events are counted together."
        ),
        examples=["client_ip"],
    ),
]
_Where = Annotated[
    Expression | None,
    Field(
        description="A condition on each event; the rule sees those for which it is true.",
        examples=["status >= 500"],
    ),
]
_Grain = Annotated[
    PositiveSpan,
    Field(
        description=(
            "For rules that see events in order: how long events are gathered and put in order."
            " Lateness is judged in steps of it."
        ),
        examples=["100ms"],
    ),
]
_SECOND = Duration(1_000_000)
_ALLOW: Any = Field(  # a default of whatever type the field has
    default={},
    description="Events that the rule never sees, by field: values, networks, or a reference.",
    examples=[{"client_ip": ["10.0.0.0/8"]}],
)
_To = Annotated[SeveralOrNone, Field(description="The outputs, by name.", examples=["goal1"])]


class Alert(Model):
    """A condition that raises an alert while it holds."""

    kind: ClassVar[str] = "alert"
    elsewhere: ClassVar[Mapping[str, str]] = {
        "expr": "the condition is called 'when'",
        "having": "the condition is called 'when'",
        "condition": "the condition is called 'when'",
        "filter": "the condition on events is called 'where'",
        "group_by": "the key is called 'by'",
        "severity": "write labels: {severity: ...}",
        "summary": "write annotations: {summary: ...}",
        "description": "write annotations: {description: ...}",
    }

    name: RuleName = Field(
        validation_alias="alert",
        serialization_alias="alert",
        description="The alert's name, unique among the rules.",
        examples=["client_flood"],
    )
    by: _By = None
    window: WindowText | None = Field(
        default=None,
        description=f"{_WINDOW} Without it each event is judged by itself.",
        examples=["20s every 1s"],
    )
    leaky: Leaky | None = Field(
        default=None,
        description="In place of a window: it fires when a key's bucket of events overflows.",
    )
    first_seen: FirstSeenOrSpan | None = Field(
        default=None,
        description="In place of a window: it fires at an event of a key that is new.",
        examples=["30d"],
    )
    absent_for: AbsentForOrSpan | None = Field(
        default=None,
        description="In place of a window: it fires while a key has had no event for so long.",
        examples=["5m"],
    )
    sequence: Sequence | None = Field(
        default=None,
        description="In place of a window: it fires when events of a key come in this order.",
    )
    grain: _Grain = _SECOND
    where: _Where = None
    allow: Allow = _ALLOW
    when: Expression | None = Field(
        default=None,
        description=(
            "The condition: over aggregates and key fields of a window, or over the fields of an"
            " event. Required with a window, and without any of `leaky`, `first_seen`,"
            " `absent_for` and `sequence`."
        ),
        examples=["count(*) > 10"],
    )
    select: Mapping[MeasureName, Expression] = Field(
        default={},
        description=f"{_SELECT} What `when` uses is in the output in any case.",
        examples=[{"errors": "count(*) filter (where status >= 500)"}],
    )
    for_: Span = Field(
        default=_ZERO,
        validation_alias="for",
        serialization_alias="for",
        description="How long the condition must hold, window after window, to open an incident.",
        examples=["2m"],
    )
    keep_firing_for: Span = Field(
        default=_ZERO,
        description="How long after the last window that fires the incident stays open.",
        examples=["5m"],
    )
    cooldown: Span = Field(
        default=_ZERO,
        description="How long after an incident no new one of the same key opens.",
        examples=["10m"],
    )
    update_every: Span = Field(
        default=_ZERO,
        description="How often an open incident is told again with new measures; 0: never.",
        examples=["1h"],
    )
    labels: Mapping[FieldName, LabelText] = Field(
        default={},
        description=(
            "Texts that go with the alert. `{name}` stands for a key field, a measure, `rule`,"
            " `pipeline`, `start` or `end`; without a window for a field of the event. `{{` is a"
            " brace."
        ),
        examples=[{"severity": "page"}],
    )
    annotations: Mapping[FieldName, LabelText] = Field(
        default={},
        description="Texts for people; `{name}` stands for the same as in labels, or a label.",
        examples=[{"summary": "{client_ip} made {count} requests"}],
    )
    to: _To = ()

    @property
    def in_order(self) -> bool:
        """Whether it has one of the kinds that stand in place of a window."""
        return any(getattr(self, kind) is not None for kind in ORDERED_KINDS)

    @property
    def keys(self) -> tuple[KeyPart, ...]:
        """The parts of the key, in order, with their places in the file."""
        return key_parts(self.by)

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """What needs a window; names that the row already uses."""
        yield from kind_complaints(given)
        if all(given.get(kind) is None for kind in ("window", *ORDERED_KINDS)):
            for key in ("by", "select"):
                if given.get(key):
                    yield Complaint(
                        (key,),
                        f"'{key}' needs a window; without one each event is judged by itself",
                        "add for example window: 1m",
                        at_key=True,
                    )
            for key in _TIMERS:
                if key in given and given[key] not in (0, "0", "0s"):
                    yield Complaint(
                        (key,),
                        f"'{key}' needs a window; an alert on single events has no duration",
                        "add for example window: 1m",
                        at_key=True,
                    )
        yield from _names(given)


class Record(Model):
    """Measures of every window, as rows."""

    kind: ClassVar[str] = "record"
    elsewhere: ClassVar[Mapping[str, str]] = {
        "expr": "measures are in 'select'",
        "having": "the condition on windows is called 'when'",
        "filter": "the condition on events is called 'where'",
        "group_by": "the key is called 'by'",
        **{key: f"only alerts have '{key}'" for key in (*_TIMERS, "labels", "annotations")},
    }

    name: RuleName = Field(
        validation_alias="record",
        serialization_alias="record",
        description="The record's name, unique among the rules.",
        examples=["host_latency"],
    )
    by: _By = None
    window: WindowText = Field(description=_WINDOW, examples=["1m"])
    grain: _Grain = _SECOND
    where: _Where = None
    allow: Allow = _ALLOW
    when: Expression | None = Field(
        default=None,
        description="Only windows for which this holds become rows.",
        examples=["count(*) >= 20"],
    )
    select: Mapping[MeasureName, Expression] = Field(
        description=_SELECT, examples=[{"mean": "avg(request_time)"}]
    )
    to: _To = ()

    @property
    def keys(self) -> tuple[KeyPart, ...]:
        """The parts of the key, in order, with their places in the file."""
        return key_parts(self.by)

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Something is selected; names that the row already uses."""
        yield from grain_complaints(given, "window")
        if isinstance(given.get("select"), Mapping) and not given["select"]:
            yield Complaint(("select",), "nothing is selected", "for example mean: avg(bytes)")
        yield from _names(given)


def _names(given: Given) -> Iterator[Complaint]:
    taken: set[str] = set()
    for part in key_parts(given.get("by")):
        if part.name is None:
            continue
        if part.name in RESERVED:
            hint = f"give it a name of its own: by: {{my_{part.name}: {part.text}}}"
            yield Complaint(part.path, f"the name '{part.name}' is taken in every row", hint)
        elif part.name in taken:
            yield Complaint(part.path, f"'{part.name}' is twice in the key")
        taken.add(part.name)
    select = given.get("select")
    for name in select if isinstance(select, Mapping) else ():
        if name in RESERVED:
            yield Complaint(
                ("select", name), f"the name {shown(name)} is taken in every row", at_key=True
            )
        elif name in taken:
            yield Complaint(("select", name), f"{shown(name)} is a key field already", at_key=True)


AnyRule = Alert | Record | Classify
_KINDS: dict[str, type[AnyRule]] = {"alert": Alert, "record": Record, "classify": Classify}
_EXAMPLE = "begin the rule with '- alert: NAME', '- record: NAME' or '- classify: NAME'"


def _chosen(value: object) -> AnyRule:
    if isinstance(value, AnyRule):
        return value
    if not isinstance(value, Mapping):
        raise expected("a rule", value, _EXAMPLE)
    kinds = [kind for kind in _KINDS if kind in value]
    if not kinds:
        close = [guess for key in value for guess in get_close_matches(str(key), _KINDS, n=1)]
        hint = f"did you mean '{close[0]}'?" if close else _EXAMPLE
        raise refusal("the rule has neither 'alert' nor 'record' nor 'classify'", hint)
    if len(kinds) > 1:
        raise refusal(f"a rule is one of {', '.join(kinds)}, not all", "make two rules of it")
    return _KINDS[kinds[0]].model_validate(value, by_alias=True, by_name=False)


class _RuleSchema:
    def __get_pydantic_json_schema__(self, _: object, handler: object) -> dict[str, object]:
        schemas = [handler(m.__pydantic_core_schema__) for m in _KINDS.values()]  # type: ignore[operator]
        return {"oneOf": schemas}


Rule = Annotated[
    AnyRule,
    PlainValidator(_chosen),
    PlainSerializer(lambda rule: rule),
    _RuleSchema(),
    Kind("rule"),
]
"""An alert, a record or a classification, told apart by its first key."""
