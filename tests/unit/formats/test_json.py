"""JSON records: what is dead, what is blank, what a path finds, against Python's own JSON."""

import json
import math
import re
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.formats.given import Dead, Outcome, decode, fields, records, spec

from tailrace.expr.nodes import Type
from tailrace.formats import json_rows
from tailrace.formats.decoder import Decoder
from tailrace.formats.paths import structure, trees_of
from tailrace.formats.spec import FieldSpec

TEXT = spec(*fields(v=Type.TEXT))
GOOD = b'{"t": 1, "v": "good"}'
FOUND = {"@": 1_000_000, "v": "good"}
MALFORMED, NOT_UTF8 = Dead("malformed_json"), Dead("invalid_utf8")
NOT_AN_OBJECT = Dead("not_an_object")


BESIDE: list[list[tuple[bytes, Outcome]]] = [[], [(GOOD, FOUND)], [(b"{x}", MALFORMED)]]


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        # blanks
        (b"", None),
        (b" \t ", None),
        (b"\r", None),
        (b"\0", MALFORMED),
        (b"\x0c", MALFORMED),
        (b' {"t": 1, "v": "good"} \t', FOUND),
        (b'{"t": 1, "v": "good"}\r', FOUND),
        (b'{"t": 1, "v": "good"}\r\r', FOUND),
        (b'\xef\xbb\xbf{"t": 1, "v": "good"}', FOUND),
        (b'\xef\xbb\xbf \xef\xbb\xbf{"t": 1}', MALFORMED),
        (b"\xef\xbb\xbf", None),
        # not one object
        (b"[1, 2]", NOT_AN_OBJECT),
        (b' "text"', NOT_AN_OBJECT),
        (b"5", NOT_AN_OBJECT),
        (b"null", NOT_AN_OBJECT),
        (b"[" * 100_000 + b"]" * 100_000, NOT_AN_OBJECT),
        (b"worker 4711 started", MALFORMED),
        (b'{"t": 1, "v": "go', MALFORMED),
        (b'{"t": 1, "v": {"good": 1}', MALFORMED),
        (b"}", MALFORMED),
        (b"{", MALFORMED),
        (b'{"t": 1} {"t": 2}', MALFORMED),
        (b'{"t": 1}}', MALFORMED),
        (b'{"t": 1, "v": good}', MALFORMED),
        (b"{'t': 1}", MALFORMED),
        (b'{"t": 1 "v": 2}', MALFORMED),
        (b'{"t": 01}', MALFORMED),
        (b'{"t": +1}', MALFORMED),
        (b'{"t": 1, /* */ "v": 2}', MALFORMED),
        # strings
        (rb'{"t": 1, "v": "\x22"}', MALFORMED),
        (rb'{"t": 1, "v": "\ud800"}', MALFORMED),
        (rb'{"t": 1, "w": "\udc00\ud800"}', MALFORMED),
        (b'{"t": 1, "v": "a\tb"}', MALFORMED),
        (b'{"t": 1, "v": "a\0b"}', MALFORMED),
        (b'{"t": 1, "v": "\x7f"}', {"@": 1_000_000, "v": "\x7f"}),
        # UTF-8, of fields that nobody declared too
        (b'{"t": 1, "v": "\xff"}', NOT_UTF8),
        (b'{"t": 1, "w": "\xc3"}', NOT_UTF8),
        (b'{"t": 1, "\xed\xa0\x80": 1}', NOT_UTF8),
        (b'{"t": 1}\xff', NOT_UTF8),
        (b"\xffworker", NOT_UTF8),
        (b'{\xff"t": 1}', NOT_UTF8),
        # taken beyond the standard
        (b'{"t": 1, "v": "good",}', FOUND),
        (b'{"t": 1, "v": "good", "w": [NaN, -Infinity, inf,]}', FOUND),
        (b"{,}", MALFORMED),
        # keys
        (b'{"t": 1, "v": "good", "v": "other"}', FOUND),
        (b'{"t": 1, "v": null, "v": "other"}', {"@": 1_000_000, "v": None}),
        (b'{"t": 1, "V": "other"}', {"@": 1_000_000, "v": None}),
        (rb'{"\u0074": 1, "\u0076": "good"}', FOUND),
        (b"{}", Dead("missing_value")),
        (b'{"t": null}', Dead("missing_value")),
        (b'{"t": "soon"}', Dead("bad_time")),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_record(line: bytes, outcome: Outcome, place: int) -> None:
    """Alone, or with records before and after it, of which one may be malformed too."""
    beside = BESIDE[place]
    lines = [*beside, (line, outcome), *beside]
    found = decode(records(*(line for line, _ in lines)), TEXT)
    assert found == [outcome for _, outcome in lines]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_line_ends(end: bytes) -> None:
    lines = [GOOD, b"", b"{", GOOD]
    assert decode(records(*lines, end=end), TEXT) == [FOUND, None, MALFORMED, FOUND]


