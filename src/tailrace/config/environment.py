"""``${NAME}`` and ``${NAME:-default}`` in texts of the pipeline file; ``$${`` for a plain ``${``.

Filled in after YAML has been read, so that a value from outside can't add to the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\$\{)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text written (from `start`) that became the stretch of the result `at`."""

    start: int
    at: int
    length: int
    literal: bool


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the reference at the character `offset`."""

    offset: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its references filled in."""

    text: str
    pieces: tuple[Piece, ...]
    secrets: Mapping[str, str]
    mistakes: tuple[Mistake, ...]

    def origin(self, offset: int) -> int:
        """Return where in the text written the character `offset` of the result comes from."""
        for piece in reversed(self.pieces):
            if offset >= piece.at:
                return piece.start + (offset - piece.at if piece.literal else 0)
        return offset


_ADDRESS = re.compile(
    r"(https?://)?([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+:[0-9]{1,5}(,\s*([A-Za-z0-9.-]+):[0-9]{1,5})*/?"
)


def _may_be_secret(value: str) -> bool:
    """Whether people must not see a value; that of an address helps them."""
    return bool(value) and _ADDRESS.fullmatch(value) is None


def fill(text: str, env: Mapping[str, str]) -> Filled:
    """Fill in the references of a text; secrets are the values taken from `env`, by value."""
    if "${" not in text:
        return Filled(text, (Piece(0, 0, len(text), literal=True),), {}, ())
    result: list[str] = []
    pieces: list[Piece] = []
    secrets: dict[str, str] = {}
    mistakes: list[Mistake] = []
    length = 0

    def add(start: int, part: str, *, literal: bool) -> None:
        nonlocal length
        pieces.append(Piece(start, length, len(part), literal))
        result.append(part)
        length += len(part)

    end = 0
    for found in _REFERENCE.finditer(text):
        add(end, text[end : found.start()], literal=True)
        end = found.end()
        if found["bad"]:
            hint = "write ${NAME} or ${NAME:-default}; for a plain '${' write '$${'"
            mistakes.append(Mistake(found.start(), "'${' begins no reference", hint))
        elif found["name"] is None:
            add(found.start() + 1, "${", literal=True)
        else:
            value, problem = _value(found["name"], found["default"], env)
            if problem:
                mistakes.append(Mistake(found.start(), *problem))
            elif found["name"] in env and value == env[found["name"]] and _may_be_secret(value):
                secrets[value] = found["name"]
            add(found.start(), value, literal=False)
    add(end, text[end:], literal=True)
    return Filled("".join(result), tuple(pieces), secrets, tuple(mistakes))


def _value(
    name: str, default: str | None, env: Mapping[str, str]
) -> tuple[str, tuple[str, str] | None]:
    value = env.get(name)
    if default is not None and not value:
        return default, None
    if value is None:
        hint = f"set it, or give a default: ${{{name}:-value}}; for a plain '${{' write '$${{'"
        return "", (f"the environment variable {name} is not set", hint)
    if "\0" in value or not _is_unicode(value):
        return "", (f"the environment variable {name} is not UTF-8 text", "set it to plain text")
    return value, None


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_PLACES = frozenset({"name", "source", "outputs", "store", "archive"})
"""Sections that say where things are, not what rules mean; they may hold credentials."""


def meaning_env(text: str, env: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that the meaning of rules depends on, None for one that isn't set.

    With them the same pipeline can be read again later, whatever the environment is then.
    """
    if not _REFERENCE.search(text):
        return {}
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode):
        return {}
    names = {
        found["name"]
        for key, value in top.value
        if key.value not in _PLACES
        for found in _REFERENCE.finditer(text[value.start_mark.index : value.end_mark.index])
        if found["name"]
    }
    return {name: env.get(name) for name in sorted(names)}
