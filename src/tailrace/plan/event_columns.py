"""What is kept of each event for a rule that sees events in order, as columns of its group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailrace.expr.nodes import Type
from tailrace.plan.model import CHANGES, Partial, PartialKind
from tailrace.plan.ordered import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.plan.model import Rule

TIME = "time"
"""The column with the event's time, in microseconds."""


def there(name: str) -> str:
    """The column that says whether the column ``name`` has a value of the event: 1 or 0."""
    return f"there_{name}"


def event_columns(rule: Rule) -> Iterator[Partial]:
    """The columns beside key, pane and ``n``.

    The time, the place if order matters among events of equal time, the kind's own columns (those
    of keys stand in rows of their own, whose ``n`` is 0), and of every partial of the measures what
    this one event adds to it.
    """
    ordered = rule.ordered
    yield value_column(TIME, Type.INTEGER)
    if rule.placed:
        yield from (value_column(name, type_) for name, type_ in PLACE)
    if ordered is not None:
        for name, type_ in (*ordered.of_event, *ordered.of_key):
            yield value_column(name, type_)
    for partial in {p.name: p for m in rule.measures for p in m.partials}.values():
        if itemised(rule, partial):
            yield replace(partial, kind=PartialKind.VALUE, type=Type.INTEGER)
            yield value_column(there(partial.name), Type.INTEGER)
        else:
            yield partial


def itemised(rule: Rule, partial: Partial) -> bool:
    """Whether an event's row has the value itself, as an integer, and not what is made of it.

    Over windows those of sided partials have tables of their own.
    """
    return partial.term == CHANGES or (partial.kind.sided and rule.ordered is not None)


def value_column(name: str, type_: Type) -> Partial:
    """A column of values that stand for themselves."""
    return Partial(name, PartialKind.VALUE, None, None, type=type_)