def test_no_records() -> None:
    assert decode(records(), TEXT) == []


PATHS = (b'{"t": 0, "a": {"b": {"c": 7}, "A": 8}, "a.b": 9, "B": [{"c": 1}], "b": "x", "c": {}}',)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a.b",), "9"),
        (("a", "b", "c"), "7"),
        (("a", "b"), '{"c":7}'),
        (("a", "A"), "8"),
        (("a",), '{"b":{"c":7},"A":8}'),
        (("A",), None),
        (("B",), '[{"c":1}]'),
        (("b",), "x"),
        (("b", "c"), None),
        (("B", "c"), None),
        (("B", "0"), None),
        (("c", "c"), None),
        (("c",), "{}"),
    ],
)
def test_path(path: tuple[str, ...], value: str | None) -> None:
    assert decode(records(*PATHS), spec(FieldSpec("v", Type.TEXT, path))) == [{"@": 0, "v": value}]


def test_all_paths_at_once() -> None:
    """Paths that no one structure can hold: a leaf and what lies below it, two cases of a key."""
    paths = [("a",), ("a", "b"), ("a", "b", "c"), ("a", "A"), ("A",), ("b",), ("B",), ("a.b",)]
    told = spec(*(FieldSpec(f"v{n}", Type.TEXT, path) for n, path in enumerate(paths)))
    [found] = decode(records(*PATHS), told)
    wanted = ['{"b":{"c":7},"A":8}', '{"c":7}', "7", "8", None, "x", '[{"c":1}]', "9"]
    assert found == {"@": 0} | {f"v{n}": value for n, value in enumerate(wanted)}


@pytest.mark.parametrize(
    ("paths", "structures"),
    [
        ([("a",), ("b",)], ['{"a": "VARCHAR", "b": "VARCHAR"}']),
        ([("a", "b"), ("a", "c")], ['{"a": {"b": "VARCHAR", "c": "VARCHAR"}}']),
        ([("a",), ("a", "b")], ['{"a": "VARCHAR"}', '{"a": {"b": "VARCHAR"}}']),
        ([("a", "b"), ("a",)], ['{"a": {"b": "VARCHAR"}}', '{"a": "VARCHAR"}']),
        ([("a",), ("A",)], ['{"a": "VARCHAR"}', '{"A": "VARCHAR"}']),
        ([("x", "a"), ("X", "b")], ['{"x": {"a": "VARCHAR"}}', '{"X": {"b": "VARCHAR"}}']),
        ([('it\'s "é"',)], ['{"it\'s \\"é\\"": "VARCHAR"}']),
    ],
)
def test_structures(paths: list[tuple[str, ...]], structures: list[str]) -> None:
    assert [structure(tree) for tree in trees_of(paths)] == structures


def test_awkward_key() -> None:
    key = "it's \"é\" $.[0] 'x' \\ \n"
    line = json.dumps({"t": 0, key: "found"}).encode()
    told = spec(FieldSpec("v", Type.TEXT, (key,)))
    assert decode(records(line), told) == [{"@": 0, "v": "found"}]


class Token(str):
    """A number, or a word for one, as it was written."""

    __slots__ = ()


