"""Many texts of one shape into microseconds UTC at once, by their digit columns.

A shape is learnt from one text by the careful patterns of ``times``: where its digits stand and
what stands between them. A text with digits in the same places and the same bytes between matches
the same pattern in the same way, so that reading its columns gives what ``times`` gives. What
differs, or is no date, time of day or offset, is left to ``times``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tailrace.formats import digits, times
from tailrace.formats.spec import TimeForm
from tailrace.formats.zones import offsets_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Columns = NDArray[np.uint8]
    Numbers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

ZERO = np.uint8(ord("0"))
EPOCH = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?")
SAFE_DIGITS = {6: 11, 3: 14}
"""By shift: so many digits before the point are below the year 9999 whatever they are."""
NARROW_DIGITS = 9
"""So many digits fit 32 bits."""
MONTH_CODES = np.array([int.from_bytes(name.encode()) for name in times.MONTHS])
MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
DAYS_BEFORE = np.concatenate([[0, 0], np.cumsum(MONTH_DAYS[1:-1])])


class Shape(Protocol):
    """Reads texts of one length side by side: row c of ``columns`` holds byte c of each."""

    def read(self, columns: Columns) -> tuple[Numbers, Flags]:
        """Microseconds of each text, and whether they are right."""
        ...


def shape_of(text: str, form: TimeForm, zone: tzinfo, year: int | None) -> Shape | None:
    """The shape of a text, or None if there is no fast way to read it."""
    shift = times.EPOCH_SHIFTS.get(form)
    match = EPOCH.fullmatch(text) if shift is not None else None
    if match and shift is not None:
        if match.end("whole") > SAFE_DIGITS[shift]:
            return None
        return Epoch(Layout.of(text, match), shift)
    for calendar in times.CALENDARS[form]:
        match = times.PATTERNS[calendar].fullmatch(text)
        if match:
            return Calendar(Layout.of(text, match), zone, year)
    return None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a text stand, by the names of the pattern's groups.

    ``between``: the bytes that are neither digits nor a month's name, by column.
    """

    parts: dict[str, tuple[int, int]]
    between: dict[int, int]

    @classmethod
    def of(cls, text: str, match: re.Match[str]) -> Layout:
        """Learn from a text that matched."""
        parts = {name: match.span(name) for name, found in match.groupdict().items() if found}
        named = range(*parts.get("name", (0, 0)))
        between = {
            column: ord(character)
            for column, character in enumerate(text)
            if not character.isdigit() and column not in named
        }
        return cls(parts, between)

    def fits(self, columns: Columns) -> Flags:
        """Which texts have digits, and the same bytes between, where this layout has them."""
        fits = np.ones(columns.shape[1], np.bool_)
        named = range(*self.parts.get("name", (0, 0)))
        for column, byte in enumerate(columns):
            if column in self.between:
                fits &= byte == self.between[column]
            elif column not in named:
                fits &= byte - ZERO <= 9
        return fits

    def number(self, columns: Columns, part: str, digits: int | None = None) -> Numbers:
        """The number that a part spells, 0 if there is none; with ``digits``, as so many digits."""
        start, end = self.parts.get(part, (0, 0))
        stop = end if digits is None else min(end, start + digits)
        spelt = [columns[c] for c in range(start, stop) if c not in self.between]
        # Times near each other begin with the same digits.
        same = 0
        while same < len(spelt) and (spelt[same] == spelt[same][0]).all():
            same += 1
        shared = 0
        for column in spelt[:same]:
            shared = shared * 10 + int(column[0]) - int(ZERO)
        number = np.full(columns.shape[1], shared, np.int64)
        for first in range(same, len(spelt), NARROW_DIGITS):
            narrow = np.zeros(columns.shape[1], np.int32)
            for column in spelt[first : first + NARROW_DIGITS]:
                narrow *= 10
                narrow += column - ZERO
            number *= 10 ** min(NARROW_DIGITS, len(spelt) - first)
            number += narrow
        return number if digits is None else number * 10 ** max(0, digits - (end - start))


