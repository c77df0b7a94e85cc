"""What is asked of every record before its format is: whether it is blank, whether it is UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.formats.codes import Code
from tailrace.formats.faults import Faults, shown
from tailrace.formats.frame import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLANKS = b" \t\r\n"


def mark_blank(frame: Frame, faults: Faults) -> None:
    """Count the live records that hold nothing but blanks, tabs and line ends."""
    empty = (frame.ends == frame.starts) & ~faults.out
    faults.mark_blank(np.flatnonzero(empty))
    candidates = np.isin(frame.first, list(BLANKS)) & ~faults.out
    blank = [
        row for row in np.flatnonzero(candidates).tolist() if not frame.content(row).strip(BLANKS)
    ]
    faults.mark_blank(np.asarray(blank, np.intp))


def mark_not_utf8(frame: Frame, faults: Faults) -> None:
    """Make the live records that are not UTF-8 dead letters."""
    if not len(frame):
        return
    start, end = frame.offsets[0], frame.offsets[-1]
    if end == start or frame.data[start:end].max() < 0x80:
        return
    try:
        frame.strings(faults.out).validate(full=True)
    except pa.ArrowInvalid:
        for row in rows_beyond_ascii(frame).tolist():
            found = not_utf8(frame.content(row))
            if found:
                faults.mark(row, Code.INVALID_UTF8, found)


def rows_beyond_ascii(frame: Frame) -> NDArray[np.intp]:
    """The records that hold a byte above 127."""
    start, end = frame.offsets[0], frame.offsets[-1]
    places = np.flatnonzero(frame.data[start:end] >= 0x80) + start
    return np.unique(np.searchsorted(frame.offsets[1:], places, side="right"))


def not_utf8(content: bytes) -> str | None:
    """The reason why a content is not UTF-8, or None if it is."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        near = content[max(0, error.start - 20) : error.start + 20]
        return f"byte {error.start} is not UTF-8: {shown(near)}"
    return None
