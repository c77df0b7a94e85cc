"""Points in time as literals: text to microseconds since the epoch, and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)


def read_moment(text: str) -> int | None:
    """Microseconds since the epoch of ``YYYY-MM-DD[ HH:MM[:SS[.f]]][Z|+HH:MM]``; None if wrong.

    Without a zone it is UTC; digits finer than microseconds are cut.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    fraction = int(((match[7] or "") + "000000")[:6])
    offset = timedelta(hours=int(match[10] or 0), minutes=int(match[11] or 0))
    try:
        zone = timezone(-offset if match[9] == "-" else offset)
        moment = datetime(year, month, day, hour, minute, second, fraction, zone)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def write_moment(microseconds: int) -> str:
    """``YYYY-MM-DD HH:MM:SS[.ffffff]`` in UTC, for what ``read_moment`` gave."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(sep=" ")
