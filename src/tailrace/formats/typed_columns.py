"""Arrow columns of any fitting type as columns of the declared types, the wrong values marked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import types

from tailrace.expr.nodes import Type
from tailrace.formats.columns import Typed
from tailrace.formats.spec import TimeForm
from tailrace.formats.time_columns import time_column
from tailrace.formats.times import EARLIEST, LATEST, OUTSIDE, SECOND
from tailrace.formats.values import LARGEST
from tailrace.formats.zones import offset_at, offsets_at, zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FACTORS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_MOST = 2**62
_WIDEST = 2.0**63


def accepts(declared: Type, found: pa.DataType) -> bool:
    """Whether a column of an Arrow type can stand for a field of a declared type.

    Text: strings. Integer and double: numbers (an integer may stand in a double column, as pandas
    has it beside nulls). Boolean: booleans. Time: timestamps, dates, and numbers and strings, which
    are then read as in a record. A column of nulls only fits everything.
    """
    if types.is_dictionary(found):
        return accepts(declared, found.value_type)
    if types.is_null(found):
        return True
    number = bool(types.is_integer(found) or types.is_floating(found) or types.is_decimal(found))
    match declared:
        case Type.TEXT:
            return _is_text(found)
        case Type.INTEGER | Type.DOUBLE:
            return number
        case Type.BOOLEAN:
            return bool(types.is_boolean(found))
        case _:
            moment = types.is_timestamp(found) or types.is_date(found)
            return number or _is_text(found) or bool(moment)


def converted(column: pa.Array, declared: Type, zone: str) -> Typed:
    """A column that is accepted, as int64, float64, bool, string or timestamp[us, UTC]."""
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    match declared:
        case Type.INTEGER:
            return _integers(column)
        case Type.DOUBLE:
            return _doubles(column)
        case Type.TIME:
            typed = instants(column, TimeForm.AUTO, zone, None)
            return Typed(typed.column.cast(pa.timestamp("us", "UTC")), typed.bad)
        case Type.BOOLEAN:
            return Typed(column.cast(pa.bool_()))
        case _:
            return Typed(column.cast(pa.string()))


def instants(column: pa.Array, form: TimeForm, zone: str, year: int | None) -> Typed:
    """A column that is accepted for a time, as int64 microseconds UTC (finer digits floored).

    Timestamps without a zone are in ``zone``; numbers and texts are read as ``form`` says.
    """
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    if not types.is_timestamp(column.type):
        return time_column(column.cast(pa.string()), form, zone, year)
    values: NDArray[np.int64] = column.cast(pa.int64()).fill_null(0).to_numpy()
    if column.type.unit == "ns":
        values = np.floor_divide(values, 1000)
    else:
        factor = _FACTORS[column.type.unit]
        values = np.clip(values, -_MOST // factor, _MOST // factor) * factor
    if column.type.tz is None:
        values = values - SECOND * _ahead(np.clip(values, EARLIEST, LATEST) // SECOND, zone)
    return _without(column, values, (values < EARLIEST) | (values > LATEST), OUTSIDE)


def _ahead(local: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Seconds that a zone is ahead of UTC when its clocks show ``local`` seconds since 1970."""
    tz = zone_of(zone)
    ahead, steady = offsets_at(local, tz)
    if not steady.all():
        ahead = ahead.copy()
        for row in np.flatnonzero(~steady).tolist():
            with suppress(OverflowError):
                ahead[row] = offset_at(int(local[row]), tz)
    return ahead


def _integers(column: pa.Array) -> Typed:
    if types.is_null(column.type):
        return Typed(column.cast(pa.int64()))
    if types.is_uint64(column.type):
        wide = column.fill_null(0).to_numpy()
        bad = wide > np.uint64(2**63 - 1)
        return _without(column, wide.astype(np.int64), bad, "an integer beyond 64 bits")
    if types.is_integer(column.type):
        return Typed(column.cast(pa.int64()))
    numbers = column.cast(pa.float64()).fill_null(0.0).to_numpy()
    with np.errstate(invalid="ignore"):
        whole = (np.floor(numbers) == numbers) & (np.abs(numbers) < _WIDEST)
        values = np.where(whole, numbers, 0.0).astype(np.int64)
    return _without(column, values, ~whole, "not an integer")


def _doubles(column: pa.Array) -> Typed:
    if types.is_null(column.type):
        return Typed(column.cast(pa.float64()))
    numbers = column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy()
    finite = np.isfinite(numbers)
    bad = np.abs(np.where(finite, numbers, 0.0)) > LARGEST
    typed = _without(column, np.where(finite, numbers, 0.0) + 0.0, ~finite | bad, "not a number")
    for row in np.flatnonzero(bad).tolist():
        typed.bad[row] = "a number beyond 1e18"
    return typed


def _without(column: pa.Array, values: np.ndarray, bad: NDArray[np.bool_], what: str) -> Typed:
    """The values, null where the column is null or ``bad``."""
    null = column.is_null().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(bad & ~null).tolist()
    return Typed(pa.array(values, mask=null | bad), dict.fromkeys(rows, what))


def _is_text(found: pa.DataType) -> bool:
    checks = (types.is_string, types.is_large_string, types.is_string_view)
    return any(check(found) for check in checks)
