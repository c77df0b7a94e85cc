"""Log lines: nginx's and Apache's, hostile ones, and cursors against the pattern."""

import re

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.formats.given import Dead, Outcome, decode, fields, records, spec

from tailrace.errors import PipelineError
from tailrace.expr.nodes import Type
from tailrace.formats import log_lines
from tailrace.formats.decoder import Decoder
from tailrace.formats.escapes import unescaped
from tailrace.formats.frame import frame
from tailrace.formats.line_search import Text
from tailrace.formats.log_template import template_of
from tailrace.formats.request_line import PARTS, REQUEST
from tailrace.formats.spec import COMBINED, COMMON, Escape, FieldSpec, LogFormat, TimeSpec

TIME = TimeSpec("time_local", ("time_local",))
NO_MATCH = Dead("no_match")
AT = 1659509511000000
LINE = (
    rb'203.0.113.9 - - [03/Aug/2022:06:51:51 +0000] "GET /a?b=c HTTP/1.1" 200 512'
    rb' "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64)"'
)
NAMES = ("remote_addr", "remote_user", "request", "http_referer", "http_user_agent")
TOLD = spec(
    *fields(**dict.fromkeys(NAMES, Type.TEXT), status=Type.INTEGER, body_bytes_sent=Type.INTEGER),
    format=COMBINED,
    time=TIME,
)
EVENT = {
    "@": AT,
    "remote_addr": "203.0.113.9",
    "remote_user": None,
    "request": "GET /a?b=c HTTP/1.1",
    "status": 200,
    "body_bytes_sent": 512,
    "http_referer": "https://example.com/",
    "http_user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
}


def changed(old: bytes, new: bytes) -> bytes:
    assert old in LINE
    return LINE.replace(old, new)


BESIDE: list[list[tuple[bytes, Outcome]]] = [[], [(LINE, EVENT)], [(b"x", NO_MATCH)]]


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (LINE, EVENT),
        (LINE + b"\r", EVENT),
        (b"\xef\xbb\xbf" + LINE, EVENT),
        (b" \t", None),
        # values
        (
            changed(b"203.0.113.9", b"2001:db8:85a3:8d3:1319:8a2e:370:7348"),
            EVENT | {"remote_addr": "2001:db8:85a3:8d3:1319:8a2e:370:7348"},
        ),
        (changed(b"- - [", b"- john [doe] - [ ["), EVENT | {"remote_user": "john [doe] - ["}),
        (changed(b"- - [", b"ident - ["), EVENT),
        (changed(b" 512 ", b" - "), EVENT | {"body_bytes_sent": None}),
        (changed(b'"https://example.com/"', b'"-"'), EVENT | {"http_referer": None}),
        (changed(b'"https://example.com/"', b'""'), EVENT | {"http_referer": ""}),
        (changed(b"GET /a?b=c HTTP/1.1", b""), EVENT | {"request": ""}),
        (
            changed(b"(X11", b"(" + b"x" * 5000),
            EVENT | {"http_user_agent": f"Mozilla/5.0 ({'x' * 5000}; Linux x86_64)"},
        ),
        (changed(b"c HTTP", "é HTTP".encode()), EVENT | {"request": "GET /a?b=é HTTP/1.1"}),
        # escapes
        (changed(b"/a?", rb"/\x22\x5C\x22?"), EVENT | {"request": 'GET /"\\"?b=c HTTP/1.1'}),
        (changed(b"/a?", rb"/\"\\?"), EVENT | {"request": 'GET /"\\?b=c HTTP/1.1'}),
        (changed(b"x86_64)", rb"x\\"), EVENT | {"http_user_agent": "Mozilla/5.0 (X11; Linux x\\"}),
        (changed(b"/a?", rb"/\xC3\xA9\x0A?"), EVENT | {"request": "GET /é\n?b=c HTTP/1.1"}),
        (changed(b"/a?", rb"/\xFF\x22?"), EVENT | {"request": r"GET /\xFF\x22?b=c HTTP/1.1"}),
        (changed(b"/a?", rb"/\q\x4?"), EVENT | {"request": r"GET /\q\x4?b=c HTTP/1.1"}),
        (changed(b"GET /a?b=c HTTP/1.1", rb"\x16\x03\x01"), EVENT | {"request": "\x16\x03\x01"}),
        # of the shape, but not of the type
        (changed(b" 200 ", b" OK "), Dead("bad_value", "status")),
        (changed(b"03/Aug", b"03/Agu"), Dead("bad_time")),
        (changed(b"03/Aug", b"31/Jun"), Dead("bad_time")),
        # not of the shape
        (LINE[:-1], NO_MATCH),
        (LINE[:60], NO_MATCH),
        (LINE + b" 0.012", NO_MATCH),
        (b"worker 4711 started", NO_MATCH),
        (changed(b"X11", b'"X11"'), NO_MATCH),
        (changed(b"[03", b"["), NO_MATCH),
        (changed(b'"GET', b"'GET"), NO_MATCH),
        (changed(b"X11", b"\xff"), Dead("invalid_utf8")),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_combined(line: bytes, outcome: Outcome, place: int) -> None:
    """Alone, or with lines before and after it, of which one may not match."""
    beside = BESIDE[place]
    lines = [*beside, (line, outcome), *beside]
    found = decode(records(*(line for line, _ in lines)), TOLD)
    assert found == [outcome for _, outcome in lines]


