"""How values that a user gave are shown in errors: short, escaped, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_LONGEST = 60
_redact: ContextVar[Callable[[str], str] | None] = ContextVar("redact", default=None)


@contextmanager
def redacting(redact: Callable[[str], str]) -> Iterator[None]:
    """Within the block, `shown` passes texts through `redact` before it shortens them."""
    token = _redact.set(redact)
    try:
        yield
    finally:
        _redact.reset(token)


def escaped(text: str) -> str:
    """Return `text` with every character that isn't printable written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(text: str) -> str:
    """Return `text` in quotes, fit for one line of a terminal."""
    redact = _redact.get()
    line = escaped(redact(text) if redact else text)
    return f"'{line}'" if len(line) <= _LONGEST else f"'{line[:_LONGEST]}...'"


def described(value: object) -> str:
    """Say what `value` is: the text itself, or "a list", "a mapping", "nothing", a type's name."""
    match value:
        case None:
            words = "nothing"
        case str():
            words = shown(value) if value else "empty text"
        case bool():
            words = "true" if value else "false"
        case int() | float():
            words = f"the number {value!r}"
        case Mapping():
            words = "a mapping"
        case list() | tuple():
            words = "a list"
        case _:
            words = f"a value of type {type(value).__name__}"
    return words


def written(value: object) -> str:
    """Return an example's value as one would write it in the file, in one line."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key}: {written(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(written(item) for item in value) + "]"
        case bool():
            return str(value).lower()
        case str() if (
            not value or value[0] in "{[*&!%@`'\"|>#-?:," or ", " in value or ": " in value
        ):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)
