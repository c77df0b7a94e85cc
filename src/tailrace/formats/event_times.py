"""Event times, and whether they are too far ahead of the records' arrival (SEMANTICS 7 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.checks import mark_bad, mark_missing
from tailrace.formats.codes import Code
from tailrace.formats.faults import Faults
from tailrace.formats.segments import Texts
from tailrace.formats.spec import TimeForm, TimeSpec
from tailrace.formats.time_columns import time_column
from tailrace.formats.times import SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray


def event_times(texts: Texts, spec: TimeSpec, faults: Faults) -> NDArray[np.int64]:
    """Microseconds UTC; 0 in rows that are out, those without a good time being marked."""
    typed = time_column(texts, spec.form, spec.zone, spec.year)
    mark_bad(typed, texts, faults, Code.BAD_TIME, spec.name)
    mark_missing(texts, faults, spec.name, None)
    times: NDArray[np.int64] = typed.column.fill_null(0).to_numpy()
    return times


def mark_future(
    times: NDArray[np.int64],
    known: NDArray[np.int64] | None,
    written: Texts | None,
    spec: TimeSpec,
    faults: Faults,
) -> None:
    """Mark events too far ahead of their arrival.

    The arrival is the ``written`` one; where that is missing, the one ``known`` to the source;
    without either the time is not checked.
    """
    arrival, checked = known, np.ones(len(times), np.bool_)
    if written is not None:
        typed = time_column(written, TimeForm.AUTO, spec.zone, None)
        mark_bad(typed, written, faults, Code.BAD_TIME, f"{spec.name}'s arrival")
        present = typed.column.is_valid().to_numpy(zero_copy_only=False)
        read = typed.column.fill_null(0).to_numpy()
        arrival = read if known is None else np.where(present, read, known)
        checked = present if known is None else checked
    if arrival is None:
        return
    ahead = times - arrival
    for row in np.flatnonzero(checked & (ahead > spec.max_future_skew)).tolist():
        seconds = f"{ahead[row] // SECOND}.{ahead[row] % SECOND:06}"
        reason = f"{spec.name}: {seconds} s after the record's arrival"
        faults.mark(row, Code.FUTURE_TIME, reason)