FORGED = b"eve [01/Jan/2000:00:00:00 +0000] \\x22GET /forged HTTP/1.1\\x22 200 1"


def test_user_name_can_not_forge_a_line() -> None:
    """The name comes from the client; nginx escapes the quotes in it and nothing else."""
    [found] = decode(records(changed(b"- - [", b"- " + FORGED + b" [")), TOLD)
    name = FORGED.replace(b"\\x22", b'"').decode()
    assert found == EVENT | {"remote_user": name}


@pytest.mark.parametrize(
    ("request_line", "parts"),
    [
        ("GET /a?b=c HTTP/1.1", ("GET", "/a?b=c", "HTTP/1.1")),
        ("GET / HTTP/2.0", ("GET", "/", "HTTP/2.0")),
        ("GET / HTTP/3", ("GET", "/", "HTTP/3")),
        ("GET / HTTP/1.10", ("GET", "/", "HTTP/1.10")),
        ("PROPFIND-LONG-METHOD /x HTTP/1.1", ("PROPFIND-LONG-METHOD", "/x", "HTTP/1.1")),
        ("GET /with blanks in it HTTP/1.1", ("GET", "/with blanks in it", "HTTP/1.1")),
        ("GET  HTTP/1.1", ("GET", "", "HTTP/1.1")),
        ("GET - HTTP/1.1", ("GET", None, "HTTP/1.1")),
        (r"GET /\x22a\x20b HTTP/1.1", ("GET", '/"a b', "HTTP/1.1")),
        ("GET /", (None, None, None)),
        ("GET HTTP/1.1", (None, None, None)),
        (" / HTTP/1.1", (None, None, None)),
        ("GET / HTTP/ .1", (None, None, None)),
        ("GET / http/1.1", (None, None, None)),
        (r"\x16\x03\x01", (None, None, None)),
        ("-", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_request_parts(request_line: str, parts: tuple[str | None, ...]) -> None:
    line = changed(b"GET /a?b=c HTTP/1.1", request_line.encode())
    told = spec(*fields(**dict.fromkeys(PARTS, Type.TEXT)), format=COMBINED, time=TIME)
    wanted = {"@": AT, **dict(zip(PARTS, parts, strict=True))}
    assert decode(records(line), told) == [wanted]
    assert decode(records(LINE, line, LINE), told)[1] == wanted


def test_common() -> None:
    declared = fields(remote_addr=Type.TEXT, body_bytes_sent=Type.INTEGER)
    told = spec(*declared, format=COMMON, time=TIME)
    line = b'127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326'
    event = {"@": 971211336000000, "remote_addr": "127.0.0.1", "body_bytes_sent": 2326}
    found = decode(records(line, line[:-5], LINE), told)
    assert found == [event, NO_MATCH, Dead("bad_value", "body_bytes_sent")]


@pytest.mark.parametrize(
    ("template", "escape", "line", "values"),
    [
        ("$a $b", Escape.DEFAULT, "x y z", ("x", "y z")),
        ("$a $b ", Escape.DEFAULT, "x y ", ("x", "y")),
        ("$a - $b", Escape.DEFAULT, "x y - z - u", ("x y", "z - u")),
        ("[$a][$b]", Escape.DEFAULT, "[[x]][y]", ("[x]", "y")),
        ("[$a][$b]", Escape.DEFAULT, "[x]", None),
        ("${a}s=$b", Escape.DEFAULT, "ss=s", ("s", "s")),
        ('"$a" "$b"', Escape.DEFAULT, '"-" ""', (None, "")),
        ('"$a" "$b"', Escape.NONE, '"-" ""', ("-", None)),
        ('"$a" "$b"', Escape.NONE, r'"x" y" "\"', ('x" y', "\\")),
        ('"$a" "$b"', Escape.JSON, r'"\"\u00e9\n" "-"', ('"é\n', "-")),
        ('"$a" "$b"', Escape.JSON, r'"\ud800" "\x22"', (r"\ud800", r"\x22")),
        ('"$a" "$b"', Escape.DEFAULT, '"x" y" "z"', None),
        ("a=$a|b=$b", Escape.DEFAULT, "a=1|b=|b=", ("1", "|b=")),
        ("$a\t$b", Escape.DEFAULT, "x y\tz", ("x y", "z")),
        ("é$aé$b", Escape.DEFAULT, "éüéö", ("ü", "ö")),
        ("$a (long, long literal) $b", Escape.DEFAULT, "x (long, long literal) y", ("x", "y")),
        ("$a (long, long literal) $b", Escape.DEFAULT, "x (long, long Literal) y", None),
        (".*$a+$b", Escape.DEFAULT, ".*x+y", ("x", "y")),
    ],
)
def test_log_format(
    template: str, escape: Escape, line: str, values: tuple[str | None, ...] | None
) -> None:
    told = spec(
        *fields(a=Type.TEXT, b=Type.TEXT),
        format=LogFormat(f"$msec {template}", escape),
        time=TimeSpec("msec", ("msec",)),
    )
    wanted: Outcome = NO_MATCH
    if values:
        wanted = {"@": 1_500_000, **dict(zip("ab", values, strict=True))}
    assert decode(records(f"1.5 {line}".encode()), told) == [wanted]


@pytest.mark.parametrize(
    ("template", "path", "message"),
    [
        ("$time_local $remote_addr$status", ("status",), "nothing stands between"),
        ("$time_local $status", ("statsu",), r"no variable \$statsu"),
        ("$time_local $status", ("status", "code"), r"no variable \$status.code"),
        ("$time_local $status", ("request_uri",), r"no variable \$request_uri"),
    ],
)
def test_what_a_format_can_not_give(template: str, path: tuple[str, ...], message: str) -> None:
    told = spec(FieldSpec("v", Type.TEXT, path), format=LogFormat(template), time=TIME)
    with pytest.raises(PipelineError, match=message) as caught:
        Decoder(told)
    assert caught.value.problems[0].hint


TEMPLATES = [
    COMBINED,
    LogFormat(COMBINED.template, Escape.NONE),
    LogFormat("$a $b"),
    LogFormat("$a - $b [$time_local] $c"),
    LogFormat('$a "$b" $c "$d"'),
    LogFormat('[$time_iso8601] "$a""$b" é$c'),
    LogFormat("$a|$b||$c"),
    LogFormat('"$a"'),
]
bits = st.text(st.sampled_from('ab -"[]|\\x2é\t:'), max_size=6)
stamps = st.sampled_from(
    ["03/Aug/2022:06:51:51 +0000", "03/Aug/2022:06:51:51 +000é", "x" * 26, "2022-08-03T06:51:51Z"]
)


@st.composite
def lines_of(draw: st.DrawFn, log_format: LogFormat) -> bytes:
    """Lines that match, nearly match, or don't."""
    template = template_of(log_format)
    text = template.head
    for variable in template.variables:
        text += draw(stamps if variable.size else bits) + variable.after
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(bits) + text[place + draw(st.integers(0, 2)) :]
    return text.encode()


@pytest.mark.parametrize("log_format", TEMPLATES, ids=lambda each: f"{each.escape} {each.template}")
def test_places_are_those_of_the_pattern(log_format: LogFormat) -> None:
    template = template_of(log_format)
    pattern = re.compile(template.pattern)

    @settings(deadline=None, max_examples=150)
    @given(many=st.lists(lines_of(log_format), min_size=1, max_size=6))
    def check(many: list[bytes]) -> None:
        made = frame(records(*many))
        live = (made.ends > made.starts) & (made.first != 0xEF)
        found = log_lines.log_lines(template, Text(made.data), made, live)
        for row in range(len(many)):
            content = made.content(row).decode()
            match = pattern.fullmatch(content) if live[row] else None
            assert found.right[row] == (match is not None)
            if match:
                places = zip(found.starts[:, row], found.ends[:, row], strict=True)
                values = [made.data[start:end].tobytes().decode() for start, end in places]
                assert tuple(values) == match.groups()

    check()


@settings(deadline=None, max_examples=40)
@given(many=st.lists(lines_of(COMBINED) | st.binary(max_size=30), min_size=1, max_size=8))
@example(many=[LINE, b"\xff", LINE])
def test_neighbours_change_nothing(many: list[bytes]) -> None:
    many = [line.replace(b"\n", b" ") for line in many]
    assert decode(records(*many), TOLD) == [decode(records(line), TOLD)[0] for line in many]


def test_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "BLOCK", 3)
    lines = [LINE, b"x", LINE, LINE, b"", LINE, LINE, LINE]
    found = decode(records(*lines), TOLD)
    assert found == [{LINE: EVENT, b"x": NO_MATCH, b"": None}[line] for line in lines]


@settings(deadline=None, max_examples=200)
@given(text=st.text(st.sampled_from('\\x4142C3A9FFnrtbv"q'), max_size=12))
def test_unescaping_leaves_what_it_does_not_know(text: str) -> None:
    [found] = unescaped(pa.array([text]), Escape.DEFAULT).to_pylist()
    if "\\" not in text:
        assert found == text
    elif found != text:
        assert len(found.encode()) < len(text)


def test_request_pattern_is_what_the_fast_way_splits() -> None:
    fast = REQUEST.fullmatch(b"GET /a HTTP/1.1")
    assert fast
    assert fast.groups() == (b"GET", b"/a", b"HTTP/1.1")
