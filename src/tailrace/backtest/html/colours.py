"""Which colour a rule has, and the legend that says so. The colours themselves are in ``style``."""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.backtest.html.markup import Markup, tag

NUMBER = 8
"""Colours that can be told apart; rules beyond share the last."""


def colour(place: int) -> str:
    """The class of the colour of the rule, or line, at a place."""
    return f"c{min(place, NUMBER - 1) + 1}"


def legend(names: Iterable[tuple[str, str]]) -> Markup:
    """Names with the class of the swatch before each."""
    entries = (
        tag("span", tag("i", class_=f"swatch {class_}"), name, class_="entry")
        for class_, name in names
    )
    return tag("p", *entries, class_="legend")
