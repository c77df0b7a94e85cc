"""Which of many events were of a key that a list had at the time, for all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.kernel.key_codes import MISSING, KeyCodes
from tailrace.plan.identity import Time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailrace.alerts.verdict_fold import VerdictFold
    from tailrace.plan.identity import Key, Scalar


def listed(
    fold: VerdictFold, fields: Sequence[pa.ChunkedArray], at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each event's key was an offender at an instant.

    ``fields``: the events' columns that make the key. Instants lie after the horizon of the call
    before the last one.
    """
    found = np.zeros(len(at), np.bool_)
    known = fold.known
    if not known or not len(at):
        return found
    values = [
        _array(column, field.type)
        for column, field in zip(zip(*known, strict=True), fields, strict=True)
    ]
    # Most events are of nobody who was ever listed.
    suspects = np.flatnonzero(pc.is_in(fields[0], value_set=values[0]).to_numpy())
    chosen = [_plain(field.take(pa.array(suspects))) for field in fields]
    codes = KeyCodes(values, len(known))
    numbers = codes.find(chosen, len(suspects))
    rows = suspects[numbers != MISSING]
    if len(rows):
        own = np.full(len(known), MISSING)
        own[codes.of_rows] = np.arange(len(known))
        found[rows] = _within(fold, known, own[numbers[numbers != MISSING]], at[rows])
    return found


def _within(
    fold: VerdictFold, known: Sequence[Key], numbers: NDArray[np.int64], at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each instant lies within a time of the key with the number beside it.

    So many times of the key have begun by then, so many are over: one goes on if these are fewer.
    """
    present = np.unique(numbers).tolist()
    times = [(number, *time) for number in present for time in fold.times(known[number])]
    owner, begins, ends = np.array(times, np.int64).reshape(-1, 3).T
    edges = np.unique(np.concatenate([begins, ends]))

    def placed(who: NDArray[np.int64], when: NDArray[np.int64]) -> NDArray[np.int64]:
        return who * (len(edges) + 1) + np.searchsorted(edges, when, side="right")

    instants = placed(numbers, at)
    begun = np.searchsorted(np.sort(placed(owner, begins)), instants, side="right")
    over = np.searchsorted(np.sort(placed(owner, ends)), instants, side="right")
    within: NDArray[np.bool_] = begun > over
    return within


def _array(values: Sequence[Scalar], kind: pa.DataType) -> pa.Array:
    """One field of keys, as the events have it."""
    plain = [int(value) if isinstance(value, Time) else value for value in values]
    if pa.types.is_timestamp(kind):
        return pa.array(plain, pa.int64()).cast(kind)
    return pa.array(plain, kind)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
