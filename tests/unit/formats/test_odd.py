"""Records that can't be read, as events, in every format; what broken bytes are shown as."""

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.formats.given import decode, fields, records, spec

from tailrace.expr.nodes import Type
from tailrace.formats import odd
from tailrace.formats.decoder import Decoder
from tailrace.formats.records import UNKNOWN_ARRIVAL, UNTIMED, Records
from tailrace.formats.spec import CsvFormat, DecodeSpec, Format, JsonFormat, LogFormat, PlainFormat


def told(format_: Format, **types: Type) -> DecodeSpec:
    made = spec(*fields(**types), *odd.FIELDS, format=format_)
    return DecodeSpec(made.format, made.fields, made.time, odd_too=True)


LOG = LogFormat("$t $status")
CSV = CsvFormat(("t", "status"), header=False)
CASES: list[tuple[Format, bytes, int, int | None, str | None]] = [
    (JsonFormat(), b'{"t": 5, "status": 200}', 5_000_000, 200, None),
    (JsonFormat(), b'{"t": 5, "status": "x"}', 5_000_000, None, "bad_value"),
    (JsonFormat(), b'{"t": "x", "status": 200}', UNTIMED, 200, "bad_time"),
    (JsonFormat(), b"{", UNTIMED, None, "malformed_json"),
    (JsonFormat(array_lines=True), b'[{"t": 5, "status": 200},', 5_000_000, 200, None),
    (JsonFormat(array_lines=True), b'[{"t": 5, ,', UNTIMED, None, "malformed_json"),
    (JsonFormat(envelope=True), b'{"payload": {"t": 5}}', 5_000_000, None, None),
    (JsonFormat(envelope=True), b'{"payload": null}', UNTIMED, None, "no_payload"),
    (CSV, b"5,200", 5_000_000, 200, None),
    (CSV, b"5,x", 5_000_000, None, "bad_value"),
    (CSV, b"5", UNTIMED, None, "csv_too_few_columns"),
    (LOG, b"5 200", 5_000_000, 200, None),
    (LOG, b"5", UNTIMED, None, "no_match"),
    (LOG, b"\xff", UNTIMED, None, "invalid_utf8"),
]


@pytest.mark.parametrize(("format_", "record", "time", "status", "code"), CASES)
def test_every_format(
    format_: Format, record: bytes, time: int, status: int | None, code: str | None
) -> None:
    raw = record.decode("utf-8", "backslashreplace")
    event = {"@": time, "status": status, "_raw": raw, "_error": code}
    made = records(record, b"", record, b" ")
    assert decode(made, told(format_, status=Type.INTEGER)) == [event, None, event, None]


def test_many_regular_records_with_odd_ones_among_them() -> None:
    lines = [b'{"t": %d, "status": %d}' % (row, row % 7) for row in range(1000)]
    lines[500], lines[501] = b'{"t": 1, "status": "\xff"}', b"\xef\xbb\xbf" + lines[501]
    found = decode(records(*lines), told(JsonFormat(), status=Type.INTEGER))
    assert found[500] == {
        "@": UNTIMED,
        "status": None,
        "_raw": '{"t": 1, "status": "\\xff"}',
        "_error": "invalid_utf8",
    }
    assert [each["_error"] for each in found if isinstance(each, dict)].count(None) == 999
    assert found[501] == {
        "@": 501_000_000,
        "status": 501 % 7,
        "_raw": '{"t": 501, "status": 4}',
        "_error": None,
    }


@pytest.mark.parametrize(
    ("arrival", "time"), [(7_000_000, 7_000_000), (UNKNOWN_ARRIVAL, 0), (-1, -1)]
)
def test_arrivals(arrival: int, time: int) -> None:
    """A message without a timestamp arrived in 1970, whatever engine reads it."""
    made = records(b"{")
    given = Records(made.data, made.offsets, made.positions, np.array([arrival], np.int64))
    decoded = Decoder(told(PlainFormat(), value=Type.TEXT)).decode(given)
    assert decoded.time.tolist() == [time]
    assert decoded.events.schema.names == ["value", "_raw", "_error"]
    assert decoded.events["_raw"].type == pa.string()
