"""JSON with something around it: lines of arrays, Connect's envelopes; and plain values."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.formats.given import Dead, Outcome, decode, fields, records, spec

from tailrace.expr.nodes import Type
from tailrace.formats.codes import Code
from tailrace.formats.spec import DecodeSpec, JsonFormat, PlainFormat, TimeSpec
from tailrace.formats.truth_wrapped import ARRAY_LINES, ENVELOPES, EVENT, Wrapped

BARE = spec(*fields(a=Type.INTEGER))
LINES = spec(*fields(a=Type.INTEGER), format=JsonFormat(array_lines=True))
CONNECT = spec(*fields(a=Type.INTEGER), format=JsonFormat(envelope=True))
BOTH = spec(*fields(a=Type.INTEGER), format=JsonFormat(array_lines=True, envelope=True))
PLAIN = spec(*fields(value=Type.INTEGER), format=PlainFormat(), time=TimeSpec("v", ("value",)))

ONE: Outcome = {"@": 5_000_000, "a": 7}
OBJECT = b'{"t": 5, "a": 7}'
MALFORMED = Dead("malformed_json")

IN_TABLES = [(LINES, entry) for entry in ARRAY_LINES] + [(CONNECT, entry) for entry in ENVELOPES]


@pytest.mark.parametrize(
    ("told", "entry"), IN_TABLES, ids=lambda each: getattr(each, "written", "")
)
def test_each_line_of_the_docs(told: DecodeSpec, entry: Wrapped) -> None:
    written = entry.written.replace('"a"', '"t": 5, "a"').replace('\\"a\\"', '\\"t\\": 5, \\"a\\"')
    wanted: Outcome = ONE if entry.becomes is EVENT else None
    if isinstance(entry.becomes, Code):
        wanted = Dead(entry.becomes.value)
    assert decode(records(written.encode()), told) == [wanted]


IN_LINES = {
    OBJECT: ONE,
    b"[" + OBJECT + b",": ONE,
    OBJECT + b",": ONE,
    OBJECT + b"]": ONE,
    b"[" + OBJECT + b"]": ONE,
    b" [ " + OBJECT + b" , ": ONE,
    b"[\t" + OBJECT + b"\t]\t": ONE,
    b" " * 30 + b"[" + OBJECT + b"]" + b" " * 30: ONE,
    b"\xef\xbb\xbf[" + OBJECT + b",": ONE,
    b"[": None,
    b"]": None,
    b",": None,
    b"[]": None,
    b" [ ] ": None,
    b"": None,
    b"  ": None,
    b"[[" + OBJECT + b",": MALFORMED,
    b"[[1]]": Dead("not_an_object"),
    OBJECT + b"],": MALFORMED,
    OBJECT + b"," + OBJECT: MALFORMED,
    b"[,": None,
    b'{"t": 5, "a": 7,': MALFORMED,
    b'{"t": 5, "a": [7]': MALFORMED,
    b'[{"t": 5, "a": null},': {"@": 5_000_000, "a": None},
    b'[{"t": 5, "a": "x"},': Dead("bad_value", "a"),
    b"[\xff,": Dead("invalid_utf8"),
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_lines_of_an_array(end: bytes) -> None:
    assert decode(records(*IN_LINES, end=end), LINES) == list(IN_LINES.values())


@pytest.mark.parametrize("record", IN_LINES)
def test_a_line_of_an_array_alone(record: bytes) -> None:
    assert decode(records(record), LINES) == [IN_LINES[record]]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("mark", [b"", b",", b" ,", b"]"])
def test_many_regular_lines(end: bytes, mark: bytes) -> None:
    """Enough for the template, with something else among them."""
    objects = [b'{"t": %d, "a": %d}' % (row, row % 10) for row in range(1000)]
    lines = [b"[" + objects[0], *objects[1:], b"]", OBJECT + b"}"]
    wrapped = [line + mark if line.startswith((b"{", b"[")) else line for line in lines]
    expected: list[Outcome] = [{"@": row * 1_000_000, "a": row % 10} for row in range(1000)]
    assert decode(records(*wrapped, end=end), LINES) == [*expected, None, MALFORMED]


def test_records_in_the_middle_of_a_buffer() -> None:
    whole = records(b"[" + OBJECT + b",", OBJECT + b",", OBJECT + b"]")
    part = type(whole)(whole.data, whole.offsets[1:3], whole.positions[1:2])
    assert decode(part, LINES) == [ONE]


BLANKS = st.sampled_from([b"", b" ", b"\t ", b"\r"])


@given(st.lists(st.tuples(st.sampled_from(list(IN_LINES)), BLANKS, BLANKS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_neighbours_change_nothing(lines: list[tuple[bytes, bytes, bytes]]) -> None:
    made = [before + record + behind for record, before, behind in lines]
    expected = [
        MALFORMED if before and record[:1] == b"\xef" else IN_LINES[record]
        for record, before, _ in lines
    ]
    assert decode(records(*made), LINES) == expected


def envelope(payload: object) -> bytes:
    return json.dumps(
        {"schema": {"type": "string", "optional": False}, "payload": payload}
    ).encode()


IN_ENVELOPES: dict[bytes, Outcome] = {
    envelope(OBJECT.decode()): ONE,
    envelope({"t": 5, "a": 7}): ONE,
    b'{"payload": {"a": 7e0, "t": 5.0, "x": {"a": [1, 2]}}, "schema": null}': ONE,
    envelope('{"t": 5, "a": "x"}'): Dead("bad_value", "a"),
    envelope('{"a": 7}'): Dead("missing_value"),
    envelope(""): None,
    envelope("{"): MALFORMED,
    envelope("[7]"): Dead("not_an_object"),
    envelope([7]): Dead("not_an_object"),
    envelope(7): Dead("not_an_object"),
    envelope(None): Dead("no_payload"),
    OBJECT: Dead("no_payload"),
    b"{": MALFORMED,
    b"[" + OBJECT + b"]": Dead("not_an_object"),
    b"\xff": Dead("invalid_utf8"),
    b"": None,
}


def test_connect_envelopes() -> None:
    assert decode(records(*IN_ENVELOPES), CONNECT) == list(IN_ENVELOPES.values())


@pytest.mark.parametrize("record", IN_ENVELOPES)
def test_a_connect_envelope_alone(record: bytes) -> None:
    assert decode(records(record), CONNECT) == [IN_ENVELOPES[record]]


def test_lines_of_an_array_in_envelopes() -> None:
    """What a file connector makes of such a file."""
    lines = [b"[" + OBJECT + b",", OBJECT + b"]", b"]", b""]
    made = records(*(envelope(line.decode()) for line in lines))
    assert decode(made, BOTH) == [ONE, ONE, None, None]


def test_without_the_option_nothing_is_taken_away() -> None:
    assert decode(records(OBJECT + b","), BARE) == [MALFORMED]


PLAIN_VALUES: dict[bytes, Outcome] = {
    b"1514": {"@": 1_514_000_000, "value": 1514},
    b" 1514\t": {"@": 1_514_000_000, "value": 1514},
    b"": None,
    b" ": None,
    b"1514 bytes": Dead("bad_time"),
    b"\xff": Dead("invalid_utf8"),
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_plain_values(end: bytes) -> None:
    assert decode(records(*PLAIN_VALUES, end=end), PLAIN) == list(PLAIN_VALUES.values())