@dataclass(frozen=True, slots=True)
class Epoch:
    """A number, its point always at the same place."""

    layout: Layout
    shift: int

    def read(self, columns: Columns) -> tuple[Numbers, Flags]:
        """Microseconds of each text, and whether they are right."""
        whole = self.layout.number(columns, "whole")
        fraction = self.layout.number(columns, "fraction", self.shift)
        return whole * 10**self.shift + fraction, self.layout.fits(columns)

    def read_words(self, words: NDArray[np.uint64]) -> tuple[Numbers, Flags]:
        """The same of texts of the layout's length, eight bytes a word (``segments.Cut``)."""
        right = np.ones(words.shape[1], np.bool_)
        for place, byte in self.layout.between.items():
            right &= digits.piece(words, place, 1) >> np.uint64(56) == byte
        known = _number_of(words, self.layout.parts["whole"], right)
        start, end = self.layout.parts.get("fraction", (0, 0))
        known *= 10**self.shift
        if end > start:
            fraction = _number_of(words, (start, min(end, start + self.shift)), right)
            fraction *= 10 ** max(0, self.shift - (end - start))
            known += fraction
            # What is cut off must be digits, too.
            _number_of(words, (start + self.shift, end), right)
        return known, right


def _number_of(words: NDArray[np.uint64], part: tuple[int, int], right: Flags) -> Numbers:
    """The number that a part spells; ``right`` goes down where it has other bytes than digits."""
    known = np.zeros(words.shape[1], np.int64)
    for start in range(part[0], part[1], digits.BYTES):
        size = min(digits.BYTES, part[1] - start)
        numbers, good = digits.whole_numbers(digits.piece(words, start, size), size)
        right &= good
        known *= 10**size
        known += numbers.view(np.int64)
    return known


@dataclass(frozen=True, slots=True)
class Calendar:
    """A date and a time of day, perhaps with an offset."""

    layout: Layout
    zone: tzinfo
    year: int | None

    def read(self, columns: Columns) -> tuple[Numbers, Flags]:
        """Microseconds of each text, and whether they are right."""
        right = self.layout.fits(columns)
        days, real = self._days(columns)
        right &= real
        hour, minute, second = (
            self.layout.number(columns, part) for part in ("hour", "minute", "second")
        )
        right &= (hour <= 23) & (minute <= 59) & (second <= 60)
        local = days * times.DAY_SECONDS + hour * 3600 + minute * 60 + second
        offset, real = self._offset(columns, np.where(right, local, 0))
        right &= real
        micros = (local - offset) * times.SECOND + self.layout.number(columns, "fraction", 6)
        return micros, right & (micros >= times.EARLIEST) & (micros <= times.LATEST)

    def _days(self, columns: Columns) -> tuple[Numbers, Flags]:
        """Days since 1970 (often one for all), and whether the calendar has them."""
        parts = (self.layout.parts.get(part) for part in ("year", "month", "name", "day"))
        dates = np.concatenate([columns[slice(*span)] for span in parts if span])
        if (dates == dates[:, :1]).all():
            columns = columns[:, :1]
        day = self.layout.number(columns, "day")
        month = self._month(columns)
        year = self.layout.number(columns, "year")
        if "year" not in self.layout.parts:
            year += self.year or 0
        leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
        real = (month >= 1) & (month <= 12) & (year >= 1) & (day >= 1)
        month = np.where(real, month, 1)
        real &= day <= MONTH_DAYS[month] + (leap & (month == 2))
        past = year - 1
        days = 365 * past + past // 4 - past // 100 + past // 400
        return days + DAYS_BEFORE[month] + (leap & (month > 2)) + day - times.EPOCH_DAY, real

    def _month(self, columns: Columns) -> Numbers:
        name = self.layout.parts.get("name")
        if name is None:
            return self.layout.number(columns, "month")
        first, second, third = columns[slice(*name)].astype(np.int64)
        found = ((first << 16) | (second << 8) | third)[:, None] == MONTH_CODES
        return np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0)

    def _offset(self, columns: Columns, local: Numbers) -> tuple[Numbers, Flags]:
        """Seconds ahead of UTC (perhaps one for all), and whether they are a real offset."""
        parts = self.layout.parts
        if "utc" in parts:
            return np.zeros(1, np.int64), np.ones(1, np.bool_)
        if "sign" not in parts:
            return offsets_at(local, self.zone)
        hours = self.layout.number(columns, "ahead")
        minutes = self.layout.number(columns, "minutes")
        ahead = hours * 3600 + minutes * 60
        west = self.layout.between[parts["sign"][0]] == ord("-")
        return -ahead if west else ahead, (hours <= 23) & (minutes <= 59)
