"""Settings from a HOCON file (``application.conf``): dotted paths with their texts and places.

What configurations of Scala programs are made of: nested braces, dotted and quoted keys, ``=`` and
``:``, comments, quoted and bare values, ``${NAME}`` and ``${?NAME}`` for the environment. Lists,
``include`` and references to other settings are told, not followed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from tailrace.errors import Problem, TailraceError, Where

MOST_CHARACTERS = 1 << 18
MOST_DEPTH = 50

_SPACE = re.compile(r"(?:[ \t\r\u00a0\ufeff]|#[^\n]*|//[^\n]*)*")
_BREAKS = re.compile(r"(?:[ \t\r\n,\u00a0\ufeff]|#[^\n]*|//[^\n]*)*")
_KEY_PART = re.compile(r'[^\s.{}\[\]":=,+#\\$?!@*&^`\'/]+')
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_TRIPLE = re.compile(r'"""(.*?)"""', re.DOTALL)
_BARE = re.compile(r'(?:(?!//)[^\n,{}\[\]"#$])+')
_REFERENCE = re.compile(r"\$\{(\??)([^}\n]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Setting:
    """The text of a setting, references to the environment as pipeline files write them."""

    text: str
    line: int

    @property
    def refers(self) -> bool:
        """Whether something of it comes from the environment."""
        return re.search(r"(?<!\$)\$\{", self.text) is not None


@dataclass(slots=True)
class Settings:
    """All settings of a file, by dotted path; ``notes``: what was passed over."""

    values: dict[str, Setting] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)


def parse(text: str, file: str) -> Settings:
    """Read a file's text; TailraceError where it isn't HOCON."""
    if len(text) > MOST_CHARACTERS:
        raise TailraceError(f"more than {MOST_CHARACTERS:,} characters", where=Where(file))
    reader = _Reader(text, file)
    reader.read()
    return reader.found


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text, self._file, self._at = text, file, 0
        self.found = Settings()

    def read(self) -> None:
        self._skip(_BREAKS)
        braced = self._next("{")
        self._fields("", 1)
        if braced and not self._next("}"):
            raise self._error("a } is missing at the end of the file")
        self._skip(_BREAKS)
        if self._at < len(self._text):
            raise self._error(f"{self._text[self._at]!r} has no meaning here")

    def _fields(self, prefix: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise self._error(f"more than {MOST_DEPTH} braces within each other")
        while True:
            self._skip(_BREAKS)
            if self._at >= len(self._text) or self._text[self._at] == "}":
                return
            line = self._line
            key = self._key()
            self._skip(_SPACE)
            if key == "include" and self._peek('"'):
                self._take(_QUOTED)
                self._note(line, "include is not followed")
                continue
            path = prefix + key
            if self._next("{"):
                self._braces(path, depth)
            elif self._next("+="):
                self._value(path, line, depth, keep=False)
                self._note(line, f"{path} is a list, which was left out")
            elif self._next("=") or self._next(":"):
                self._value(path, line, depth)
            else:
                raise self._error(f"expected = or {{ after {path}")

    def _braces(self, path: str, depth: int) -> None:
        self._fields(f"{path}.", depth + 1)
        if not self._next("}"):
            raise self._error(f"the braces of {path} have no end")

    def _key(self) -> str:
        parts = []
        while True:
            self._skip(_SPACE)
            quoted = self._take(_QUOTED)
            part = self._unquoted(quoted) if quoted is not None else self._take(_KEY_PART)
            if part is None:
                raise self._error("expected the name of a setting")
            parts.append(part)
            self._skip(_SPACE)
            if not self._next("."):
                return ".".join(parts)

    def _value(self, path: str, line: int, depth: int, *, keep: bool = True) -> None:
        self._skip(_SPACE)
        if self._next("{"):
            self._braces(path, depth)
            return
        if self._peek("["):
            self._list(path)
            if keep:
                self._note(line, f"{path} is a list, which was left out")
            return
        text = self._parts(path, line)
        if text is not None and keep:
            self.found.values[path] = Setting(text, line)

    def _parts(self, path: str, line: int) -> str | None:
        """The text of a value; None if it is to be left as it was."""
        parts: list[str] = []
        missing = True
        while True:
            if (found := _TRIPLE.match(self._text, self._at)) is not None:
                self._at = found.end()
                parts.append(_escaped(found[1]))
            elif (quoted := self._take(_QUOTED)) is not None:
                parts.append(_escaped(self._unquoted(quoted)))
            elif (reference := _REFERENCE.match(self._text, self._at)) is not None:
                self._at = reference.end()
                text = self._reference(path, line, reference)
                if text is None:
                    continue
                parts.append(text)
            elif (bare := self._take(_BARE)) is not None:
                if not bare.strip():
                    if parts:
                        parts.append(" ")
                    continue
                parts.append(_escaped(bare))
            elif self._peek('"') or self._peek("$"):
                raise self._error("the text has no end on this line")
            else:
                break
            missing = False
        return None if missing else "".join(parts).strip()

    def _reference(self, path: str, line: int, reference: re.Match[str]) -> str | None:
        optional, name = reference[1], reference[2].strip()
        if not _NAME.fullmatch(name):
            self._note(line, f"{path} refers to {name}: only the environment is followed")
            return None
        before = self.found.values.get(path)
        if optional and before is not None and not before.refers:
            return f"${{{name}:-{before.text}}}"
        return f"${{{name}:-}}" if optional else f"${{{name}}}"

    def _list(self, path: str) -> None:
        depth = 0
        while self._at < len(self._text):
            if self._take(_QUOTED) is not None:
                continue
            character = self._text[self._at]
            self._at += 1
            depth += (character == "[") - (character == "]")
            if depth == 0:
                return
        raise self._error(f"the list {path} has no end")

    def _unquoted(self, quoted: str) -> str:
        try:
            text = json.loads(quoted, strict=False)
        except ValueError:
            raise self._error(f"{quoted} has an escape that means nothing") from None
        return str(text)

    # -- characters --------------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _next(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self._at += len(text)
        return True

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        assert found is not None  # noqa: S101 - both match the empty text
        self._at = found.end()

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _note(self, line: int, message: str) -> None:
        self.found.notes.append(Problem(message, Where(self._file, line)))

    def _error(self, message: str) -> TailraceError:
        column = self._at - (self._text.rfind("\n", 0, self._at) + 1) + 1
        return TailraceError(message, where=Where(self._file, self._line, column))


def _escaped(text: str) -> str:
    return text.replace("${", "$${")
