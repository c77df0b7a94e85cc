"""The reference of decoding, as Markdown, with the truth table in it.

python -m tailrace.formats.reference > docs/semantics-decoding.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

from tailrace.expr.nodes import Type
from tailrace.formats.codes import Code
from tailrace.formats.spec import TimeForm
from tailrace.formats.truth import TIMES, VALUES, Entry, Value
from tailrace.formats.truth_wrapped import ARRAY_LINES, ENVELOPES, EVENT, Wrapped

INTRODUCTION = """\
# Decoding: the truth table

A record becomes an event, is blank, or is a dead letter; which of them is decided by the record
alone (and, for future times, its arrival), never by its neighbours. This page says how. Its tables
are printed from the code's own table, which the tests decode line by line:
`python -m tailrace.formats.reference`.

A **blank** record holds nothing but blanks, tabs and line ends. A UTF-8 byte order mark at the
start of a record is skipped. Whatever the format, values are first found as texts; the tables below
then say what a text becomes. A text in a CSV column or a log line is read like a JSON string.
Null and missing are null for every type; a `required` field must not be null.

A record with several faults has the first of: too long, not of the format, a missing or bad event
time, a fault of a field (in the order of declaration), a future time.
"""

JSON = """\
## JSON

- A record is one JSON object; blanks around it don't count.
- A path leads from object to object. What lies below anything else, an array included, is missing.
- Among equal keys the first one wins. Keys are compared exactly, upper and lower case included.
- A number without point and exponent is an integer of any size. Another number is the IEEE double
  next to it, and its text is the shortest one that means this double; one that no double can hold
  keeps its text. To keep every digit of a decimal, write it as a JSON string.
- An object or array is its own JSON text, without blanks.
- Beyond the standard, a comma before a closing bracket and the words `NaN`, `Infinity` (`nan`,
  `inf`, with or without minus) are taken; as numbers, the words are bad values.
- Invalid UTF-8, half a surrogate pair, a control character in a string: the record is dead, even
  if the field isn't declared.
"""

LINES = """\
### Lines of an array: `json: {array_lines: true}`

One `[` that begins a record and one `,` or `]` that ends it are taken away, before anything else
is looked at. So a file that holds one array, an object on each line, is read line by line, while it
grows, too; and messages that are such lines.
"""

ENVELOPE = """\
### Kafka Connect's envelope: `json: {envelope: connect}`

The event is the record's `payload`: an object, or a text that holds one, as a connector of files
makes it. With `array_lines` the text may be the line of an array.
"""

PLAIN = """\
## Plain values: `plain`

The whole record without its line end is one text, the value of the source key `value`. There are no
other keys; the time comes from what a Kafka message has beside its value (`_timestamp`), as a rule.
"""

LOGS = """\
## Log lines: `combined`, `common`, `log_format`

Source keys are the names of nginx's variables: `remote_addr`, `remote_user`, `time_local`,
`request`, `status`, `body_bytes_sent`, `http_referer`, `http_user_agent`. Apache's formats of the
same names are read too. Where a format has `request`, there are also `request_method`,
`request_uri` and `server_protocol`: what stands before the first blank, between, and after the
last one, if that last part begins with `HTTP/`; otherwise all three are null.

- A line must match its format as a whole. Between two variables there must be some text.
- A variable ends where the text after it in the format is found first; if the rest of the line then
  doesn't match, at the next such place. A value between double quotes ends at the first quote
  without a backslash before it (with `escape: none`: it ends like others). `time_local` and
  `time_iso8601` always have 26 and 25 bytes. A variable at the end takes the rest of the line.
- `-` is null (with `escape: json` or `none`: an empty value is null).
- `\\xHH` and Apache's `\\"`, `\\\\`, `\\n`, `\\r`, `\\t`, `\\b`, `\\v` are undone (`escape: json`:
  JSON's escapes). If the result is not UTF-8, as when somebody speaks TLS to a plain port, the
  value stays as it is written.
"""

CSV = """\
## CSV

- A record is one line. A newline inside quotes is not supported: the line is a dead letter.
- A column that begins with `"` goes to the next `"`; `""` inside is one `"`. A quote in any other
  place is a character like others.
- A column with nothing in it is null; `""` is an empty text.
- A line has as many columns as the header (or `columns`) names.
- With `header: true` the record at position 0 is the header: it counts as blank. If `columns` are
  not given it names them (reading that begins later in the file needs its end to lie within the
  first KiB); a declared field that it lacks is null.
"""

TIME = """\
## Times

Times are whole microseconds UTC in the years 0001 to 9999. Digits finer than that are cut off
(floor). `auto` means a number of seconds, `iso` or `time_local`; fields of type `time` are read
by `auto`. A text without a zone is read in `time.zone`; one without a year (`syslog`) is of year
`time.year`: the clock has no say in it.
"""

FUTURE = """\
### Future times

An event time more than `time.max_future_skew` after its arrival is a dead letter. The arrival is
`time.arrival`, read by `auto`; where that is null or not given, what the source knows; without
either the time is not checked. An arrival that can't be read is a `bad_time`.
"""

CODES = "## Dead letters\n"


def render() -> str:
    """Return the text of ``docs/semantics-decoding.md``."""
    values = [
        f"## Type `{type_}`\n\n{_values(type_, entries)}" for type_, entries in VALUES.items()
    ]
    times = [f"### `{form}`\n\n{_times(form)}" for form in TimeForm]
    codes = _table(("code", "meaning"), ((f"`{code}`", code.meaning) for code in Code))
    parts = [INTRODUCTION, *values, TIME, *times, FUTURE, JSON]
    parts += [LINES, _wrapped(ARRAY_LINES), ENVELOPE, _wrapped(ENVELOPES)]
    parts += [PLAIN, LOGS, CSV, CODES, codes]
    return "\n".join(parts)


def _values(type_: Type, entries: Iterable[Entry]) -> str:
    shown = _becomes if type_ is not Type.TIME else _instant
    rows = ((_code(entry.written), shown(entry.becomes), entry.why) for entry in entries)
    return _table(("JSON", "becomes", ""), rows)


def _times(form: TimeForm) -> str:
    chosen = (entry for entry in TIMES if entry.form is form)
    rows = ((_code(entry.written), _instant(entry.becomes), entry.why) for entry in chosen)
    return _table(("text", "becomes", ""), rows)


def _wrapped(entries: Iterable[Wrapped]) -> str:
    rows = ((_code(one.written), _record(one), one.why) for one in entries)
    return _table(("record", "becomes", ""), rows)


def _record(entry: Wrapped) -> str:
    if isinstance(entry.becomes, Code):
        return _becomes(entry.becomes)
    return "an event" if entry.becomes is EVENT else "blank"


def _becomes(value: Value) -> str:
    if isinstance(value, Code):
        return f"dead letter: `{value}`"
    return _code(json.dumps(value, ensure_ascii=False))


def _instant(value: Value) -> str:
    return _code(f"{value}Z") if type(value) is str else _becomes(value)


def _code(text: str) -> str:
    return f"`{text}`"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(render())
