"""Which records are blank or dead, found step by step in decoding; the first finding stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.codes import Code
from tailrace.formats.records import DeadLetters

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 80
"""How many characters of a value a reason shows."""


def shown(value: str | bytes) -> str:
    """Python's notation of a value, safe for terminals, cut to ``SHOWN`` characters."""
    text = repr(value[: SHOWN + 1])
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


class Faults:
    """Collects findings by row number; ``out`` is true for each row that is not alive."""

    def __init__(self, length: int) -> None:
        """Start with all of ``length`` rows alive."""
        self.out: NDArray[np.bool_] = np.zeros(length, np.bool_)
        self.blank = 0
        self._dead: dict[int, tuple[Code, str | None, str]] = {}

    def mark_blank(self, rows: NDArray[np.intp]) -> None:
        """Count these live rows as blank."""
        self.out[rows] = True
        self.blank += len(rows)

    def mark(self, row: int, code: Code, reason: str, field: str | None = None) -> None:
        """Make a row a dead letter, unless it is out already."""
        if not self.out[row]:
            self.out[row] = True
            self._dead[row] = (code, field, reason)

    def take_over(self, others: Faults, rows: NDArray[np.intp]) -> None:
        """Take up what was found of these rows alone, numbered from 0 in ``others``."""
        self.out[rows] = others.out
        self.blank += others.blank
        self._dead |= {int(rows[row]): found for row, found in others._dead.items()}

    def dead_letters(self) -> DeadLetters:
        """All dead rows in ascending order."""
        rows = sorted(self._dead)
        found = [self._dead[row] for row in rows]
        return DeadLetters(
            rows=tuple(rows),
            codes=tuple(code.value for code, _, _ in found),
            fields=tuple(field for _, field, _ in found),
            reasons=tuple(reason for _, _, reason in found),
        )
