"""CSV lines: quotes, headers, columns that are too few, against Python's csv module."""

import csv

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.formats.given import Dead, Outcome, decode, fields, records, spec

from tailrace.errors import TailraceError
from tailrace.expr.nodes import Type
from tailrace.formats import csv_lines
from tailrace.formats.codes import Code
from tailrace.formats.csv_lines import CsvError, CsvSplitter, Place, split_line
from tailrace.formats.frame import frame
from tailrace.formats.records import Records
from tailrace.formats.spec import CsvFormat

COLUMNS = ("t", "a", "b")
TOLD = spec(*fields(a=Type.TEXT, b=Type.TEXT), format=CsvFormat(COLUMNS, header=False))
FEW, MANY = Dead("csv_too_few_columns"), Dead("csv_too_many_columns")
UNCLOSED, BAD_QUOTE = Dead("csv_unclosed_quote"), Dead("csv_bad_quote")


def event(a: str | None, b: str | None) -> Outcome:
    return {"@": 0, "a": a, "b": b}


BESIDE: list[list[tuple[bytes, Outcome]]] = [
    [],
    [(b"0,p,q", event("p", "q"))] * 5,
    [(b'0,"p,q","r"', event("p,q", "r"))] * 2,
    [(b'0,"p,q', UNCLOSED)],
]


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (b"0,x,y", event("x", "y")),
        (b"0,x,y\r", event("x", "y")),
        (b"0,,", event(None, None)),
        (b'0,"",""', event("", "")),
        (b'0,"x","y"', event("x", "y")),
        (b'"0","x","y"', event("x", "y")),
        (b'0,"x,y",z', event("x,y", "z")),
        (b'0,"x ""y"" z",""""', event('x "y" z', '"')),
        (b'0,x"y,z', event('x"y', "z")),
        (b'0,x"",y', event('x""', "y")),
        (b'0,x"y",z', event('x"y"', "z")),
        (b'0,x"y,z"', event('x"y', 'z"')),
        (b'0, "x",y', event(' "x"', "y")),
        (b'0, x ,"y "', event(" x ", "y ")),
        (b"0,x\ry,z", event("x\ry", "z")),
        ("0,é,😀".encode(), event("é", "😀")),
        (b"\xef\xbb\xbf0,x,y", event("x", "y")),
        (b" ", None),
        (b"", None),
        (b",,", Dead("missing_value")),
        (b"soon,x,y", Dead("bad_time")),
        (b"0", FEW),
        (b"0,x", FEW),
        (b"0,x,y,", MANY),
        (b"0,x,y,z", MANY),
        (b'0,"x,y"', FEW),
        (b'0,x,"y', UNCLOSED),
        (b'0,"x,y', UNCLOSED),
        (b'0,x,"', UNCLOSED),
        (b'0,x,"y""', UNCLOSED),
        (b'0,"x"y,z', BAD_QUOTE),
        (b'0,"x" ,z', BAD_QUOTE),
        (b"0,x,\xff", Dead("invalid_utf8")),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_line(line: bytes, outcome: Outcome, place: int) -> None:
    """Alone, among plain lines, among quoted ones, beside a line with an open quote."""
    beside = BESIDE[place]
    lines = [*beside, (line, outcome), *beside]
    found = decode(records(*(line for line, _ in lines)), TOLD)
    assert found == [outcome for _, outcome in lines]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_line_ends(end: bytes) -> None:
    lines = [b'0,"x",y', b'"0",x,"y"', b"0,x,", b"0,x"]
    wanted = [event("x", "y"), event("x", "y"), event("x", None), FEW]
    assert decode(records(*lines, end=end), TOLD) == wanted


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", " "])
def test_delimiter(delimiter: str) -> None:
    told = spec(*TOLD.fields, format=CsvFormat(COLUMNS, header=False, delimiter=delimiter))
    lines = [delimiter.join(cells).encode() for cells in (("0", "x,", "y"), ("0", '"', 'y"'))]
    assert decode(records(*lines), told)[0] == event("x,", "y")


def test_one_column() -> None:
    told = spec(format=CsvFormat(("t",), header=False))
    assert decode(records(b"0", b'"0"', b"0,"), told) == [{"@": 0}, {"@": 0}, MANY]


# The header

NAMED = spec(*fields(a=Type.TEXT, b=Type.TEXT), format=CsvFormat(None))
GIVEN = spec(*fields(a=Type.TEXT, b=Type.TEXT), format=CsvFormat(COLUMNS))


