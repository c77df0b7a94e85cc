r"""Reading the verb `expect`.

    expect alerts RULE [KEY=VALUE ...]    revisions: REASON [START, END) name=value ...
    expect windows RULE [KEY=VALUE ...]   rows of closed windows: [START, END) name=value ...
    expect events RULE                    alerts without a window: PARTITION#NUMBER name=value ...
    expect verdicts LIST [KEY=VALUE ...]  changes of a list: STATE [SINCE, UNTIL) name=value ...
    expect archive                        events with verdicts: PARTITION#NUMBER name=value ...
    expect dead                           dead letters: PARTITION#NUMBER code=... field=...
    expect counts [RULE] name=value ...   read events dead blank, or
                                          filtered late evicted accepted errors of a rule
    expect metrics                        NAME value=NUMBER, one a line

Rows below are all there is; `expect some alerts ...` lets there be others, `expect no alerts ...`
has no rows and lets there be none. KEY=VALUE looks only at the rows that have that value. REASON is
opened, updated, resolved, input_ended or rule_removed; STATE is listed, extended, expired, banned,
allowed or lifted, and UNTIL may be `forever`. NUMBER counts the partition's records from 1. Names
are those of keys, measures or fields, `label.NAME` and `annotation.NAME`; `@` marks what the engine
adds: @revision @state @started @opened @last @resolved @flags @id @fingerprint, of verdicts @at
@count @reasons @first_seen @last_seen @listings @number @comment. What a row doesn't name isn't
compared. `~0.333` is equal to the digits written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tailrace.errors import Problem, Where
from tailrace.testing.canonical import FOREVER
from tailrace.testing.case import (
    Attributes,
    CaseFileError,
    Expectation,
    ExpectedRow,
    Kind,
    Match,
)
from tailrace.testing.tokens import Token, Unreadable, expected, instant, tokens

REASONS = ("opened", "updated", "resolved", "input_ended", "rule_removed")
STATES = ("listed", "extended", "expired", "banned", "allowed", "lifted")
COUNTS = ("read", "events", "dead", "blank")
RULE_COUNTS = ("filtered", "late", "evicted", "accepted", "errors", "forgotten")
LIFE = ("revision", "state", "started", "opened", "last", "resolved", "id", "fingerprint", "flags")
MARKS = {
    Kind.ALERTS: LIFE,
    Kind.WINDOWS: ("id", "flags"),
    Kind.EVENTS: ("id", "time"),
    Kind.DEAD: (),
    Kind.COUNTS: (),
    Kind.METRICS: (),
    Kind.VERDICTS: (
        *("at", "count", "reasons", "first_seen", "last_seen", "listings", "number", "comment"),
        "id",
    ),
    Kind.ARCHIVE: ("time",),
}
WITHOUT_RULE = {Kind.DEAD, Kind.METRICS, Kind.ARCHIVE}
WORDS = {
    Kind.ALERTS: ("reason of a revision", REASONS),
    Kind.VERDICTS: ("state of a verdict", STATES),
}
_RECORD = re.compile(r"(.+)#(\d+)")


def expectation(
    where: Where, words: Sequence[Token], block: Sequence[tuple[int, str]], base: int
) -> Expectation:
    """Read one `expect`; raises Unreadable, or CaseFileError for problems of the block's lines."""
    rest = list(words)
    match = Match.EXACT
    if rest and rest[0].text in {Match.SOME, Match.NONE}:
        match = Match(rest.pop(0).text)
    if not rest or rest[0].text not in set(Kind):
        raise Unreadable("expected what of?", 1, hint="one of: " + " ".join(Kind))
    kind = Kind(rest.pop(0).text)
    rule = rest.pop(0).text if rest and rest[0].kind == "word" else None
    if (rule is None) != (kind in WITHOUT_RULE) and kind is not Kind.COUNTS:
        needs = "names no rule" if rule else "needs the name of a rule"
        raise Unreadable(f"'expect {kind}' {needs}", 1)
    only = _attributes(rest, kind, base)
    rows = _rows(where.file, kind, block, base)
    if kind is Kind.COUNTS:
        _check_counts(rule, only, rows, match)
    elif (match is Match.NONE) == bool(rows):
        if rows:
            raise Unreadable(f"'expect no {kind}' has no rows", 1)
        hint = f"that there are none is: expect no {kind}" + (f" {rule}" if rule else "")
        raise Unreadable(f"'expect {kind}' needs rows", 1, hint=hint)
    return Expectation(where, kind, match, rule, only, rows)


