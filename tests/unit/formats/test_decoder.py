"""What holds for every format: order of faults, limits, arrivals, what the path gives."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.formats.given import Dead, Outcome, decode, fields, outcomes, records, spec

from tailrace.config import loads
from tailrace.errors import PipelineError
from tailrace.expr.nodes import Type
from tailrace.formats.build import decode_spec, make_decoder
from tailrace.formats.codes import Code
from tailrace.formats.decoder import Decoder
from tailrace.formats.faults import SHOWN, shown
from tailrace.formats.records import Records
from tailrace.formats.spec import (
    COMBINED,
    CsvFormat,
    Escape,
    FieldSpec,
    Format,
    JsonFormat,
    LogFormat,
    TimeForm,
    TimeSpec,
)

HOUR = 3_600_000_000


def number(name: str, type_: Type = Type.INTEGER, **limits: float | bool) -> FieldSpec:
    return FieldSpec(name, type_, (name,), **limits)  # type: ignore[arg-type]


# Fields


@pytest.mark.parametrize(
    ("field", "written", "outcome"),
    [
        (number("v", minimum=1, maximum=3), "1", 1),
        (number("v", minimum=1, maximum=3), '"3"', 3),
        (number("v", minimum=1, maximum=3), "0", Dead("out_of_range", "v")),
        (number("v", minimum=1, maximum=3), "4", Dead("out_of_range", "v")),
        (number("v", minimum=1, maximum=3), "null", None),
        (number("v", minimum=0.5, maximum=2.5), "1", 1),
        (number("v", minimum=0.5), "0", Dead("out_of_range", "v")),
        (number("v", maximum=2.5), "3", Dead("out_of_range", "v")),
        (number("v", maximum=2**53), str(2**53), 2**53),
        (number("v", maximum=2**53), str(2**53 + 1), Dead("out_of_range", "v")),
        (number("v", minimum=2**70), str(2**63 - 1), Dead("out_of_range", "v")),
        (number("v", Type.DOUBLE, minimum=0), "-0.0", 0.0),
        (number("v", Type.DOUBLE, minimum=0), "-1e-300", Dead("out_of_range", "v")),
        (number("v", Type.DOUBLE, maximum=1), "1", 1.0),
        (number("v", required=True), "7", 7),
        (number("v", required=True), "null", Dead("missing_value", "v")),
        (number("v", Type.TEXT, required=True), '""', ""),
    ],
)
def test_limits(field: FieldSpec, written: str, outcome: object) -> None:
    line = f'{{"t": 0, "v": {written}}}'.encode()
    wanted = outcome if isinstance(outcome, Dead) else {"@": 0, "v": outcome}
    assert decode(records(line), spec(field)) == [wanted]


def test_missing_and_null_are_one() -> None:
    told = spec(*fields(a=Type.TEXT, b=Type.DOUBLE, c=Type.BOOLEAN, d=Type.TIME))
    nothing = {"@": 0, "a": None, "b": None, "c": None, "d": None}
    lines = [b'{"t": 0}', b'{"t": 0, "a": null, "b": null, "c": null, "d": null}']
    assert decode(records(*lines), told) == [nothing, nothing]


def test_first_fault_counts() -> None:
    told = spec(
        number("a", required=True),
        number("b", maximum=9),
        time=TimeSpec("t", ("t",), arrival=("at",)),
    )
    cases: dict[bytes, Outcome] = {
        b'{"t": "x", "a": "x", "b": 10}': Dead("bad_time"),
        b'{"a": "x", "b": 10}': Dead("missing_value"),
        b'{"t": 7201, "at": 0, "a": "x", "b": 10}': Dead("bad_value", "a"),
        b'{"t": 7201, "at": 0, "b": 10}': Dead("missing_value", "a"),
        b'{"t": 7201, "at": 0, "a": 1, "b": 10}': Dead("out_of_range", "b"),
        b'{"t": 7201, "at": 0, "a": 1, "b": 9}': Dead("future_time"),
        b'{"t": 1, "at": 0, "a": 1, "b": 9}': {"@": 1_000_000, "a": 1, "b": 9},
    }
    assert decode(records(*cases), told) == list(cases.values())


def test_no_fields() -> None:
    decoded = Decoder(spec()).decode(records(b'{"t": 1}', b"", b'{"t": 2}'))
    assert decoded.events.num_rows == 2
    assert decoded.events.column_names == []
    assert decoded.time.tolist() == [1_000_000, 2_000_000]


@pytest.mark.parametrize("lines", [(), (b"",), (b"{",)], ids=["none", "blank", "dead"])
@pytest.mark.parametrize("format_", [JsonFormat(), COMBINED, CsvFormat(("t", "v"), header=False)])
def test_types_are_kept_without_events(lines: tuple[bytes, ...], format_: Format) -> None:
    name = "time_local" if format_ is COMBINED else "t"
    declared = [FieldSpec(f"v{type_}", type_, (name,)) for type_ in Type if type_ is not Type.NULL]
    told = spec(*declared, format=format_, time=TimeSpec(name, (name,)))
    decoded = Decoder(told).decode(records(*lines))
    assert [str(each) for each in decoded.events.schema.types] == [
        *("string", "int64", "double", "bool"),
        "timestamp[us, tz=UTC]",
    ]
    assert [column.num_chunks for column in decoded.events.columns] == [1] * 5
    assert (str(decoded.time.dtype), str(decoded.rows.dtype)) == ("int64", "int32")


def test_events_outlive_the_records_memory() -> None:
    """Sources read the next chunk into the same buffer."""
    lines: dict[Format, bytes] = {
        JsonFormat(): b'{"t": 1, "v": "abc"}',
        CsvFormat(("t", "v"), header=False): b"1,abc",
        LogFormat("$t $v"): b"1 abc",
    }
    for format_, line in lines.items():
        made = records(line)
        data = np.frombuffer(made.data, np.uint8).copy()
        told = spec(*fields(v=Type.TEXT), format=format_)
        decoded = Decoder(told).decode(Records(pa.py_buffer(data), made.offsets, made.positions))
        data[:] = ord("#")
        assert decoded.events["v"].to_pylist() == ["abc"]


def test_records_within_a_larger_buffer() -> None:
    made = records(b'{"t": 0, "v": "x"}', b'{"t": 1, "v": "y"}', b'{"t": 2, "v": "z"}')
    part = Records(made.data, made.offsets[1:3], made.positions[1:2])
    assert decode(part, spec(*fields(v=Type.TEXT))) == [{"@": 1_000_000, "v": "y"}]


# What the source says


def test_too_long() -> None:
    made = records(b'{"t": 1}', b'{"t": 2}', b"        ", b'{"t": 3')
    oversize = np.array([False, True, True, True])
    found = decode(replace(made, oversize=oversize), spec())
    assert found == [{"@": 1_000_000}, *[Dead("too_long")] * 3]


@pytest.mark.parametrize(
    ("known", "written", "dead"),
    [
        (None, None, False),
        (0, None, True),
        (1, None, False),
        (0, "0.000001", False),
        (1, "0", True),
        (None, "0", True),
        (None, "0.000001", False),
        (None, "null", False),
        (0, "null", True),
    ],
)
def test_future(known: int | None, written: str | None, dead: bool) -> None:
    """An hour and a microsecond is too far; what is written wins over what the source knows."""
    made = records(b'{"t": 3600.000001, "at": %s}' % (written or "0").encode())
    if known is not None:
        made = replace(made, arrival=np.array([known]))
    told = spec(time=TimeSpec("t", ("t",), arrival=("at",) if written else None))
    event = {"@": HOUR + 1}
    assert decode(made, told) == [Dead("future_time") if dead else event]


@pytest.mark.parametrize("skew", [0, 10])
def test_skew(skew: int) -> None:
    made = replace(records(b'{"t": "0.000010"}', b'{"t": "0.000011"}'), arrival=np.array([0, 0]))
    told = spec(time=TimeSpec("t", ("t",), max_future_skew=skew))
    first = {"@": 10} if skew else Dead("future_time")
    assert decode(made, told) == [first, Dead("future_time")]


def test_unreadable_arrival() -> None:
    told = spec(time=TimeSpec("t", ("t",), arrival=("at",)))
    assert decode(records(b'{"t": 1, "at": "soon"}'), told) == [Dead("bad_time")]


def test_path_fields() -> None:
    told = spec(
        *fields(host=Type.TEXT, port=Type.INTEGER, site=FieldSpec("site", Type.TEXT, None)),
    )
    line = b'{"t": 0, "host": "from the record", "port": 80}'
    assert decode(records(line), told) == [
        {"@": 0, "host": "from the record", "port": 80, "site": None}
    ]
    given = {"host": "www", "port": "8080", "site": "a", "other": "x"}
    assert decode(records(line), told, given) == [
        {"@": 0, "host": "www", "port": 8080, "site": "a"}
    ]
    assert decode(records(line), told, {"port": "http"}) == [Dead("bad_value", "port")]


# Reasons


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"t": 0, "v": "abc"}', "v: not an integer: 'abc'"),
        (b'{"t": 0, "v": 99999999999999999999}', "v: an integer beyond 64 bits: '999"),
        (b'{"t": 0, "v": 8}', "v: above max 7: '8'"),
        (b'{"t": 0}', "v: missing"),
        (b'{"v": 1}', "t: missing"),
        (b'{"t": "soon", "v": 1}', "t: not a time: 'soon'"),
        (b'{"t": "2022-02-30", "v": 1}', "t: no day of the calendar: '2022-02-30'"),
        (b'{"t": 1659509511865, "v": 1}', "t: beyond the year 9999 (milliseconds? Then set"),
        (b'{"t": 0, "v": "\\u001b[31m\\u202e"}', r"v: not an integer: '\x1b[31m\u202e'"),
        (b'{"t": 0, "v"', """ends too early: '{"t": 0, "v"'"""),
        (b'{"t": 0, "v": \xff}', r"byte 14 is not UTF-8: b'{"),
        (b"started", "not JSON: 'started'"),
        (b"[]", "not an object: '[]'"),
    ],
)
def test_reason(line: bytes, reason: str) -> None:
    told = spec(number("v", required=True, maximum=7))
    [found] = Decoder(told).decode(records(line)).dead.reasons
    assert found.startswith(reason)


@pytest.mark.parametrize("value", ["x" * 1000, "\x1b" * 1000, "é" * 1000, b"\xff" * 1000])
def test_reasons_are_short(value: str | bytes) -> None:
    assert len(shown(value)) <= SHOWN
    assert shown(value).endswith("...")


def test_every_code_has_a_meaning() -> None:
    assert all(code.meaning and code.value == code.name.lower() for code in Code)


# From the pipeline file

BASE = """
name: p
source: {stdin: {}}
fields: {v: text}
time: {field: t}
rules: [{alert: a, window: 1s, when: count(*) > 1}]
"""


def configured(**changes: str) -> str:
    lines = [line for line in BASE.strip().splitlines() if line.split(":")[0] not in changes]
    return "\n".join([*lines, *(f"{key}: {text}" for key, text in changes.items())])


@pytest.mark.parametrize(
    ("changes", "attribute", "value"),
    [
        ({}, "format", JsonFormat()),
        ({"format": "combined", "time": "{field: time_local}"}, "format", COMBINED),
        (
            {"format": "{log_format: '$t $v', escape: json}"},
            "format",
            LogFormat("$t $v", Escape.JSON),
        ),
        (
            {"format": "{csv: {columns: [t, v], header: false, delimiter: ';'}}"},
            "format",
            CsvFormat(("t", "v"), header=False, delimiter=";"),
        ),
        ({"format": "csv"}, "format", CsvFormat(None)),
        (
            {"time": "{field: [a, b], format: iso, zone: Europe/Berlin, arrival: c}"},
            "time",
            TimeSpec("a.b", ("a", "b"), TimeForm.ISO, "Europe/Berlin", None, ("c",), HOUR),
        ),
        (
            {"time": "{field: t, format: syslog, year: 2022}"},
            "time",
            TimeSpec("t", ("t",), TimeForm.SYSLOG, year=2022),
        ),
        (
            {"fields": "{v: {type: integer, required: true, min: 1, max: 9, from: [a, b]}}"},
            "fields",
            (FieldSpec("v", Type.INTEGER, ("a", "b"), required=True, minimum=1, maximum=9),),
        ),
        (
            {"source": "{file: {path: x.log, fields: '(?P<host>x)'}}"},
            "fields",
            (FieldSpec("v", Type.TEXT, ("v",)), FieldSpec("host", Type.TEXT, None)),
        ),
    ],
)
def test_from_the_pipeline_file(changes: dict[str, str], attribute: str, value: object) -> None:
    config = loads(configured(**changes), env={}).config
    assert getattr(decode_spec(config), attribute) == value


def test_decoder_from_the_pipeline_file() -> None:
    config = loads(configured(format="combined"), env={}).config
    with pytest.raises(PipelineError, match=r"no variable \$t"):
        make_decoder(config)
    config = loads(configured(), env={}).config
    made = records(b'{"t": 1, "v": "x"}')
    assert outcomes(make_decoder(config).decode(made), 1) == [{"@": 1_000_000, "v": "x"}]
