"""Records that their program writes with the same keys in the same order, read by their template.

The template is learnt from the records on the way; a decoder that has seen others reads the same
values, faster or slower.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.formats.json_matching import Found, Matcher
from tailrace.formats.json_template import template_of
from tailrace.formats.paths import Path
from tailrace.formats.segments import Texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailrace.formats.records import Records

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
        return Regular(found.matched & ~out, found.texts(records.data))

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
