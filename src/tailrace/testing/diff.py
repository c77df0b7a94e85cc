"""The lines of a readable diff: expected and got rows below each other, in columns."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tailrace.testing.canonical import FOREVER, Shown
from tailrace.testing.case import Case, Expectation, ExpectedRow
from tailrace.testing.outcome import Instant, Value

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_UNITS = ((604_800_000_000, "w"), (86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"))


def row_lines(
    case: Case, expectation: Expectation, got: Sequence[Shown], pairs: Mapping[int, int]
) -> tuple[str, ...]:
    """Write all rows: `=` as expected, `-` expected but missing, `+` got but not expected.

    A missing row is followed by the unexpected one that is most like it. Both show what the
    expected row mentions; an unexpected row by itself shows what any of them mentions.
    """
    names = list(dict.fromkeys(n for row in expectation.rows for n, _ in row.attributes))
    names = names or list(dict.fromkeys(n for row in got for n in row.values if n[0] != "@"))
    absolute = any(_DATE.search(row.text) for row in expectation.rows)
    base = None if absolute else case.start
    rest = [j for j in range(len(got)) if j not in set(pairs.values())]
    table: list[list[str]] = []
    for i, row in enumerate(expectation.rows):
        mentioned = dict(row.attributes) or names
        if i in pairs:
            table.append(["=", *_got_cells(got[pairs[i]], names, base, mentioned)])
            continue
        table.append(["-", *_expected_cells(row, names, base)])
        if rest:
            likely = [["+", *_got_cells(got[j], names, base, mentioned)] for j in rest]
            at = max(
                range(len(rest)), key=[_likeness(table[-1], each) for each in likely].__getitem__
            )
            table.append(likely[at])
            del rest[at]
    table.extend(["+", *_got_cells(got[j], names, base, names)] for j in rest)
    return _aligned(table)


def count_lines(expected: Mapping[str, str], got: Mapping[str, int]) -> tuple[str, ...]:
    """Write expected and got counts below each other."""
    return _aligned(
        [
            ["-", *(f"{name}={text}" for name, text in expected.items())],
            ["+", *(f"{name}={got[name]}" for name in expected)],
        ]
    )


def _likeness(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def _aligned(table: Sequence[Sequence[str]]) -> tuple[str, ...]:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return tuple(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width
        ).rstrip()
        for row in table
    )


def _expected_cells(row: ExpectedRow, names: Sequence[str], base: int | None) -> list[str]:
    values = dict(row.attributes)
    record = f"{row.record[0]}#{row.record[1]}" if row.record else ""
    window = _window(row.window, base)
    cells = (f"{name}={values[name].text}" if name in values else "" for name in names)
    return [row.word or record, window, *cells]


def _got_cells(
    row: Shown, names: Sequence[str], base: int | None, mentioned: Container[str]
) -> list[str]:
    record = f"{row.record[0]}#{row.record[1]}" if row.record else ""
    cells = [row.word or record, _window(row.window, base)]
    for name in names:
        if name not in mentioned:
            cells.append("")
        elif name in row.values:
            cells.append(f"{name}={_text(row.values[name], base)}")
        else:
            cells.append(f"{name}: none")
    return cells


def _window(window: tuple[int, int] | None, base: int | None) -> str:
    if window is None:
        return ""
    end = "forever" if window[1] == FOREVER else time_text(window[1], base)
    return f"[{time_text(window[0], base)}, {end})"


def _text(value: Value, base: int | None) -> str:
    """A value as a test file would write it."""
    if isinstance(value, Instant):
        return time_text(value.micros, base)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return repr(value)
    plain = value and not any(mark in value for mark in ' "#=[\t') and value.isprintable()
    numeric = value[:1] in "-0123456789" and value[-1:].isdigit() and value.count(".") < 2
    if plain and not numeric and value not in {"null", "true", "false"} and value[0] != "~":
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def time_text(micros: int, base: int | None) -> str:
    """A time relative to `base` (`1m12.5s`), or ISO 8601 if there is no base."""
    if base is None:
        try:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        except OverflowError:
            base = 0
        else:
            return moment.replace(tzinfo=None).isoformat() + "Z"
    rest = abs(micros - base)
    parts = ["-"] if micros < base else []
    for size, unit in _UNITS:
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    if rest or micros == base:
        seconds = f"{rest // 1_000_000}.{rest % 1_000_000:06d}".rstrip("0").rstrip(".")
        parts.append(f"{seconds}s")
    return "".join(parts)
