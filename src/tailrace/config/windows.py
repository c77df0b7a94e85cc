"""The text of a window: ``20s``, ``20s every 1s``, ``20s sliding``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from tailrace.config.complaints import expected, refusal
from tailrace.config.kinds import Kind
from tailrace.config.units import DURATION_PATTERN, Duration, render_duration
from tailrace.config.values import shown

_FORMS = (
    "a window is 'SIZE', 'SIZE every EVERY' or 'SIZE sliding', for example 1m, 20s every 1s or"
    " 20s sliding"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Windows ``[start, start + size)`` at each multiple of ``every``; both in microseconds.

    ``sliding``: instead there is a window ``(t - size, t]`` for every instant ``t``.

    >>> Window.parse("20s every 1s")
    Window(size=20000000, every=1000000, sliding=False)
    """

    size: int
    every: int
    sliding: bool = False

    def __post_init__(self) -> None:
        """Refuse, with ValueError, windows that leave out time or have no length."""
        if self.size <= 0 or self.every <= 0:
            raise ValueError("a window's size and every must be above 0")
        if self.every > self.size:
            every, size = render_duration(self.every), render_duration(self.size)
            raise ValueError(f"every {every} is longer than the size {size}: events would be lost")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one of the forms; ValueError in words for anything else."""
        slides = re.fullmatch(r"\s*(\S+)\s+sliding\s*", text)
        if slides is not None:
            return cls(int(Duration(slides[1])), int(Duration(slides[1])), sliding=True)
        found = re.fullmatch(r"\s*(\S+)(?:\s+every\s+(\S+))?\s*", text)
        if found is None:
            raise ValueError(f"{shown(text)} is not a window")
        size = Duration(found[1])
        return cls(int(size), int(Duration(found[2]) if found[2] else size))

    def __str__(self) -> str:
        """The canonical text."""
        size = render_duration(self.size)
        if self.sliding:
            return f"{size} sliding"
        return size if self.every == self.size else f"{size} every {render_duration(self.every)}"


def _guess(text: str) -> str | None:
    """What a window with a mistyped word was to be."""
    size, *words = text.split()
    meant = get_close_matches(words[0].casefold(), ("sliding", "every"), n=1) if words else []
    if not meant:
        return None
    guess = " ".join((size, meant[0], *words[1:]))
    try:
        Window.parse(guess)
    except ValueError:
        return None
    return f"did you mean {shown(guess)}?"


def _window(value: object) -> Window:
    if isinstance(value, Window):
        return value
    if not isinstance(value, str):
        raise expected("a window such as '20s every 1s'", value)
    try:
        return Window.parse(value)
    except ValueError as error:
        told = str(error)
        found = "" if shown(value) in told else f", found {shown(value)}"
        raise refusal(told + found, _guess(value) or _FORMS) from None


WindowText = Annotated[
    Window,
    PlainValidator(_window),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": (
                rf"^(?=.){DURATION_PATTERN}( +every +{DURATION_PATTERN}| +sliding)?$|\$\{{"
            ),
            "examples": ["1m", "20s every 1s", "20s sliding"],
        }
    ),
    Kind("window"),
]
