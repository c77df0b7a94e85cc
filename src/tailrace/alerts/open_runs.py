"""Runs of firings that are told once and go on: which keys have one, and when it must be looked at.

A run that goes on is followed only where it changes something: where an incident opens or is
updated, or a cooldown ends. Until then the key's life stays as it was when it was last looked at,
and its ``last`` is behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailrace.alerts.incidents import Firings
from tailrace.alerts.states import Cooldown, Firing, Life, Pending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailrace.alerts.tracks import Track
    from tailrace.plan.identity import Scalar


class OpenRun(NamedTuple):
    """What is shown of each of the run's firings."""

    measures: Mapping[str, Scalar]
    flags: int


def open_rows(
    keys: NDArray[np.int64], ends: NDArray[np.int64], is_open: NDArray[np.bool_]
) -> dict[int, int]:
    """For each key whose last row is of a run that goes on, the number of that row."""
    order = np.lexsort((ends, keys))
    last: NDArray[np.int64] = order[np.r_[keys[order][1:] != keys[order][:-1], True][: len(keys)]]
    last = last[is_open[last]]
    return dict(zip(keys[last].tolist(), last.tolist(), strict=True))


def first_rows(keys: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each key's first row."""
    order = np.lexsort((ends, keys))
    found: NDArray[np.int64] = order[np.r_[True, keys[order][1:] != keys[order][:-1]][: len(keys)]]
    return found


def caught_up(life: Life | None, known: int | None) -> Life | None:
    """The life of a key whose run has gone on up to ``known``."""
    if known is not None and isinstance(life, Firing | Pending) and life.last < known:
        return life._replace(last=known)
    return life


def next_change(life: Life, for_: int) -> int | None:
    """When a run that goes on next changes more than how long it has been going on."""
    match life:
        case Pending(since, _):
            return since + for_
        case Firing():
            return life.update_due
        case Cooldown(until):
            return until
        case _:
            return None


def rest_of(
    tracks: Sequence[Track], runs: Mapping[Track, OpenRun], first: int, last: int
) -> Firings:
    """The runs of some keys from one instant to another; a key's number is its place."""
    shown = [runs[track] for track in tracks]
    return Firings(
        ends=np.full(len(tracks), first),
        keys=np.arange(len(tracks)),
        key_values=lambda number: tracks[number].key,
        measures=lambda row: dict(shown[row].measures),
        flags=np.array([one.flags for one in shown], np.int64),
        lasts=np.full(len(tracks), last),
    )
