"""Records that their program writes with the same keys in the same order, read by templates.

Which templates there are is learnt from the records on the way; a decoder that has seen others
reads the same values, faster or slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.json_matching import Found, Matcher
from tailrace.formats.json_template import template_of
from tailrace.formats.paths import Path

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from tailrace.formats.records import Records

WORTHWHILE = 256
"""For fewer records no template is tried or learnt."""
MOST = 4
"""Templates that are tried on each batch."""
TRIES = 4
"""Records of a batch that are asked for a new template."""
RESTS = 15
"""Batches that are left alone after one of which not half fitted."""


@dataclass(frozen=True, slots=True)
class Regular:
    """``matched``: the records that fit a template; ``texts``: a string array for each path.

    Texts are null where records didn't fit, or lack a value.
    """

    matched: NDArray[np.bool_]
    texts: dict[Path, pa.StringArray]


class RegularRecords:
    """Reads regular records. One thread uses it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Know no template yet."""
        self._paths = tuple(paths)
        self._matchers: list[Matcher] = []
        self._rests = 0

    def read(self, records: Records, out: NDArray[np.bool_]) -> Regular | None:
        """The texts of those records, not ``out``, that fit; None if hardly any would."""
        if len(records) < WORTHWHILE:
            return None
        if self._rests:
            self._rests -= 1
            return None
        found = Found(self._paths, len(records))
        left = None if not out.any() else np.flatnonzero(~out)
        useful: list[Matcher] = []
        known, asked = list(self._matchers), 0
        while left is None or len(left) >= WORTHWHILE:
            if known:
                matcher = known.pop(0)
            elif len(useful) < MOST and asked < min(TRIES, _count(records, left)):
                # Those that were asked in vain are the first ones left.
                learnt = self._learn(records, asked if left is None else int(left[asked]))
                asked += 1
                if learnt is None:
                    continue
                matcher = learnt
            else:
                break
            fits = matcher.match(records, left, found)
            left = np.flatnonzero(~fits) if left is None else left[~fits]
            if fits.any():
                useful.append(matcher)
                asked = max(0, asked - 1)
        self._matchers = [*useful, *known][:MOST]
        if found.matched.sum() * 2 < len(records):
            self._rests = RESTS
        return Regular(found.matched, found.texts(records.data)) if found.matched.any() else None

    def _learn(self, records: Records, row: int) -> Matcher | None:
        start, end = records.offsets[row], records.offsets[row + 1]
        record = memoryview(records.data)[start:end].tobytes()
        template = template_of(record, self._paths)
        return None if template is None else Matcher(template, self._paths)


def _count(records: Records, rows: NDArray[np.intp] | None) -> int:
    return len(records) if rows is None else len(rows)
