"""Fields that are beside a record, and the same names within one."""

import pyarrow as pa
from tests.unit.formats.given import records

from tailrace.expr.nodes import Type
from tailrace.formats.decoder import Decoder
from tailrace.formats.records import Records
from tailrace.formats.spec import CsvFormat, DecodeSpec, FieldSpec, Format, JsonFormat, TimeSpec

FIELDS = (
    FieldSpec("key", Type.TEXT, ("_key",), beside="_key"),
    FieldSpec("number", Type.INTEGER, ("_offset",), beside="_offset", required=True),
    FieldSpec("own", Type.TEXT, ("_key",)),
)
TIME = TimeSpec("_timestamp", ("_timestamp",), beside="_timestamp")
BESIDE = {
    "_key": ["k", None, "l"],
    "_offset": ["7", "x", None],
    "_timestamp": ["1970-01-01 00:00:01.500Z"] * 3,
}


def beside(lines: list[bytes]) -> Records:
    made = records(*lines)
    columns = {name: pa.array(texts, pa.string()) for name, texts in BESIDE.items()}
    return Records(made.data, made.offsets, made.positions, beside=columns)


def spec(*fields: FieldSpec, format_: Format | None = None) -> DecodeSpec:
    return DecodeSpec(format_ or JsonFormat(), fields, TIME)


def test_what_is_beside_a_record_is_typed_and_checked() -> None:
    decoded = Decoder(spec(*FIELDS)).decode(beside([b'{"_key": "in"}', b"{}", b"{}"]))
    assert decoded.events.to_pylist() == [{"key": "k", "number": 7, "own": "in"}]
    assert decoded.time.tolist() == [1_500_000]
    assert decoded.dead.codes == ("bad_value", "missing_value")


def test_records_without_it_may_have_keys_of_these_names() -> None:
    line = b'{"_key": "in", "_offset": 3, "_timestamp": 2}'
    decoded = Decoder(spec(*FIELDS)).decode(records(line))
    assert decoded.events.to_pylist() == [{"key": "in", "number": 3, "own": "in"}]
    assert decoded.time.tolist() == [2_000_000]


def test_malformed_records_are_found_though_nothing_of_them_is_wanted() -> None:
    decoded = Decoder(spec(FIELDS[0])).decode(beside([b"{}", b"{", b""]))
    assert decoded.events.to_pylist() == [{"key": "k"}]
    assert (decoded.dead.codes, decoded.blank) == (("malformed_json",), 1)


def test_formats_without_such_columns() -> None:
    told = spec(FIELDS[0], FieldSpec("a", Type.TEXT, ("a",)), format_=CsvFormat(("a",)))
    decoded = Decoder(told).decode(beside([b"x", b"y", b"z"]))
    assert decoded.events["a"].to_pylist() == ["y", "z"]
    assert decoded.events["key"].to_pylist() == [None, "l"]
