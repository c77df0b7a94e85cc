"""Columns of values with nulls and failures, as the NumPy evaluator passes them around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailrace.expr.nodes import Literal, Type

Mask = NDArray[np.bool_]
Data = NDArray[Any]

DTYPES: dict[Type, type] = {
    Type.TEXT: np.object_,
    Type.INTEGER: np.int64,
    Type.DOUBLE: np.float64,
    Type.BOOLEAN: np.bool_,
    Type.TIME: np.int64,
    Type.NULL: np.bool_,
}


@dataclass(frozen=True, slots=True)
class Values:
    """One value a row, in parallel arrays of one length.

    ``data``: int64 (integer; time in microseconds UTC), float64, bool, or object (text as str);
    what stands where ``valid`` is False means nothing. ``valid``: False for null; None: no nulls.
    ``failed``: True where the value is null because an operation failed; None: nowhere.
    """

    data: Data
    valid: Mask | None = None
    failed: Mask | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.data)

    @property
    def is_valid(self) -> Mask:
        """``valid`` as an array."""
        return np.ones(len(self.data), np.bool_) if self.valid is None else self.valid

    @property
    def has_failed(self) -> Mask:
        """``failed`` as an array."""
        return np.zeros(len(self.data), np.bool_) if self.failed is None else self.failed

    @property
    def is_true(self) -> Mask:
        """Where a condition holds: true, neither false nor null."""
        truth: Mask = self.data.astype(np.bool_)
        return truth if self.valid is None else truth & self.valid


def constant(literal: Literal, length: int) -> Values:
    """A literal on every row."""
    dtype = DTYPES[literal.type]
    if literal.value is None:
        return Values(np.zeros(length, dtype), np.zeros(length, np.bool_))
    return Values(np.full(length, literal.value, dtype))


def strict(data: Data, operands: Sequence[Values], failed: Mask | None = None) -> Values:
    """Values that are null where an operand is, and null and failed where ``failed`` is."""
    valid, tainted = both_valid(operands), either_failed(operands)
    if failed is not None and failed.any():
        own = failed if valid is None else failed & valid
        valid = ~own if valid is None else valid & ~own
        tainted = own if tainted is None else tainted | own
    return Values(data, valid, tainted)


def both_valid(operands: Sequence[Values]) -> Mask | None:
    """Where no operand is null; None: everywhere."""
    masks = [operand.valid for operand in operands if operand.valid is not None]
    return np.logical_and.reduce(masks) if masks else None


def either_failed(operands: Sequence[Values]) -> Mask | None:
    """Where an operand failed; None: nowhere."""
    masks = [operand.failed for operand in operands if operand.failed is not None]
    return np.logical_or.reduce(masks) if masks else None


def lenient(data: Data, valid: Mask, operands: Sequence[Values]) -> Values:
    """Values with nulls of their own making: failed where null and an operand failed."""
    tainted = either_failed(operands)
    return Values(data, valid, None if tainted is None else tainted & ~valid)
