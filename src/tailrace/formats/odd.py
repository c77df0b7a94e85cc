"""Records that can't be read as events all the same, for pipelines with ``on_error: classify``.

Such an event has null in each field that could not be read, and the code of the first fault. Its
time is its own if that could be read, else its arrival, else left to whoever knows the partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.config.event import ERROR, RAW
from tailrace.expr.nodes import Type
from tailrace.formats.codes import Code
from tailrace.formats.records import UNKNOWN_ARRIVAL, UNTIMED, DeadLetters, Decoded
from tailrace.formats.segments import Texts, strings_at
from tailrace.formats.spec import FieldSpec, TimeForm, TimeSpec
from tailrace.formats.time_columns import time_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailrace.formats.faults import Faults
    from tailrace.formats.frame import Frame

FIELDS = (FieldSpec(RAW, Type.TEXT, None), FieldSpec(ERROR, Type.TEXT, None))
"""What the events of such a pipeline have beside their declared fields: the record as text, bytes
that are not UTF-8 as Python shows them, and why it could not be read.
"""

_NOT_TEXT = (Code.INVALID_UTF8, Code.TOO_LONG)


def kept(
    frame: Frame,
    faults: Faults,
    columns: Sequence[pa.Array],
    times: NDArray[np.int64],
    arrival: NDArray[np.int64],
    schema: pa.Schema,
) -> Decoded:
    """All records but blank ones as events.

    ``columns``: those of the declared fields, a row for each record; ``arrival`` as ``arrivals``
    gives it; ``schema``: with the columns of ``FIELDS`` at its end.
    """
    dead = faults.dead_letters()
    odd = np.array(dead.rows, np.intp)
    alive = ~faults.out
    alive[odd] = True
    untimed = [row for row, field in zip(dead.rows, dead.fields, strict=True) if field is None]
    times = times.copy()
    times[untimed] = arrival[untimed]
    codes = np.full(len(frame), None, object)
    codes[odd] = dead.codes
    texts = [row for row, code in zip(dead.rows, dead.codes, strict=True) if code in _NOT_TEXT]
    whole = [*columns, _raw(frame, alive, texts), pa.array(codes, pa.string())]
    rows = np.flatnonzero(alive).astype(np.int32)
    if len(rows) < len(frame):
        mask = pa.array(alive)
        whole = [column.filter(mask) for column in whole]
        times = times[rows]
    return Decoded(
        pa.Table.from_arrays(whole, schema=schema), times, rows, DeadLetters(), faults.blank
    )


def arrivals(
    known: NDArray[np.int64] | None, written: Texts | None, spec: TimeSpec, length: int
) -> NDArray[np.int64]:
    """When each record arrived: as it says itself, or as the source knows.

    ``UNTIMED`` where nothing tells; a message without a timestamp arrived in 1970.
    """
    found = np.full(length, UNTIMED, np.int64)
    if known is not None:
        found = np.where(known >= UNKNOWN_ARRIVAL, 0, known)
    if written is not None:
        column = time_column(written, TimeForm.AUTO, spec.zone, None).column
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        found = np.where(valid, column.fill_null(0).to_numpy(), found)
    return found


def _raw(frame: Frame, alive: NDArray[np.bool_], broken: Sequence[int]) -> pa.StringArray:
    """The records as texts; the ``broken`` ones may have bytes that are none."""
    sound = alive.copy()
    sound[list(broken)] = False
    starts, ends = frame.starts.astype(np.int32), frame.ends.astype(np.int32)
    texts = strings_at(frame.buffer, starts, ends, sound)
    if not broken:
        return texts
    marked = np.zeros(len(frame), np.bool_)
    marked[list(broken)] = True
    shown = [frame.content(row).decode("utf-8", "backslashreplace") for row in broken]
    return pc.replace_with_mask(texts, pa.array(marked), pa.array(shown, pa.string()))
