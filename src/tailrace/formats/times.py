"""One text at a time into microseconds UTC: the definition for ``time_columns``.

The forms are described in ``docs/semantics-decoding.md``. Nothing here looks at a clock.
"""

from __future__ import annotations

import re
from datetime import date, tzinfo

from tailrace.formats.spec import TimeForm
from tailrace.formats.values import BadValueError, scaled_floor
from tailrace.formats.zones import offset_at

SECOND = 1_000_000
DAY_SECONDS = 86_400
EARLIEST = -62_135_596_800 * SECOND
LATEST = 253_402_300_800 * SECOND - 1
"""Years 0001 to 9999, in UTC."""
OUTSIDE = "outside the years 0001 to 9999"
EPOCH_DAY = date(1970, 1, 1).toordinal()
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
_SECOND = r":(?P<second>[0-9]{2})"
_FRACTION = r"(?:[.,](?P<fraction>[0-9]+))?"
_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_MONTH = f"(?P<name>{'|'.join(MONTHS)})"
_OFFSET = r"(?P<sign>[+-])(?P<ahead>[0-9]{2})"

PATTERNS = {
    TimeForm.ISO: re.compile(
        rf"{_DATE}(?:[Tt ]{_CLOCK}(?:{_SECOND}{_FRACTION})?"
        rf"(?: ?(?:(?P<utc>[Zz])|{_OFFSET}(?::?(?P<minutes>[0-9]{{2}}))?))?)?"
    ),
    TimeForm.DATETIME: re.compile(rf"{_DATE} {_CLOCK}{_SECOND}{_FRACTION}"),
    TimeForm.TIME_LOCAL: re.compile(
        rf"(?P<day>[0-9]{{2}})/{_MONTH}/(?P<year>[0-9]{{4}}):{_CLOCK}{_SECOND}"
        rf" {_OFFSET}(?P<minutes>[0-9]{{2}})"
    ),
    TimeForm.SYSLOG: re.compile(rf"{_MONTH} (?P<day>[ 0-3]?[0-9]) {_CLOCK}{_SECOND}{_FRACTION}"),
}
"""The calendar forms; the groups name the parts."""

CALENDARS = {
    TimeForm.AUTO: (TimeForm.ISO, TimeForm.TIME_LOCAL),
    TimeForm.EPOCH: (),
    TimeForm.EPOCH_MS: (),
    **{form: (form,) for form in PATTERNS},
}
"""The calendar forms that each form allows."""

EPOCH_SHIFTS = {TimeForm.AUTO: 6, TimeForm.EPOCH: 6, TimeForm.EPOCH_MS: 3}
"""Decimal places from the written number to microseconds, for the forms that allow numbers."""


def time(text: str, form: TimeForm, zone: tzinfo, year: int | None) -> int:
    """Microseconds since 1970 UTC, finer digits cut (floor)."""
    text = text.strip(" \t")
    if form in EPOCH_SHIFTS:
        found = scaled_floor(text, EPOCH_SHIFTS[form])
        if found is not None:
            return _in_range(found[0])
    for calendar in CALENDARS[form]:
        match = PATTERNS[calendar].fullmatch(text)
        if match is not None:
            return _from_parts(match.groupdict(), zone, year)
    raise BadValueError("not a time" if form is TimeForm.AUTO else f"not a time of form {form}")


def _from_parts(parts: dict[str, str | None], zone: tzinfo, year: int | None) -> int:
    """The time that a calendar form's parts name; ``year`` stands in for a missing one."""
    written = parts.get("year")
    name = parts.get("name")
    try:
        day = date(
            int(written) if written else year or 0,
            MONTHS.index(name) + 1 if name else _number(parts, "month"),
            _number(parts, "day"),
        )
    except ValueError:
        raise BadValueError("no day of the calendar") from None
    hour, minute, second = (_number(parts, part) for part in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:
        raise BadValueError("no time of day")
    local = (day.toordinal() - EPOCH_DAY) * DAY_SECONDS + hour * 3600 + minute * 60 + second
    micros = int(((parts.get("fraction") or "") + "000000")[:6])
    return _in_range((local - _offset(parts, local, zone)) * SECOND + micros)


def _offset(parts: dict[str, str | None], local: int, zone: tzinfo) -> int:
    if parts.get("utc"):
        return 0
    if parts.get("sign"):
        hours, minutes = _number(parts, "ahead"), _number(parts, "minutes")
        if hours > 23 or minutes > 59:
            raise BadValueError("no offset from UTC")
        ahead = hours * 3600 + minutes * 60
        return -ahead if parts["sign"] == "-" else ahead
    try:
        return offset_at(local, zone)
    except OverflowError:
        raise BadValueError(OUTSIDE) from None


def _number(parts: dict[str, str | None], name: str) -> int:
    return int(parts.get(name) or 0)


def _in_range(micros: int) -> int:
    if micros > LATEST and micros // 1000 <= LATEST:
        raise BadValueError("beyond the year 9999 (milliseconds? Then set time.format: epoch_ms)")
    if not EARLIEST <= micros <= LATEST:
        raise BadValueError(OUTSIDE)
    return micros
