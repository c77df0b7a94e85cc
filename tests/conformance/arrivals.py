"""Arrivals of partitions in one turn with what they bring, as the Spark engine's planner has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailrace.engines.epoch import Decision
    from tailrace.engines.turns import Turn


def with_slices(turns: Iterable[Turn]) -> Iterator[Turn]:
    """The turns; decisions that stand alone go along with the next slices, if these follow."""
    held: tuple[Decision, ...] = ()
    alone: list[Turn] = []
    for turn in turns:
        if turn.before and not turn.chunks and not turn.after:
            held += turn.before
            alone.append(turn)
            continue
        if turn.chunks:
            yield replace(turn, before=held + turn.before)
        else:
            yield from alone
            yield turn
        held, alone = (), []
    yield from alone
