"""Whether the steps of a case can follow each other: a partition's life, the clock, the end."""

from __future__ import annotations

from tailrace.errors import Problem
from tailrace.testing.case import (
    Appear,
    Case,
    Clock,
    End,
    Idle,
    Manual,
    Reload,
    Return,
    Rows,
    Step,
    TableRows,
)

_ABSENT, _LIVE, _IDLE = "appears only later", "is live", "is idle"
_LIFE: dict[type[Step], tuple[str, str]] = {
    Appear: (_ABSENT, _LIVE),
    Rows: (_LIVE, _LIVE),
    Idle: (_LIVE, _IDLE),
    Return: (_IDLE, _LIVE),
}
"""For each step about a partition: the state that it needs, and the one that it leaves."""


def check_order(case: Case) -> list[Problem]:
    """Find steps that can't happen where they stand, and a case that expects nothing."""
    problems = []
    if not case.expectations:
        message = f"the case {case.name!r} expects nothing"
        problems.append(Problem(message, case.where, "say at least: expect no alerts RULE"))
    states = {name: _ABSENT if name in case.appearing else _LIVE for name in case.partitions}
    ended = False
    for step in case.steps:
        wrong = "nothing happens after 'end'" if ended else _wrong(step, states)
        if wrong:
            problems.append(Problem(wrong, step.where))
        ended = ended or isinstance(step, End)
    return problems


def _wrong(step: Step, states: dict[str, str]) -> str | None:
    """What is wrong with a step, or None; follows the partition's state."""
    if isinstance(step, Clock):
        live = sorted(name for name, state in states.items() if state == _LIVE)
        return f"the clock counts only when all are idle, {live[0]} is live" if live else None
    if isinstance(step, Reload | TableRows | Manual | End):
        return None
    needed, left = _LIFE[type(step)]
    state = states.get(step.partition, _ABSENT)
    if state == needed:
        states[step.partition] = left
        return None
    hint = f": it needs 'return {step.partition}' first" if isinstance(step, Rows) else ""
    return f"{step.partition} {state} here" + (hint if state == _IDLE else "")
