"""Where the variables of log lines begin and end: by cursors for most lines, else by RE2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.formats.frame import Frame
from tailrace.formats.line_search import Occurrences, Text
from tailrace.formats.log_template import Template
from tailrace.formats.segments import strings_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16_384
"""Lines at a time, so that what is looked at stays in the cache."""
BLANK, BACKSLASH = ord(" "), ord("\\")


@dataclass(frozen=True, slots=True)
class LogLines:
    """Places of variables: ``starts[k, i]`` and ``ends[k, i]`` of variable k in line i, int64.

    ``right``: the lines that the template describes; the places of others mean nothing.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    right: NDArray[np.bool_]


def log_lines(template: Template, text: Text, frame: Frame, live: NDArray[np.bool_]) -> LogLines:
    """Find the variables in the live lines of a frame.

    ``Template.pattern`` says where they are. Cursors go from one text of the template to the first
    byte of the next; where they find all of them, each variable is as short as can be, from left to
    right, which is the reading that the pattern prefers. RE2 takes linear time whatever a line
    holds.
    """
    shape = len(template.variables), len(frame)
    lines = LogLines(np.zeros(shape, np.int64), np.zeros(shape, np.int64), live.copy())
    for start in range(0, len(frame), BLOCK):
        _follow(template, text, frame, lines, slice(start, start + BLOCK))
    rows = np.flatnonzero(live & ~lines.right)
    if len(rows):
        _match(template, frame, lines, rows)
    wrong = np.flatnonzero(~lines.right)
    lines.starts[:, wrong] = lines.ends[:, wrong] = 0
    return lines


def _follow(template: Template, text: Text, frame: Frame, lines: LogLines, block: slice) -> None:
    """Fill in the lines of a block that cursors can follow; the others are not right afterwards."""
    cursors, ends = frame.starts[block].astype(np.int64), frame.ends[block].astype(np.int64)
    first, end = int(cursors[0]), int(ends[-1])
    held = text.data[first:end]
    beyond_ascii = end > first and bool(held.max() >= 0x80)
    escapes = bool((held == BACKSLASH).any())
    searched = {byte: Occurrences(text, byte, cursors, end) for byte in _searched(template)}
    right = lines.right[block]
    cursors, here = _pass_by(text, cursors, template.head.encode(), searched)
    right &= here
    for number, variable in enumerate(template.variables):
        after = variable.after.encode()
        if variable.size:
            places = cursors + variable.size
            if beyond_ascii:
                right &= text.ascii_only(cursors, variable.size)
        elif not after:
            places = ends
        elif after[0] == BLANK:
            places = text.next_near(cursors, BLANK)
        else:
            places = searched[after[0]].next(cursors)
        right &= places >= cursors
        if variable.quoted and escapes:
            right &= text.data[np.minimum(places, end) - 1] != BACKSLASH
        lines.starts[number, block], lines.ends[number, block] = cursors, places
        cursors, here = _pass_by(text, places, after, searched)
        right &= here
    right &= cursors == ends


def _searched(template: Template) -> set[int]:
    """First bytes of texts that are looked for by listing all of their occurrences."""
    found = (variable.after.encode()[0] for variable in template.variables if variable.after)
    return {byte for byte in found if byte != BLANK}


def _pass_by(
    text: Text, cursors: NDArray[np.int64], literal: bytes, searched: dict[int, Occurrences]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Cursors behind a text of the template, and which lines have it there."""
    for byte, occurrences in searched.items():
        occurrences.skip(literal.count(byte))
    return text.after_literal(cursors, literal)


def _match(template: Template, frame: Frame, lines: LogLines, rows: NDArray[np.intp]) -> None:
    """Fill in those of the rows that the pattern matches."""
    starts, everything = frame.starts[rows], np.ones(len(rows), np.bool_)
    contents = strings_at(frame.buffer, starts, frame.ends[rows], everything)
    matches = pc.extract_regex(contents, template.pattern)
    matched = matches.is_valid().to_numpy(zero_copy_only=False)
    matches, rows = matches.filter(pa.array(matched)), rows[matched]
    cursors = starts[matched].astype(np.int64) + len(template.head.encode())
    for number, variable in enumerate(template.variables):
        lines.starts[number, rows] = cursors
        cursors += pc.binary_length(matches.field(number)).to_numpy()
        lines.ends[number, rows] = cursors
        cursors += len(variable.after.encode())
    lines.right[rows] = True
