"""Findings that are put down for whole columns: values that are bad, missing or out of range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tailrace.formats.codes import Code
from tailrace.formats.columns import Typed
from tailrace.formats.faults import Faults, shown
from tailrace.formats.segments import Cut, Texts, strings
from tailrace.formats.spec import FieldSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mark_bad(typed: Typed, texts: Texts, faults: Faults, code: Code, name: str) -> None:
    """Mark the rows whose text could not be converted."""
    field = name if code is Code.BAD_VALUE else None
    for row, what in typed.bad.items():
        faults.mark(row, code, f"{name}: {what}: {shown(strings(texts)[row].as_py())}", field)


def mark_missing(texts: Texts, faults: Faults, name: str, field: str | None) -> None:
    """Mark the live rows without a text."""
    if not isinstance(texts, Cut) and texts.null_count:
        missing = texts.is_null().to_numpy(zero_copy_only=False) & ~faults.out
        for row in np.flatnonzero(missing).tolist():
            faults.mark(row, Code.MISSING_VALUE, f"{name}: missing", field)


def mark_out_of_range(typed: Typed, texts: Texts, faults: Faults, field: FieldSpec) -> None:
    """Mark the rows whose number lies outside the field's limits."""
    if field.minimum is None and field.maximum is None:
        return
    valid = typed.column.is_valid().to_numpy(zero_copy_only=False)
    numbers = typed.column.fill_null(0).to_numpy()
    whole = np.issubdtype(numbers.dtype, np.integer)
    if field.minimum is not None:
        least = math.ceil(field.minimum) if whole else field.minimum
        _mark(valid & (numbers < least), f"below min {field.minimum}", texts, faults, field.name)
    if field.maximum is not None:
        most = math.floor(field.maximum) if whole else field.maximum
        _mark(valid & (numbers > most), f"above max {field.maximum}", texts, faults, field.name)


def _mark(wrong: NDArray[np.bool_], what: str, texts: Texts, faults: Faults, name: str) -> None:
    for row in np.flatnonzero(wrong).tolist():
        reason = f"{name}: {what}: {shown(strings(texts)[row].as_py())}"
        faults.mark(row, Code.OUT_OF_RANGE, reason, name)