def text_of(value: object) -> str | None:
    """The text that a scalar is, from what Python's JSON makes of it."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case Token() if value.lstrip("-").isdigit():
            return "0" if value == "-0" else value
        case Token() if math.isfinite(float(value)):
            return repr(float(value))
        case _:
            return str(value)


keys = st.sampled_from(["t", "v", "w"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
objects = st.dictionaries(keys, scalars, max_size=3)
wholes = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(),
    objects | st.lists(scalars, max_size=2) | scalars,
    st.booleans(),
)


def garbled(line: bytes, place: int, cut: int, put: bytes) -> bytes:
    place %= len(line) + 1
    return (line[:place] + put + line[place + cut :]).replace(b"\n", b" ")


put = st.binary(max_size=2) | st.sampled_from([b",", b'"', b"}", b"\\", b"NaN", b"e9", b"\\ud800"])
lines = wholes | st.builds(garbled, wholes, st.integers(0, 60), st.integers(0, 3), put)

LENIENT = re.compile(r",\s*[}\]]|nan|inf", re.IGNORECASE)
"""What is taken although it is not JSON."""


def by_python(text: str) -> object:
    """What Python's JSON makes of a text; ValueError if it is malformed."""
    found = json.loads(
        text,
        parse_int=Token,
        parse_float=Token,
        parse_constant=Token,
        object_pairs_hook=lambda pairs: dict(reversed(pairs)),
    )
    json.dumps(found, ensure_ascii=False).encode()
    return found


def check(line: bytes, found: Outcome) -> None:
    """What became of a line is what Python's JSON says, or one of the known leniences."""
    try:
        text = line.decode().strip(" \t\r")
    except UnicodeDecodeError:
        assert found == NOT_UTF8
        return
    if not text:
        assert found is None
        return
    try:
        wanted = by_python(text)
    except ValueError:
        assert found == MALFORMED or LENIENT.search(text)
        return
    if not isinstance(wanted, dict):
        assert found == NOT_AN_OBJECT
    elif isinstance(found, dict):
        assert found["v"] == text_of(wanted.get("v"))
        assert wanted.get("t") is not None
    else:
        missing = wanted.get("t") is None
        assert found == Dead("missing_value" if missing else "bad_time")


@settings(deadline=None)
@given(many=st.lists(lines, min_size=1, max_size=30))
@example(many=[b'{"t": 1e400, "v": -0}', b'{"t": 0, "v": "\\ud83d\\ude00"}'])
def test_against_python(many: list[bytes]) -> None:
    for line, found in zip(many, decode(records(*many), TEXT), strict=True):
        check(line, found)


@settings(deadline=None, max_examples=40)
@given(many=st.lists(lines, min_size=1, max_size=12))
def test_neighbours_change_nothing(many: list[bytes]) -> None:
    assert decode(records(*many), TEXT) == [decode(records(line), TEXT)[0] for line in many]


@settings(deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False) | st.decimals(allow_nan=False))
def test_number_text(number: float | Decimal) -> None:
    written = str(number).replace("Infinity", "1")
    [found] = decode(records(f'{{"t": 0, "v": {written}}}'.encode()), TEXT)
    assert isinstance(found, dict)
    wanted = repr(float(written))
    assert found["v"] in (wanted, written) or written in ("-0", "0")
    if "." in written and abs(float(written)) < 1e300:
        assert found["v"] == wanted


def test_long_run_with_malformed_records_anywhere() -> None:
    """More records than leave DuckDB at a time, malformed ones at the edges of its batches."""
    count = 3 * json_rows.BATCH
    bad = {
        0,
        5,
        json_rows.BATCH - 1,
        json_rows.BATCH,
        json_rows.PIECE,
        json_rows.PIECE + 1,
        count - 1,
    }
    many = [b'{"t": 1, "v": x}' if row in bad else GOOD for row in range(count)]
    decoder = Decoder(TEXT)
    for _ in range(2):
        found = decoder.decode(records(*many))
        assert set(found.dead.rows) == bad
        assert set(found.dead.codes) == {"malformed_json"}
        assert found.events.num_rows == count - len(bad)
        assert set(found.events["v"].to_pylist()) == {"good"}
