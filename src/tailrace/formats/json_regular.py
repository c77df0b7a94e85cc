"""Records that their program writes with the same keys in the same order, read by their template.

The template is learnt from the records on the way, and a second one from those that don't fit the
first, such as records of a rarer kind; a decoder that has seen others reads the same values, faster
or slower.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.formats.json_matching import Found, Matcher
from tailrace.formats.json_template import template_of
from tailrace.formats.paths import Path
from tailrace.formats.records import Records
from tailrace.formats.segments import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORTHWHILE = 256
"""For fewer records no template is tried or learnt."""
TRIES = 4
"""Records of a batch that are asked for a template."""
SAMPLE = 4096
"""Records that a new template is tried on: it must fit most of them."""
MOST = 0.875
"""The share that must fit: for fewer, parsing all costs less."""
RESTS = 15
"""Batches that are left alone after one that no template fitted."""


@dataclass(frozen=True, slots=True)
class Regular:
    """``matched``: the records that fit a template; ``texts``: those of each path.

    They are null where records lack a value, and mean nothing where records didn't fit.
    """

    matched: NDArray[np.bool_]
    texts: dict[Path, Texts]


class RegularRecords:
    """Reads regular records. One thread uses it."""

    def __init__(self, paths: Sequence[Path], numbers: Collection[Path] = ()) -> None:
        """Know no template yet. ``numbers``: the paths of numbers and times."""
        self._numbers = frozenset(numbers)
        self._paths = tuple(paths)
        self._matcher: Matcher | None = None
        self._rests = 0
        self._other: Matcher | None = None
        self._other_rests = 0

    def read(self, records: Records, out: NDArray[np.bool_]) -> Regular | None:
        """The texts of those records, not ``out``, that fit; None if not most of them do."""
        length = len(records)
        if length < WORTHWHILE:
            return None
        if self._rests:
            self._rests -= 1
            return None
        found = Found(self._paths, length, self._numbers)
        matcher = self._matcher or self._learn(records)
        if matcher is None or matcher.match(records, found, 0, length) < MOST * length:
            self._matcher, self._rests = None, RESTS
            return None
        self._matcher = matcher
        self._match_rest(records, found, np.flatnonzero(~found.matched & ~out))
        return Regular(found.matched & ~out, found.texts(records.data))

    def _match_rest(self, records: Records, found: Found, rest: NDArray[np.intp]) -> None:
        """Put down the values of those of the ``rest`` that fit a template of their own."""
        if len(rest) < WORTHWHILE:
            return
        if self._other_rests:
            self._other_rests -= 1
            return
        some = some_of(records, rest)
        own = Found(self._paths, len(rest), self._numbers)
        matcher = self._other or self._learn(some)
        if matcher is None or matcher.match(some, own, 0, len(rest)) < MOST * len(rest):
            self._other, self._other_rests = None, RESTS
            return
        self._other = matcher
        found.take_over(own, rest, records.offsets[rest] - some.offsets[:-1])

    def _learn(self, records: Records) -> Matcher | None:
        """The template of one of the first records, if it fits most of a sample."""
        sample = min(SAMPLE, len(records))
        for row in range(min(TRIES, len(records))):
            start, end = records.offsets[row], records.offsets[row + 1]
            template = template_of(memoryview(records.data)[start:end].tobytes(), self._paths)
            if template is None:
                continue
            matcher = Matcher(template, self._paths)
            if matcher.match(records, Found(self._paths, sample), 0, sample) >= MOST * sample:
                return matcher
        return None


def some_of(records: Records, rows: NDArray[np.intp]) -> Records:
    """Copies of some records."""
    buffers = [None, pa.py_buffer(records.offsets), records.data]
    contents = pa.Array.from_buffers(pa.binary(), len(records), buffers).take(pa.array(rows))
    _, offsets, data = contents.buffers()
    places = np.frombuffer(offsets, np.int32)[: len(rows) + 1]
    return Records(data or pa.py_buffer(b""), places, records.positions[rows])
