"""Regular expressions: checked when an expression is read, so that none fails while data flow.

The syntax is the part of RE2's that other engines read the same way. RE2 takes time in proportion
to the text whatever the pattern; its limits on repetition and size are held here.
"""

from __future__ import annotations

import re
from string import punctuation
from typing import NamedTuple

from tailrace.expr.nodes import Literal

MAX_REPEAT = 1000
"""RE2's limit, for repetitions within each other as their product."""
MAX_SIZE = 5000
"""Characters and members of classes, each counted as often as it is repeated."""
MAX_GROUPS_DEEP = 50

_ESCAPES = frozenset("dDwWsSbBAztnrfv")
_CLASS_ESCAPES = frozenset("dDwWsStnrfv")
_SETS = frozenset("dDwWsS")
_LITERAL = frozenset(punctuation + " ")
_HEX = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})")
_COUNT = re.compile(r"\{([0-9]{1,5})(?:(,)([0-9]{1,5})?)?\}")
_POSIX = re.compile(
    r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)
_OPENING = re.compile(r"\(\?(?:P<[A-Za-z_][A-Za-z0-9_]*>|[ims]+\)|[ims]*:)")


class PatternFault(Exception):  # noqa: N818 - said to the user as part of another error
    """What is wrong with a pattern, and at which of its characters (from 0)."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(f"{what} (character {at + 1} of the pattern)")
        self.at = at


class Cost(NamedTuple):
    """What RE2 must hold for a part: characters and classes, and the deepest repetition."""

    size: int = 1
    repeats: int = 1
    repeatable: bool = True


def groups_of(pattern: str) -> int:
    """The number of capturing groups; raises PatternFault for what is no pattern."""
    reader = _Reader(pattern)
    size = reader.alternatives(0).size
    if reader.at < len(pattern):
        raise PatternFault(reader.at, "this `)` closes nothing")
    if size > MAX_SIZE:
        raise PatternFault(0, f"the pattern is too large: {size} parts, the limit is {MAX_SIZE}")
    return reader.groups


def a_pattern(literal: Literal) -> str | None:
    """The complaint about a literal that is no pattern, or None."""
    try:
        groups_of(str(literal.value))
    except PatternFault as fault:
        return f"a regular expression: {fault}"
    return None


class _Reader:
    """A cursor over a pattern; methods read one construct and give its size."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._names: set[str] = set()
        self.at = 0
        self.groups = 0

    def alternatives(self, depth: int) -> Cost:
        """Up to the closing parenthesis or the end."""
        if depth > MAX_GROUPS_DEEP:
            raise PatternFault(self.at, "groups are nested too deeply")
        size, repeats = 0, 1
        while self.at < len(self._pattern) and self._pattern[self.at] != ")":
            if self._pattern[self.at] == "|":
                self.at += 1
                size += 1
                continue
            part = self._repeated(depth)
            size, repeats = size + part.size, max(repeats, part.repeats)
        return Cost(size, repeats)

    def _repeated(self, depth: int) -> Cost:
        part = self._part(depth)
        quantifier = self.at
        times = self._times()
        if times is None:
            return part
        if not part.repeatable:
            raise PatternFault(quantifier, "there is nothing here to repeat")
        if part.repeats * times > MAX_REPEAT:
            raise PatternFault(quantifier, f"more than {MAX_REPEAT} repetitions")
        behind = self.at
        if self._times() is not None:
            raise PatternFault(behind, "a repetition of a repetition; put it in a group")
        return Cost(part.size * max(times, 1), part.repeats * max(times, 1))

    def _times(self) -> int | None:
        """The most repetitions that a quantifier here counts out; None if there is none."""
        sign = self._pattern[self.at : self.at + 1]
        if sign and sign in "*+?":
            self.at += 1
            times = 1
        elif sign == "{":
            match = _COUNT.match(self._pattern, self.at)
            if match is None:
                raise PatternFault(self.at, r"no count here; a brace itself is written \{")
            least, most = int(match[1]), int(match[3] or match[1])
            if least > most:
                raise PatternFault(self.at, "the counts are the wrong way round")
            self.at = match.end()
            times = most
        else:
            return None
        if self._pattern[self.at : self.at + 1] == "?":
            self.at += 1
        return times

    def _part(self, depth: int) -> Cost:
        sign = self._pattern[self.at]
        match sign:
            case "(":
                return self._group(depth)
            case "[":
                return Cost(self._class())
            case "\\":
                return Cost(repeatable=self._escape(_ESCAPES) not in ("b", "B", "A", "z"))
            case "*" | "+" | "?" | "{":
                begin = self.at
                self._times()
                raise PatternFault(begin, "there is nothing before to repeat")
        self.at += 1
        return Cost(repeatable=sign not in "^$")

    def _group(self, depth: int) -> Cost:
        begin = self.at
        if self._pattern.startswith("(?", begin):
            match = _OPENING.match(self._pattern, begin)
            if match is None:
                what = "groups are (...), (?:...), (?P<name>...) and (?i), (?s), (?m)"
                raise PatternFault(begin, what)
            self.at = match.end()
            if match[0].endswith(")"):
                return Cost(size=0, repeatable=False)
            if match[0].endswith(">"):
                self._named(begin, match[0])
        else:
            self.at += 1
            self.groups += 1
        inner = self.alternatives(depth + 1)
        if self.at == len(self._pattern):
            raise PatternFault(begin, "this group has no end")
        self.at += 1
        return Cost(inner.size + 1, inner.repeats)

    def _named(self, begin: int, name: str) -> None:
        if name in self._names:
            raise PatternFault(begin, "two groups have this name")
        self._names.add(name)
        self.groups += 1

    def _escape(self, known: frozenset[str]) -> str:
        """Past a backslash and what it escapes; gives the letter behind it."""
        begin = self.at
        letter = self._pattern[begin + 1 : begin + 2]
        hexadecimal = _HEX.match(self._pattern, begin + 1)
        if hexadecimal is not None:
            digits = hexadecimal[0].strip("x{}")
            if int(digits, 16) <= 0x10FFFF:
                self.at = hexadecimal.end()
                return "x"
        elif letter and (letter in known or letter in _LITERAL):
            self.at += 2
            return letter
        raise PatternFault(begin, f"\\{letter} is not known here")

    def _class(self) -> int:
        """Past a class of characters; gives the number of its members."""
        begin, members = self.at, 0
        self.at += 2 if self._pattern.startswith("[^", begin) else 1
        if self._pattern.startswith("]", self.at):
            raise PatternFault(self.at, r"a bracket itself is written \]")
        while self.at < len(self._pattern):
            if self._pattern[self.at] == "]":
                self.at += 1
                return members
            self._range()
            members += 1
        raise PatternFault(begin, "this class has no end")

    def _range(self) -> None:
        begin = self.at
        low = self._member()
        if not self._pattern.startswith("-", self.at) or self._pattern.startswith("-]", self.at):
            return
        self.at += 1
        if self.at == len(self._pattern):
            return
        high = self._member()
        if low is None or high is None or low > high:
            raise PatternFault(begin, "this is no range of characters")

    def _member(self) -> int | None:
        """One character of a class by its code point; None for a set of several."""
        begin = self.at
        posix = _POSIX.match(self._pattern, begin)
        if posix is not None:
            self.at = posix.end()
            return None
        if self._pattern.startswith("[:", begin):
            raise PatternFault(begin, "this names no class of characters")
        if self._pattern[begin] != "\\":
            self.at += 1
            return ord(self._pattern[begin])
        letter = self._escape(_CLASS_ESCAPES)
        if letter in _SETS:
            return None
        if letter == "x":
            return int(self._pattern[begin + 2 : self.at].strip("{}"), 16)
        return ord({"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}.get(letter, letter))