@pytest.mark.parametrize(
    ("header", "line", "wanted"),
    [
        (b"t,a,b", b"0,x,y", event("x", "y")),
        (b"b,t,a", b"y,0,x", event("x", "y")),
        (b'\xef\xbb\xbf"t", b ,"a"\r', b"0,y,x", event("x", "y")),
        (b"t,b,c", b"0,y,z", event(None, "y")),
        (b"a,b", b"x,y", Dead("missing_value")),
        (b"t,a", b"0,x,y", MANY),
    ],
)
def test_header_names_columns(header: bytes, line: bytes, wanted: Outcome) -> None:
    assert decode(records(header, line), NAMED) == [None, wanted]


def test_header_is_skipped_at_position_0_only() -> None:
    lines = [b"t,a,b", b"0,x,y"]
    assert decode(records(*lines), GIVEN) == [None, event("x", "y")]
    assert decode(records(*lines, start=100), GIVEN) == [Dead("bad_time"), event("x", "y")]
    assert decode(records(*lines), TOLD) == [Dead("bad_time"), event("x", "y")]


def test_header_kept_by_the_source() -> None:
    made = records(b"0,x,y", start=6)
    kept = Records(made.data, made.offsets, made.positions, header=b"\xef\xbb\xbft,b,a\r\n")
    assert decode(kept, NAMED) == [event("y", "x")]


def test_nothing_needs_no_header() -> None:
    assert decode(records(), NAMED) == []


@pytest.mark.parametrize("header", [None, b't,"a', b"\xff"])
def test_unknown_header(header: bytes | None) -> None:
    made = records(b"0,x,y", start=6)
    with pytest.raises(TailraceError, match="header"):
        decode(Records(made.data, made.offsets, made.positions, header=header), NAMED)


# Against the careful way, and against Python's csv

cells = st.text(st.sampled_from('ab"", é\t\r'), max_size=4)
quoted = st.text(st.sampled_from('ab", é'), max_size=4).map(
    lambda text: '"' + text.replace('"', '""') + '"'
)
lines = st.lists(cells | quoted, min_size=1, max_size=5).map(lambda found: ",".join(found).encode())


def careful(content: bytes) -> list[Place] | Code:
    try:
        return split_line(content, b",")
    except CsvError as error:
        return error.code


@pytest.mark.parametrize("few", [0, 10**6], ids=["lines with quotes one by one", "all at once"])
@settings(deadline=None, max_examples=300)
@given(many=st.lists(lines, min_size=1, max_size=8), columns=st.integers(1, 4))
@example(many=[b'a"b,"c', b'"'], columns=2)
def test_fast_is_careful(few: int, many: list[bytes], columns: int) -> None:
    """As if quotes were next to nowhere, or everywhere."""
    made = frame(records(*many))
    live = made.ends > made.starts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_lines, "FEW", few)
        patch.setattr(csv_lines, "BLOCK", 3)
        found = CsvSplitter(",", columns, range(columns)).split(made, live)
    for row in np.flatnonzero(live).tolist():
        content, start = made.content(row), int(made.starts[row])
        places = careful(content)
        if isinstance(places, Code):
            assert found.wrong[row].code == places
        elif len(places) != columns:
            assert found.wrong[row].code in ("csv_too_few_columns", "csv_too_many_columns")
        else:
            assert found.starts[:, row].tolist() == [start + place.start for place in places]
            assert found.ends[:, row].tolist() == [start + place.end for place in places]
            assert found.quoted[:, row].tolist() == [place.quoted for place in places]
            doubled = any(b'""' in content[p.start : p.end] for p in places if p.quoted)
            assert not doubled or row in found.doubled
        assert found.right[row] == (row not in found.wrong)


@settings(deadline=None, max_examples=500)
@given(line=lines)
def test_careful_against_python(line: bytes) -> None:
    text = line.decode()
    if "\r" in text or not text:
        return
    try:
        [wanted] = csv.reader([text], strict=True)
    except csv.Error as error:
        code = "csv_unclosed_quote" if "end of data" in str(error) else "csv_bad_quote"
        with pytest.raises(CsvError) as caught:
            split_line(line, b",")
        assert caught.value.code == code
        return
    places = split_line(line, b",")
    found = [line[place.start : place.end].decode() for place in places]
    undone = [
        cell.replace('""', '"') if place.quoted else cell
        for cell, place in zip(found, places, strict=True)
    ]
    assert undone == wanted


@settings(deadline=None)
@given(many=st.lists(lines, min_size=1, max_size=8))
def test_neighbours_change_nothing(many: list[bytes]) -> None:
    assert decode(records(*many), TOLD) == [decode(records(line), TOLD)[0] for line in many]
