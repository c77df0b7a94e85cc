"""Guesses at what a mistyped name should have been."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tailrace.config.values import escaped, shown

_LISTED = 12
"""So many names are listed when none of them is close."""


def suggestion(name: str, known: Iterable[str], what: str) -> str | None:
    """Return a hint for `name`, which is none of the `known` ones; None if there are none.

    ``what`` is the plural that the list of names is introduced with ("known keys").
    """
    names = list(dict.fromkeys(known))
    folded = {candidate.casefold(): candidate for candidate in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {shown(folded[close[0]])}?"
    if not names:
        return None
    listed = escaped(", ".join(names[:_LISTED]))
    return f"{what}: {listed}{', ...' if len(names) > _LISTED else ''}"