def _check_counts(
    rule: str | None, only: Attributes, rows: tuple[ExpectedRow, ...], match: Match
) -> None:
    known = RULE_COUNTS if rule else COUNTS
    if rows or match is not Match.EXACT or not only:
        raise Unreadable("expected: expect counts [RULE] NAME=NUMBER ...", 1)
    for name, _ in only:
        if name not in known:
            whose = "a rule's counts" if rule else "the counts"
            raise Unreadable(f"{name} is none of {whose}", 1, hint="they are: " + " ".join(known))


def _rows(
    file: str, kind: Kind, block: Sequence[tuple[int, str]], base: int
) -> tuple[ExpectedRow, ...]:
    found: list[ExpectedRow] = []
    problems: list[Problem] = []
    for number, line in block:
        text = line.strip()
        if text.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        try:
            found.append(_row(Where(file, number, indent + 1), kind, text, base))
        except Unreadable as error:
            place = Where(file, number, error.column)
            problems.append(Problem(error.message, place, error.hint))
    if problems:
        raise CaseFileError(problems=tuple(problems))
    return tuple(found)


def _row(where: Where, kind: Kind, text: str, base: int) -> ExpectedRow:
    column = where.column or 1
    found = [token for token in tokens(text, column) if token.kind != "comment"]
    shown = text[: found[-1].column - column].rstrip() if len(found) > 1 else ""
    shown = (shown + " " + _shown(found[-1])).strip()
    word: str | None = None
    window: tuple[int, int] | None = None
    record: tuple[str, int] | None = None
    if kind in {Kind.EVENTS, Kind.DEAD, Kind.ARCHIVE}:
        record = _record(found.pop(0))
    elif kind is Kind.METRICS:
        word = found.pop(0).text
    elif kind in WORDS:
        word = found.pop(0).text
        what, known = WORDS[kind]
        if word not in known:
            hint = "the row begins with one of: " + " ".join(known)
            raise Unreadable(f"{word!r} is no {what}", column, hint)
    if kind in {Kind.ALERTS, Kind.WINDOWS, Kind.VERDICTS}:
        if found and found[0].kind == "window":
            window = _window(found.pop(0), base)
        elif kind is Kind.WINDOWS:
            raise Unreadable("a window's row begins with the window: [0s, 10s)", column)
    return ExpectedRow(where, shown, word, window, record, _attributes(found, kind, base))


def _shown(token: Token) -> str:
    return f"{token.name}={token.text}" if token.kind == "attribute" else token.text


def _record(token: Token) -> tuple[str, int]:
    match = _RECORD.fullmatch(token.text)
    if token.kind != "word" or match is None:
        hint = "p0#3 is the third record of p0"
        raise Unreadable(f"{token.text} is no record", token.column, hint)
    return match[1], int(match[2])


def _window(token: Token, base: int) -> tuple[int, int]:
    start, end = (_bound(part.strip(), base) for part in token.text[1:-1].split(","))
    if start is None or end is None or start > end:
        raise Unreadable(f"{token.text} is no window", token.column, hint="[0s, 10s)")
    return start, end


def _bound(text: str, base: int) -> int | None:
    return FOREVER if text == "forever" else instant(text, base)


def _attributes(words: Sequence[Token], kind: Kind, base: int) -> Attributes:
    found = {}
    for word in words:
        if word.kind != "attribute":
            raise Unreadable(f"expected name=value, not {word.text!r}", word.column)
        if word.name in found:
            raise Unreadable(f"{word.name} stands here twice", word.column)
        if word.mark and word.name[1:] not in MARKS[kind]:
            known = " ".join(f"@{name}" for name in MARKS[kind])
            hint = f"there are: {known}" if known else None
            raise Unreadable(f"{kind} have no {word.name}", word.column, hint)
        found[word.name] = expected(word.text, word.column, base)
    return tuple(found.items())
