"""The keys of a batch's events as numbers: one field's distinct values, or pairs of such numbers.

What a key's code is says ``plan.identity``; here it is made once for each distinct key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.kernel.words import Words, keyed, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

NEAR = 1 << 20
"""Keys among so many that are possible are told apart by a table of all of them."""


@dataclass(frozen=True, slots=True)
class RowKeys:
    """The distinct keys of some events.

    ``places``: each event's key, ``len(self)`` where a field is null, which ``nulls`` says of any.
    ``fields``: each field's distinct values, and of which of them each key is made.
    """

    codes: pa.Array
    fields: tuple[tuple[pa.Array, Whole | None], ...]
    places: Whole
    nulls: bool

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self.codes)

    @classmethod
    def of(cls, fields: Sequence[Words], length: int) -> RowKeys:
        """Put the fields of ``length`` events together; texts and integers fit."""
        if len(fields) == 1 and pa.types.is_string(fields[0].values.type):
            words = fields[0]
            return cls(words.values, ((words.values, None),), words.places, words.nulls)
        if not fields:
            return cls(pa.array([""]), (), np.zeros(length, np.int64), nulls=False)
        own, places, nulls = _combined(fields)
        columns = tuple(zip((field.values for field in fields), own, strict=True))
        return cls(_codes(columns), columns, places, nulls)

    def columns(self, chosen: Whole) -> dict[str, pa.Array]:
        """The codes of some keys, and their fields as columns ``k0``, ``k1``, ..."""
        code = keyed(self.codes, chosen)
        found = {"code": code}
        for number, (values, own) in enumerate(self.fields):
            if own is None:
                found[f"k{number}"] = code
            elif pa.types.is_string(values.type):
                found[f"k{number}"] = keyed(values, own[chosen])
            else:
                found[f"k{number}"] = values.take(pa.array(own[chosen]))
        return found


def _combined(fields: Sequence[Words]) -> tuple[list[Whole], Whole, bool]:
    """For each field which of its values each key has; each event's key; whether any has none."""
    first = fields[0]
    own = [np.arange(len(first.values))]
    places, nulls = first.places, first.nulls
    for field in fields[1:]:
        # A place more: of nulls, which are told apart from no others.
        width, count = len(field.values) + 1, len(own[0])
        pairs = places * width + field.places
        if field.nulls or nulls:
            nulls = True
            pairs[(places == count) | (field.places == width - 1)] = count * width
        known, places = _told_apart(pairs, count * width + 1)
        if nulls:
            known, places = _last(known, places, count * width)
        own = [one[known // width] for one in own]
        own.append(known % width)
    return own, places, nulls


def _told_apart(pairs: Whole, possible: int) -> tuple[Whole, Whole]:
    """The distinct pairs, and the place of each among them."""
    if possible > NEAR:
        return numbered(pairs)
    present = np.zeros(possible, np.bool_)
    present[pairs] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[pairs]


def _last(known: Whole, places: Whole, null: int) -> tuple[Whole, Whole]:
    """The same without ``null``, whose place is the one after all others."""
    (found,) = np.nonzero(known == null)
    if not len(found):
        return known, places
    at = int(found[0])
    moved = np.arange(len(known))
    moved[at + 1 :] -= 1
    moved[at] = len(known) - 1
    return np.delete(known, at), moved[places]


def _codes(columns: Sequence[tuple[pa.Array, Whole]]) -> pa.Array:
    """The code of each key: each of its fields with its type and length."""
    parts = [_encoded(values).take(pa.array(own)) for values, own in columns]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "")


def _encoded(values: pa.Array) -> pa.Array:
    """What each value of a field adds to a code."""
    tag = "t" if pa.types.is_string(values.type) else "i"
    texts = values.cast(pa.string())
    sizes = pc.binary_length(texts).cast(pa.string())
    return pc.binary_join_element_wise(tag, sizes, ":", texts, "")
