"""Offsets of zones from UTC, for one local time and for many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR = 3600


@lru_cache
def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name; UTC needs no database.

    Raises ``ZoneInfoNotFoundError`` or ``ValueError`` for other names.
    """
    return UTC if name == "UTC" else ZoneInfo(name)


def offset_at(local: int, zone: tzinfo) -> int:
    """Seconds that the zone is ahead of UTC when its clocks show ``local`` seconds since 1970.

    In the hour that clocks repeat the earlier offset holds, in the one that they skip the offset
    before the gap. Raises ``OverflowError`` outside the years 0001 to 9999.
    """
    shown = datetime(1970, 1, 1, tzinfo=zone) + timedelta(seconds=local)
    offset = shown.utcoffset()
    return int(offset.total_seconds()) if offset else 0


def offsets_at(
    local: NDArray[np.int64], zone: tzinfo
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """``offset_at`` for many (or one for all); false where the year is none."""
    if zone is UTC:
        return np.zeros(1, np.int64), np.ones(1, np.bool_)
    hours, which = np.unique(local // HOUR, return_inverse=True)
    found = [_offset_during(hour, zone) for hour in hours.tolist()]
    offsets = np.array([offset or 0 for offset in found], np.int64)[which]
    known = np.array([offset is not None for offset in found], np.bool_)[which]
    for moment in np.unique(local[~known]).tolist():
        same = local == moment
        try:
            offsets[same] = offset_at(moment, zone)
            known |= same
        except OverflowError:
            pass
    return offsets, known


@lru_cache(4096)
def _offset_during(hour: int, zone: tzinfo) -> int | None:
    """The offset of a whole local hour; None if it changes (no zone ever changed and went back)."""
    try:
        first = offset_at(hour * HOUR, zone)
        return first if offset_at(hour * HOUR + HOUR - 1, zone) == first else None
    except OverflowError:
        return None
