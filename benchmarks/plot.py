"""A plot of a few lines as SVG, both axes logarithmic; nothing is installed for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 340, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 34, 46
COLOURS = ("#c2410c", "#1d4ed8", "#15803d")

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes: points (x, y) of each line by its name; x values have ticks."""

    title: str
    x: str
    y: str
    lines: Mapping[str, Line]


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side."""
    width = WIDTH * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}">',
        "<style>text {font: 11px sans-serif}</style>",
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({number * WIDTH} 0)">', *_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel) -> list[str]:
    points = [point for line in panel.lines.values() for point in line]
    xs = sorted({x for x, _ in points})
    low = 10 ** math.floor(math.log10(min(y for _, y in points)))
    high = 10 ** math.ceil(math.log10(max(y for _, y in points)))
    low, high = (low, high) if low < high else (low / 10, high)

    def across(x: float) -> float:
        share = math.log(x / xs[0]) / math.log(xs[-1] / xs[0]) if len(xs) > 1 else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        share = math.log(y / low) / math.log(high / low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    middle, centre = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    found = [
        _text(middle, 16, panel.title, "middle", "bold"),
        _text(middle, HEIGHT - 8, panel.x, "middle"),
        f'<g transform="translate(12 {centre:.0f}) rotate(-90)">',
        _text(0, 0, panel.y, "middle"),
        "</g>",
    ]
    value = low
    while value <= high * 1.001:
        y = down(value)
        found.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd" stroke-width="1"/>')
        found.append(_text(LEFT - 6, y + 4, f"{value:g}", "end"))
        value *= 10
    found += [_text(across(x), HEIGHT - BOTTOM + 16, short(x), "middle") for x in xs]
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[number]
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in line)
        found.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        found += [
            f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>'
            for x, y in line
        ]
        found.append(
            f'<text x="{LEFT + 8}" y="{TOP + 12 + 14 * number}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return found


def _text(x: float, y: float, text: str, anchor: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def short(number: float) -> str:
    """A number with its thousands or millions as a letter: ``4M``, ``10k``."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:g}{letter}"
    return f"{number:g}"
