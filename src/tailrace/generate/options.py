"""Times, durations and shares as users write them, and the error for an option that is wrong.

Inside, times and durations are int microseconds; which options there are is said in `nginx`.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tailrace.errors import TailraceError

SECOND_US = 1_000_000
MAX_TIME_US = 253_402_300_800 * SECOND_US
"""The first microsecond of the year 10000, which no time format here can write."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT_US = {
    "ms": 1_000,
    "s": SECOND_US,
    "m": 60 * SECOND_US,
    "h": 3_600 * SECOND_US,
    "d": 86_400 * SECOND_US,
}
_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|s|m|h|d))+|{_NUMBER}", re.ASCII)
_TERM = re.compile(rf"({_NUMBER})(ms|s|m|h|d)?", re.ASCII)
_EPOCH_SECONDS = re.compile(_NUMBER, re.ASCII)


class OptionError(TailraceError):
    """An option of the generator is wrong; `option` is the name of its field."""

    def __init__(self, option: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.option = option


def parse_duration_us(text: str) -> int:
    """Microseconds of ``90s``, ``1h30m``, ``500ms`` or a bare number of seconds.

    Raises ValueError.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration such as 90s, 1h30m or 500ms")
    return int(sum(Decimal(number) * _UNIT_US[unit or "s"] for number, unit in _TERM.findall(text)))


def parse_time_us(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 time (UTC unless it says) or epoch seconds.

    Raises ValueError.
    """
    if _EPOCH_SECONDS.fullmatch(text):
        time_us = int(Decimal(text) * SECOND_US)
    else:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"{text!r} is neither an ISO 8601 time (2024-05-01T12:00:00Z) nor epoch seconds"
            ) from None
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        time_us = (time - _EPOCH) // timedelta(microseconds=1)
    if not 0 <= time_us < MAX_TIME_US:
        raise ValueError(f"{text!r} is not between the years 1970 and 9999")
    return time_us


def iso_utc(time_us: int) -> str:
    """ISO 8601 text with microseconds and a final ``Z``."""
    time = _EPOCH + timedelta(microseconds=time_us)
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def require_share(option: str, value: float) -> None:
    """Raise OptionError unless `value` lies between 0 and 1."""
    if not 0 <= value <= 1:
        raise OptionError(option, f"{value} is not a share between 0 and 1")


def require_shares(**shares: float) -> None:
    """Raise OptionError unless these are shares that together are one at most."""
    for option, value in shares.items():
        require_share(option, value)
    if sum(shares.values()) > 1:
        *others, last = shares
        raise OptionError(last, f"{', '.join(others)} and {last} are together above 1")


def require_positive(option: str, value: float) -> None:
    """Raise OptionError unless `value` is a finite number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise OptionError(option, f"{value} is not a number above 0")
