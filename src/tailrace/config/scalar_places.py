"""Where the characters of a YAML scalar's value stand in the file.

A value and its text differ by quotes, escapes, folding and indentation. Characters that are not
blank come in the same order in both, so the two are walked side by side; for a blank that folding
made, the place is near.
"""

from __future__ import annotations

import re

_BLANK = " \t\r\n\x85\u2028\u2029"
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
"""An anchor or a tag before the scalar."""
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|.)", re.DOTALL)


def places_of(value: str, text: str, style: str | None) -> list[int]:
    """Return, for each character of `value` and its end, the index in `text`.

    ``text`` is what stands in the file for the scalar, with quotes or block header; ``style`` is
    PyYAML's: None, ``'``, ``"``, ``|`` or ``>``.
    """
    at = _first(text, style)
    places = []
    for character in value:
        at = _advance(text, at, character, style)
        places.append(min(at, len(text)))
        at += _width(text, at, character, style)
    places.append(min(at, len(text)))
    return places


def _first(text: str, style: str | None) -> int:
    properties = _PROPERTIES.match(text)
    start = properties.end() if properties else 0
    if style in ("|", ">"):
        end_of_header = text.find("\n", start)
        return len(text) if end_of_header < 0 else end_of_header + 1
    return start + 1 if style else start


def _advance(text: str, at: int, character: str, style: str | None) -> int:
    """Skip what stands before the character: indentation, folded lines, escaped line ends."""
    if style == '"':
        while (found := _ESCAPE.match(text, at)) and found[1] in ("\n", "\r\n"):
            # A blank that begins the line after it is indentation; one that counts is escaped.
            at = found.end()
            while text[at : at + 1] in (" ", "\t"):
                at += 1
    if character in _BLANK and text[at : at + 1] in (*_BLANK, "\\"):
        return at
    while at < len(text) and text[at] in _BLANK:
        at += 1
        if style == '"':
            while (found := _ESCAPE.match(text, at)) and found[1] in ("\n", "\r\n"):
                at = found.end()
    return at


def _width(text: str, at: int, character: str, style: str | None) -> int:
    """Return how many characters of the text stand for this one."""
    if style == "'" and character == "'":
        return 2
    if style == '"' and (found := _ESCAPE.match(text, at)):
        return len(found[0])
    if character in _BLANK and text[at : at + 1] != character:
        return 0
    return 1
