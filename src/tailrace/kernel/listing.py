"""The keys of one rule that references list, as numbers: made once for each version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.kernel.limits import listed_keys
from tailrace.plan.identity import Time, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.lookups import Candidates, Lookups
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Rule


class Listing:
    """The numbers of the keys that are listed, of the versions that were in force at ``use``."""

    def __init__(self, rule: Rule) -> None:
        """Without any."""
        self._rule = rule
        self._joins = [join for join in rule.joins if join.listed is not None]
        self._known: list[Candidates | None] = [None] * len(self._joins)
        self._numbers = [np.empty(0, np.int64) for _ in self._joins]

    def use(self, known: Lookups, keys: DenseKeys) -> None:
        """Take the versions that are in force now."""
        for place, join in enumerate(self._joins):
            found = listed_keys(self._rule, join, known)
            if found is not self._known[place]:
                self._known[place] = found
                self._numbers[place] = _numbers(self._rule, keys, found.fields)

    def at(self, end: int) -> NDArray[np.int64]:
        """The keys that are listed for a window that ends then."""
        parts = [
            numbers[found.begins <= end]
            for numbers, found in zip(self._numbers, self._known, strict=True)
            if found is not None
        ]
        return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))

    def mark(self, present: NDArray[np.bool_]) -> None:
        """Mark the keys that are listed."""
        for numbers in self._numbers:
            present[numbers] = True

    def renumber(self, moved: NDArray[np.int64]) -> None:
        """Give keys the numbers that ``moved`` has for them."""
        self._numbers = [moved[numbers] for numbers in self._numbers]


def _numbers(rule: Rule, keys: DenseKeys, fields: Sequence[pa.Array]) -> NDArray[np.int64]:
    """The numbers of keys that may never have been seen."""
    kinds = [key.node.type for key in rule.keys]
    if kinds == [Type.TEXT]:
        codes = fields[0]
    else:
        rows = zip(*(field.to_pylist() for field in fields), strict=True)
        codes = pa.array([encode(*_timed(row, kinds)).decode() for row in rows], pa.string())
    return keys.number(pa.chunked_array([codes]), [pa.chunked_array([field]) for field in fields])


def _timed(key: tuple[Scalar, ...], kinds: Sequence[Type]) -> tuple[Scalar, ...]:
    return tuple(
        Time(int(value)) if kind is Type.TIME and value is not None else value
        for value, kind in zip(key, kinds, strict=True)
    )
