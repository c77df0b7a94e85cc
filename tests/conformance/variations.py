"""Ways to run a case that must not change what comes of it: how it is fed, and how rows are dealt.

Feeding is the engine's part (`Variation`); shuffling and spreading change the case itself.
"""

import random
from dataclasses import replace
from itertools import groupby

from tailrace.testing.case import Case, Row, Rows, Step
from tailrace.testing.layout import config_of
from tailrace.testing.outcome import Variation

PIECES = (
    Variation("each record alone", records=1),
    Variation("cut at random", records=0, seed=1),
    Variation("cut at random again", records=0, seed=2),
)
"""How an engine is fed, other than everything at once."""

SEEDS = (1, 2, 3)


def shuffled(case: Case, seed: int) -> Case:
    """Let neighbouring rows of a partition swap places wherever none of them becomes late."""
    grace = int(config_of(case).time.grace)
    draw = random.Random(f"{seed} {case.name}")
    steps: list[Step] = []
    greatest: dict[str, int] = {}
    for step in case.steps:
        if isinstance(step, Rows):
            rows = list(step.rows)
            for _ in range(3):
                _swap(rows, greatest.get(step.partition), grace, draw)
            for time in (row.time for row in rows if row.time is not None):
                greatest[step.partition] = max(time, greatest.get(step.partition, time))
            steps.append(replace(step, rows=tuple(rows)))
        else:
            steps.append(step)
    return replace(case, steps=tuple(steps))


def _swap(rows: list[Row], before: int | None, grace: int, draw: random.Random) -> None:
    greatest = before
    for i in range(len(rows) - 1):
        one, other = rows[i], rows[i + 1]
        if one.time is not None and other.time is not None and draw.random() < 0.5:
            horizon = other.time if greatest is None else max(greatest, other.time)
            if one.time >= horizon - grace:
                rows[i], rows[i + 1] = other, one
        here = rows[i].time
        if here is not None:
            greatest = here if greatest is None else max(greatest, here)


def spread(case: Case, seed: int) -> Case:
    """Deal the rows of each partition out to three, each keeping its order."""
    draw = random.Random(f"{seed} {case.name}")
    steps: list[Step] = []
    for step in case.steps:
        if not isinstance(step, Rows):
            steps.append(step)
            continue
        dealt = [(f"{step.partition}.{draw.randrange(3)}", row) for row in step.rows]
        steps.extend(
            Rows(step.where, name, tuple(row for _, row in together))
            for name, together in groupby(dealt, key=lambda each: each[0])
        )
    return replace(case, steps=tuple(steps))
