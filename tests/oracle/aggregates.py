"""Measures, by exact integers and fractions (semantics 15 and 16).

Each function takes the values of the events that count, in any order, nulls left out.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.evaluate import FAILED, Result, number_fits, order_of

from tailrace.expr.nodes import AggregateFunction, Type

SUM_LIMIT = 1e18
DEVIATION_LIMIT = 1e15
SCALE = 10**9


@dataclass(frozen=True)
class Finished:
    result: Result
    saturated: bool = False


def accumulable(function: AggregateFunction, value: Result) -> bool:
    """Whether a value of an argument can be taken in; if not, it counts as a failure."""
    if function is AggregateFunction.STDDEV:
        return isinstance(value, int | float) and abs(value) <= DEVIATION_LIMIT
    if function in {AggregateFunction.SUM, AggregateFunction.AVG} and isinstance(value, float):
        return abs(value) <= SUM_LIMIT
    return True


def finish(  # noqa: C901, PLR0911 (a table of functions)
    function: AggregateFunction,
    type_: Type | None,
    values: Sequence[Result],
    q: Fraction | None,
    max_distinct: int | None,
) -> Finished:
    """The measure of `values`; `type_` is the argument's, `max_distinct` is for distinct counts."""
    if function is AggregateFunction.COUNT:
        if max_distinct is None:
            return Finished(len(values))
        different = len(set(values))
        return Finished(min(different, max_distinct), different > max_distinct)
    if function is AggregateFunction.STDDEV:
        return Finished(stddev(type_, values))
    if not values:
        return Finished(None)
    match function:
        case AggregateFunction.SUM:
            return Finished(total(type_, values))
        case AggregateFunction.AVG:
            return Finished(mean(type_, values))
        case AggregateFunction.MIN:
            return Finished(min(values, key=order_of))
        case AggregateFunction.MAX:
            return Finished(max(values, key=order_of))
        case AggregateFunction.QUANTILE:
            assert q is not None
            return Finished(quantile(values, q))
        case AggregateFunction.CHANGES:
            raise AssertionError("changes are counted where the events before are known")


def scaled(value: Result) -> int:
    """A double as an integer of 1e-9: one multiplication, rounded half to even."""
    assert isinstance(value, float)
    return round(value * 1e9)


def total(type_: Type | None, values: Sequence[Result]) -> Result:
    if type_ is Type.INTEGER:
        exact = sum(value for value in values if isinstance(value, int))
        return exact if number_fits(exact) else FAILED
    return float(sum(scaled(value) for value in values)) / 1e9 + 0.0


def mean(type_: Type | None, values: Sequence[Result]) -> Result:
    n = len(values)
    if type_ is Type.INTEGER:
        return float(sum(value for value in values if isinstance(value, int))) / float(n)
    return float(sum(scaled(value) for value in values)) / float(n * SCALE) + 0.0


def stddev(type_: Type | None, values: Sequence[Result]) -> Result:
    n = len(values)
    if n < 2:
        return None
    if type_ is Type.INTEGER:
        scale, exact = 1, [value for value in values if isinstance(value, int)]
    else:
        scale, exact = SCALE, [scaled(value) for value in values]
    numerator = n * sum(value * value for value in exact) - sum(exact) ** 2
    denominator = n * (n - 1)
    return math.sqrt(float(numerator) / float(denominator * scale**2))


def quantile(values: Sequence[Result], q: Fraction) -> Result:
    indexes = sorted(bucket_of(value) for value in values)
    rank = max(1, math.ceil(q * len(indexes)))
    return representative(indexes[rank - 1])


def bucket_of(value: Result) -> int:
    """Index of the logarithmic bucket: sign, exponent and six bits of the mantissa."""
    assert isinstance(value, int | float)
    number = float(value)
    if number == 0:
        return 0
    index: int = struct.unpack(">q", struct.pack(">d", abs(number)))[0] >> 46
    return index if number > 0 else -index


def representative(index: int) -> float:
    if index == 0:
        return 0.0
    bits = (abs(index) << 46) | (1 << 45)
    number: float = struct.unpack(">d", struct.pack(">q", bits))[0]
    return number if index > 0 else -number
