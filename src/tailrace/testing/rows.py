"""Reading the block of `rows`: one record a line."""

from __future__ import annotations

import re

from tailrace.errors import Problem, Where
from tailrace.testing.case import CaseFileError, Row
from tailrace.testing.tokens import Token, Unreadable, duration, instant, scalar, tokens

_ARRIVED = re.compile(r"@arrival=(\S+)\s+\|")
_TIMES = re.compile(r"x(\d+)")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SINGLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def rows(file: str, block: tuple[tuple[int, str], ...], base: int) -> tuple[Row, ...]:
    """Read the lines of a block; raises CaseFileError with every problem found."""
    found: list[Row] = []
    problems: list[Problem] = []
    before = base
    for number, line in block:
        if line.lstrip().startswith("#"):
            continue
        try:
            read = _line(Where(file, number, _indent(line) + 1), line, base, before)
        except Unreadable as error:
            place = Where(file, number, error.column)
            problems.append(Problem(error.message, place, error.hint))
            continue
        found.extend(read)
        before = next((row.time for row in reversed(read) if row.time is not None), before)
    if problems:
        raise CaseFileError(problems=tuple(problems))
    return tuple(found)


def table(file: str, block: tuple[tuple[int, str], ...]) -> tuple[Row, ...]:
    """Read the rows of a reference: values without a time; CaseFileError as above."""
    found: list[Row] = []
    problems: list[Problem] = []
    for number, line in block:
        if line.lstrip().startswith("#"):
            continue
        where = Where(file, number, _indent(line) + 1)
        try:
            words = [w for w in tokens(line.strip(), _indent(line) + 1) if w.kind != "comment"]
            found.append(_row(where, 0, words, None, 0, ""))
        except Unreadable as error:
            problems.append(Problem(error.message, Where(file, number, error.column), error.hint))
    if problems:
        raise CaseFileError(problems=tuple(problems))
    return tuple(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line(where: Where, line: str, base: int, before: int) -> list[Row]:
    text = line.lstrip()
    if text.startswith("|"):
        return [Row(where, raw=_raw(text[1:], _indent(line) + 2))]
    if arrived := _ARRIVED.match(text):
        arrival = instant(arrived[1], base)
        if arrival is None:
            raise Unreadable(f"{arrived[1]} is not a time", _indent(line) + 1)
        raw = _raw(text[arrived.end() :], _indent(line) + arrived.end() + 1)
        return [Row(where, raw=raw, arrival=arrival)]
    words = tokens(text, _indent(line) + 1)
    comment = "".join(token.text[1:].strip() for token in words if token.kind == "comment")
    words = [token for token in words if token.kind != "comment"]
    time = _time(words[0], base, before)
    count, every, rest = _repetition(words[1:])
    return [
        _row(where, time + i * every, rest, i if count > 1 else None, base, comment)
        for i in range(count)
    ]


def _time(word: Token, base: int, before: int) -> int:
    if word.kind == "word":
        found = instant(word.text.removeprefix("+"), before if word.text[0] == "+" else base)
        if found is not None:
            return found
    raise Unreadable(
        f"a row begins with its time, not {word.text!r}",
        word.column,
        hint="12.5s, +1s (after the row before) or 2024-03-31T00:00:00Z; raw records begin with |",
    )


def _repetition(words: list[Token]) -> tuple[int, int, list[Token]]:
    """Take `xN` and the `every DURATION` behind it out of a row's words."""
    for at, word in enumerate(words):
        match = _TIMES.fullmatch(word.text) if word.kind == "word" else None
        if match is None:
            continue
        behind = words[at + 1 : at + 3]
        if not behind or behind[0].kind != "word" or behind[0].text != "every":
            return int(match[1]), 0, words[:at] + words[at + 1 :]
        every = duration(behind[-1].text)
        if every is None:
            raise Unreadable(f"{behind[-1].text!r} is not a duration", behind[-1].column)
        return int(match[1]), every, words[:at] + words[at + 3 :]
    return 1, 0, words


def _row(
    where: Where, time: int, words: list[Token], i: int | None, base: int, comment: str
) -> Row:
    values = {}
    arrival = None
    for word in words:
        if word.kind != "attribute":
            raise Unreadable(f"expected name=value, not {word.text!r}", word.column)
        text = word.text if i is None else word.text.replace("{i}", str(i))
        if word.mark and word.name == "@arrival":
            arrival = instant(text.removeprefix("+"), time if text[0] == "+" else base)
            if arrival is None:
                raise Unreadable(f"{text} is not a time", word.column)
        elif word.mark:
            raise Unreadable(f"a row has no {word.name}", word.column, hint="it may have @arrival")
        elif word.name in values:
            raise Unreadable(f"{word.name} stands here twice", word.column)
        else:
            values[word.name] = scalar(text, word.column)
    return Row(where, time, tuple(values.items()), None, arrival, comment)


def _raw(text: str, column: int) -> bytes:
    """Bytes of a raw record: ` text` as it is, or `"text"` with escapes."""
    if not text.startswith('"'):
        return text.removeprefix(" ").encode()
    if len(text) < 2 or not text.endswith('"'):
        raise Unreadable("the quoted record isn't closed", column)

    def replaced(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code[:1] == b"x" and len(code) == 3:
            return bytes([int(code[1:], 16)])
        if code[:1] == b"u" and len(code) == 5:
            return chr(int(code[1:], 16)).encode("utf-8", "surrogatepass")
        return _SINGLE.get(code, code)

    data = _ESCAPE.sub(replaced, text[1:-1].encode())
    if b"\n" in data:
        raise Unreadable("a record has no line end inside; these are two records", column)
    return data
