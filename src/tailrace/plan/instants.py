"""Instants as ISO 8601 text, in the one form that every output uses.

``2022-08-03T06:51:40.000Z``: milliseconds, or microseconds where there are any; ``Z`` or the
offset of a zone. Reading times is the formats' business.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The years 2 to 9998, so that no zone's offset leaves the calendar of datetime.
FIRST = -62_104_060_800_000_000
BEYOND = 253_370_764_800_000_000
# The calendar repeats after 400 years: 146 097 days.
_CYCLE = 146_097 * 86_400_000_000


@lru_cache(maxsize=4096)
def iso(microseconds: int, zone: tzinfo = UTC) -> str:
    """ISO 8601 text of an instant given as microseconds since the epoch, in a zone."""
    if not FIRST <= microseconds < BEYOND:
        return _far(microseconds)
    moment = (_EPOCH + timedelta(microseconds=int(microseconds))).astimezone(zone)
    finest = "microseconds" if microseconds % 1000 else "milliseconds"
    text = moment.isoformat(timespec=finest)
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _far(microseconds: int) -> str:
    """Text for years outside 2 to 9998: proleptic calendar, UTC, a sign where it needs one."""
    cycles = microseconds // _CYCLE
    text = iso(microseconds - cycles * _CYCLE)
    year = int(text[:4]) + 400 * cycles
    return f"{'-' if year < 0 else '+' if year > 9999 else ''}{abs(year):04}{text[4:]}"
