"""The patterns of ``like``: ``%`` is any text, ``_`` is one character, all else is itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from tailrace.expr.texts import lower_ascii


def like_pattern(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    """What tells whether a text matches, in time proportional to text times pattern at worst.

    The pieces between ``%`` are looked for one after another, each at its first place: no
    backtracking, so no text can make it slow.
    """
    if ignore_case:
        pattern = lower_ascii(pattern)
    head, *inner = (_compiled(piece) for piece in pattern.split("%"))
    tail = pattern.rpartition("%")[2]

    def matches(text: str) -> bool:
        if ignore_case:
            text = lower_ascii(text)
        if not inner:
            return head.fullmatch(text) is not None
        found = head.match(text)
        for piece in inner[:-1]:
            found = found and piece.search(text, found.end())
        last = len(text) - len(tail)
        return found is not None and found.end() <= last and inner[-1].match(text, last) is not None

    return matches


def _compiled(piece: str) -> re.Pattern[str]:
    expression = "".join("." if character == "_" else re.escape(character) for character in piece)
    return re.compile(expression, re.DOTALL)
