"""Text to tokens, each with the characters it stands on.

What tokens mean together is the grammar's subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tailrace.expr.nodes import Span
from tailrace.expr.problems import Refused, refused

MAX_CHARACTERS = 10_000

SYMBOLS = ("::", "||", "//", "<=", ">=", "<>", "!=", "==", *"+-*/%=<>(),.")

_TOKEN = re.compile(
    r"""
    (?P<blank>(?:[ \t\r\n\f\v]|--[^\n]*)+)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | '(?P<text>(?:[^']|'')*)'
  | "(?P<quoted>(?:[^"]|"")*)"
  | (?P<symbol>SYMBOLS)
    """.replace("SYMBOLS", "|".join(re.escape(symbol) for symbol in SYMBOLS)),
    re.VERBOSE,
)


class Kind(StrEnum):
    """The kinds of tokens; ``END`` closes every run of them."""

    NAME = "name"
    QUOTED = "quoted"
    NUMBER = "number"
    TEXT = "text"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` is what the token says: a name or symbol as written, the contents of quotes."""

    kind: Kind
    text: str
    span: Span

    @property
    def word(self) -> str | None:
        """The lower-case word of an unquoted name."""
        return self.text.lower() if self.kind is Kind.NAME else None

    @property
    def shown(self) -> str:
        """The token as an error message names it."""
        return "the end" if self.kind is Kind.END else f"'{self.text}'"


def tokens(text: str) -> list[Token]:
    """The tokens of ``text`` and END; raises Refused at the first character that begins none."""
    if len(text) > MAX_CHARACTERS:
        message = f"the expression has {len(text)} characters, the limit is {MAX_CHARACTERS}"
        raise refused(message, Span(MAX_CHARACTERS, len(text)), "derive fields for its parts")
    _refuse_unwritable(text)
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _no_token(text, at)
        kind = match.lastgroup or ""
        span = Span(at, match.end())
        if kind == "number" and re.match(r"[A-Za-z_.]", text[match.end() : match.end() + 1]):
            raise _bad_number(text, span)
        if kind != "blank":
            found.append(Token(Kind(kind), _said(kind, match[kind]), span))
        at = match.end()
    found.append(Token(Kind.END, "", Span(len(text), len(text))))
    return found


def _said(kind: str, text: str) -> str:
    if kind == "text":
        return text.replace("''", "'")
    return text.replace('""', '"') if kind == "quoted" else text


def _refuse_unwritable(text: str) -> None:
    for at, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            message = f"character U+{ord(character):04X} can't be part of an expression"
            raise refused(message, Span(at, at + 1))


def _no_token(text: str, at: int) -> Refused:
    character = text[at]
    if character in "'\"":
        what = "text" if character == "'" else "name"
        return refused(f"the quoted {what} that begins here has no end", Span(at, len(text)))
    hints = {
        "@": 'a field name with other characters than letters, digits and _ is quoted: "@name"',
        "`": 'names are quoted with double quotes: "name"',
        "!": "write `not`, or `!=`",
        "&": "write `and`",
        "|": "write `or`, or `||` to join texts",
        "[": "fields inside objects are declared under `fields` with `from: [outer, inner]`",
        "{": "templates belong into annotations and labels",
        "$": "parameters are not part of expressions; ${NAME} is replaced when the file is read",
        "^": "powers are not in the language; multiply",
        ";": "an expression is not a statement; leave the ; out",
        "~": "write regexp_matches(text, 'pattern')",
    }
    hint = hints.get(character)
    return refused(f"unexpected character {character!r}", Span(at, at + 1), hint)


def _bad_number(text: str, span: Span) -> Refused:
    end = span.end
    while end < len(text) and re.match(r"[A-Za-z0-9_.]", text[end]):
        end += 1
    message = f"'{text[span.start : end]}' is not a number"
    return refused(message, Span(span.start, end), "digits, one point, an exponent: 1500, 0.5, 2e9")
