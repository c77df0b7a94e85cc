"""Numbers, shares and times as a report says them."""

from __future__ import annotations

import pytest

from tailrace.backtest.words import clock, key, length, share

LENGTHS = [
    (None, "-"),
    (1, "0s"),
    (1_500, "0.0015s"),
    (5_040_000, "5.04s"),
    (60_000_000, "1m"),
    (100_000_000, "1m 40s"),
    (12_000_000_000, "3h 20m"),
    (90_000_000_000, "1d 1h"),
]


@pytest.mark.parametrize(("micros", "expected"), LENGTHS)
def test_lengths(micros: int | None, expected: str) -> None:
    assert length(micros) == expected


SHARES = [(None, "-"), (0.0, "0 %"), (1.0, "100 %"), (0.889, "88.9 %"), (0.00325, "0.33 %")]


@pytest.mark.parametrize(("value", "expected"), SHARES)
def test_shares(value: float | None, expected: str) -> None:
    assert share(value) == expected


def test_times_beyond_the_calendar() -> None:
    assert clock(0) == "1970-01-01 00:00:00Z"
    assert clock(2**62) == "-"


def test_keys() -> None:
    assert key((), ()) == "all together"
    assert key(("a",), ("x",)) == "x"
    assert key(("a", "b"), ("x", "y")) == "a=x, b=y"
