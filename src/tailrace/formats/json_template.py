"""The template of a JSON record: what stays the same when only its plain values change.

Programs write their records with the same keys in the same order. A template is learnt from one
such record: the literals around its values, and which declared path each value belongs to. A record
of the same literals with other plain values is JSON of the same structure, so that its values are
known without parsing it. What plain means, and finding the values, is ``json_matching``'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tailrace.formats.paths import Path

MOST_VALUES = 64
DEEPEST = 8
"""Records with more values, or nested deeper, have no template."""

_BLANKS = re.compile(rb"[ \t\r\n]*")
_TEXT = re.compile(rb'"[^"\\]*"')
_WORD = re.compile(rb"[^ \t\r\n,}\]]+")
_CONSTANTS = {b"true", b"false", b"null"}


class _Irregular(Exception):  # noqa: N818 - no error: the record has no template
    """The record holds something that a template can't."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value that differs from record to record: a string's contents, or a number's digits."""

    path: Path
    start: int
    end: int
    number: bool


@dataclass(frozen=True, slots=True)
class Constant:
    """``true``, ``false`` or (``text`` False) ``null``: the same in all records of a template."""

    path: Path
    start: int
    end: int
    text: bool


@dataclass(frozen=True, slots=True)
class Template:
    """``literals``: the bytes before, between and after the values, one more than there are values.

    ``constants``: for each literal those within it, their places counted from its first byte.
    """

    values: tuple[Value, ...]
    literals: tuple[bytes, ...]
    constants: tuple[tuple[Constant, ...], ...]

    @property
    def controls(self) -> int:
        """How many bytes below 32 the literals hold."""
        return sum(byte < ord(" ") for literal in self.literals for byte in literal)

    def expected(self, number: int) -> int:
        """The length of a value in the record that the template was learnt from."""
        return self.values[number].end - self.values[number].start


def template_of(record: bytes, paths: Sequence[Path]) -> Template | None:
    """The template of a record with its line end; None if it is not regular enough to have one.

    It has none if it is no JSON object, has an escape, an array or a key twice, or if one of
    ``paths`` leads to an object.
    """
    try:
        json.loads(record.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        walk = _Walk(record)
        walk.read()
    except (ValueError, RecursionError, _Irregular):
        return None
    if walk.objects & set(paths) or len(walk.values) > MOST_VALUES:
        return None
    edges = [0, *(place for value in walk.values for place in (value.start, value.end))]
    edges.append(len(record))
    spans = list(zip(edges[0::2], edges[1::2], strict=True))
    constants = tuple(
        tuple(
            Constant(one.path, one.start - first, one.end - first, one.text)
            for one in walk.constants
            if first <= one.start < end
        )
        for first, end in spans
    )
    return Template(tuple(walk.values), tuple(record[a:b] for a, b in spans), constants)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Irregular
    return found


def _refuse(_: str) -> object:
    raise _Irregular


class _Walk:
    """Walks over one record that is known to be JSON."""

    def __init__(self, record: bytes) -> None:
        self._record = record
        self.values: list[Value] = []
        self.constants: list[Constant] = []
        self.objects: set[Path] = set()

    def read(self) -> None:
        start = self._skip(0)
        if self._record[start : start + 1] != b"{":
            raise _Irregular
        self._object(start + 1, ())

    def _skip(self, at: int) -> int:
        blanks = _BLANKS.match(self._record, at)
        return blanks.end() if blanks else at

    def _object(self, at: int, path: Path) -> int:
        """Read on behind an opening brace; the place behind the closing one."""
        if len(path) == DEEPEST:
            raise _Irregular
        while True:
            at = self._skip(at)
            match self._record[at : at + 1]:
                case b"}":
                    return at + 1
                case b",":
                    at += 1
                case _:
                    key, at = self._text(at)
                    at = self._skip(self._skip(at) + 1)
                    at = self._value(at, (*path, key))

    def _value(self, at: int, path: Path) -> int:
        match self._record[at : at + 1]:
            case b"{":
                self.objects.add(path)
                return self._object(at + 1, path)
            case b"[":
                raise _Irregular
            case b'"':
                _, end = self._text(at)
                self.values.append(Value(path, at + 1, end - 1, number=False))
                return end
        found = _WORD.match(self._record, at)
        if found is None:
            raise _Irregular
        if found[0] in _CONSTANTS:
            self.constants.append(Constant(path, at, found.end(), text=found[0] != b"null"))
        else:
            self.values.append(Value(path, at, found.end(), number=True))
        return found.end()

    def _text(self, at: int) -> tuple[str, int]:
        """The contents of a string, and the place behind it."""
        found = _TEXT.match(self._record, at)
        if found is None or self._record[found.end() - 1 : found.end()] != b'"':
            raise _Irregular
        return found[0][1:-1].decode(), found.end()
