"""From the keys ``leaky``, ``first_seen``, ``absent_for`` and ``sequence`` to what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.expr.nodes import Type
from tailrace.plan import ordered as planned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.config import Alert
    from tailrace.config.ordered import Leaky, Sequence
    from tailrace.expr.nodes import Node
    from tailrace.plan.problems import Path, Problems

    Parse = Callable[[Path, str], Node | None]

_COUNTED = frozenset({Type.TEXT, Type.INTEGER, Type.BOOLEAN, Type.TIME, Type.DOUBLE})


def compile_ordered(
    rule: Alert, path: Path, value: Parse, condition: Parse, problems: Problems
) -> planned.Ordered | None:
    """What an alert of one of these kinds is; None if it is wrong, its problems being noted.

    ``value`` and ``condition`` parse expressions on events.
    """
    if rule.leaky is not None:
        return _leaky(rule.leaky, (*path, "leaky"), value, problems)
    if rule.first_seen is not None:
        within, learn = rule.first_seen.within, rule.first_seen.learn
        return planned.FirstSeen(int(within), int(within if learn is None else learn))
    if rule.absent_for is not None:
        return planned.AbsentFor(int(rule.absent_for.after), int(rule.absent_for.forget))
    assert rule.sequence is not None  # noqa: S101 - the model has exactly one of them
    return _sequence(rule.sequence, (*path, "sequence"), condition)


def _leaky(leaky: Leaky, path: Path, value: Parse, problems: Problems) -> planned.Leaky | None:
    distinct: Node | None = None
    if leaky.distinct is not None:
        distinct = value((*path, "distinct"), leaky.distinct)
        if distinct is None:
            return None
        if distinct.type not in _COUNTED:
            problems.add((*path, "distinct"), f"values of {distinct.type} can't be told apart")
            return None
    return planned.Leaky(leaky.capacity, int(leaky.leak), distinct, int(leaky.blackhole))


def _sequence(sequence: Sequence, path: Path, condition: Parse) -> planned.Sequence | None:
    steps = [
        (name, condition((*path, "steps", name), text)) for name, text in sequence.steps.items()
    ]
    cancel = None
    if sequence.cancel is not None:
        cancel = condition((*path, "cancel"), sequence.cancel)
        if cancel is None:
            return None
    typed = tuple((name, node) for name, node in steps if node is not None)
    if len(typed) < len(steps):
        return None
    return planned.Sequence(typed, int(sequence.within), cancel)
