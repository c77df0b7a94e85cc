"""From packets to events: the declared fields of each, and the dead letters among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.expr.nodes import Type
from tailrace.formats.checks import mark_missing, mark_out_of_range
from tailrace.formats.codes import Code
from tailrace.formats.columns import Typed
from tailrace.formats.event_times import mark_future
from tailrace.formats.faults import Faults
from tailrace.formats.packets.columns import NO_LINK, Packets
from tailrace.formats.packets.ip import FAULTS
from tailrace.formats.packets.link import LINK_TYPES
from tailrace.formats.packets.record import BROKEN, HEAD, HEAD_BYTES, told
from tailrace.formats.packets.view import Rows, View
from tailrace.formats.records import Decoded
from tailrace.formats.times import EARLIEST, LATEST, OUTSIDE
from tailrace.formats.typed_records import ARROW_TYPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailrace.formats.records import Records
    from tailrace.formats.spec import DecodeSpec, FieldSpec

FIELDS: Mapping[str, Type] = {
    "time": Type.TIME,
    "source": Type.TEXT,
    "destination": Type.TEXT,
    "source_port": Type.INTEGER,
    "destination_port": Type.INTEGER,
    "protocol": Type.TEXT,
    "bytes": Type.INTEGER,
    "wire_bytes": Type.INTEGER,
    "interface": Type.TEXT,
}
"""What a packet has, by name; config.packets says the same to people."""


def decode_packets(records: Records, spec: DecodeSpec, schema: pa.Schema) -> Decoded:
    """Events, dead letters and no blank records of packets (``record.PACKETS``)."""
    faults = Faults(len(records))
    heads, packets = _split(records, faults)
    times: NDArray[np.int64] = heads["time"].astype(np.int64)
    _mark(packets, heads, faults)
    columns = [_column(field, packets, times, records, faults) for field in spec.fields]
    mark_future(times, records.arrival, None, spec.time, faults)
    rows = np.flatnonzero(~faults.out).astype(np.int32)
    if len(rows) < len(records):
        alive = pa.array(~faults.out)
        columns = [column.filter(alive) for column in columns]
        times = times[rows]
    if columns:
        events = pa.Table.from_arrays(columns, schema=schema)
    else:
        events = pa.table({"": pa.nulls(len(rows))}).select([])
    return Decoded(events, times, rows, faults.dead_letters(), 0)


def _split(records: Records, faults: Faults) -> tuple[NDArray[np.void], Packets]:
    """Each record's head, and its packet."""
    start = records.offsets[:-1].astype(np.int64)
    size = np.diff(records.offsets).astype(np.int64)
    octets = np.frombuffer(records.data, np.uint8)
    if not len(octets):
        octets = np.zeros(1, np.uint8)
    heads = View(octets, start, size).run(0, HEAD_BYTES).view(HEAD).ravel()
    short = np.flatnonzero(size < HEAD_BYTES)
    if len(short):
        heads["link"][short] = BROKEN
        for row in short.tolist():
            faults.mark(row, Code.MALFORMED_PACKET, "the record is no packet")
    view = View(octets, start + HEAD_BYTES, np.maximum(size - HEAD_BYTES, 0))
    wire = heads["wire"].astype(np.int64)
    return heads, Packets(view, heads["link"].astype(np.int64), wire)


def _mark(packets: Packets, heads: NDArray[np.void], faults: Faults) -> None:
    """Mark what is no packet, what has no time, what isn't whole."""
    for row in np.flatnonzero(packets.link == BROKEN).tolist():
        faults.mark(row, Code.BROKEN_CAPTURE, told(heads["detail"][row], heads["wire"][row]))
    times = heads["time"]
    for row in _rows((times < EARLIEST) | (times > LATEST), faults):
        faults.mark(row, Code.BAD_TIME, f"the packet has no time, or one {OUTSIDE}")
    for row in _rows(packets.carried.type == NO_LINK, faults):
        known = ", ".join(map(str, LINK_TYPES))
        reason = f"packets of link type {packets.link[row]} aren't read, only of {known}"
        faults.mark(row, Code.UNKNOWN_LINK, reason)
    for row in _rows(packets.cut, faults):
        faults.mark(row, Code.MALFORMED_PACKET, "the capture ends within the link header")
    for row in _rows(packets.headers.fault > 0, faults):
        faults.mark(row, Code.MALFORMED_PACKET, FAULTS[packets.headers.fault[row]])


def _rows(wrong: NDArray[np.bool_], faults: Faults) -> list[int]:
    rows: Rows = np.flatnonzero(wrong & ~faults.out)
    return list(map(int, rows))


def _column(
    field: FieldSpec,
    packets: Packets,
    times: NDArray[np.int64],
    records: Records,
    faults: Faults,
) -> pa.Array:
    length = len(records)
    name = field.path[-1] if field.path is not None and len(field.path) == 1 else ""
    match name:
        case "time":
            column = pa.array(times).cast(pa.timestamp("us", "UTC"))
        case "interface":
            beside = records.beside
            column = pa.nulls(length, pa.string()) if beside is None else beside[name]
        case _ if name in FIELDS:
            column = getattr(packets, name)
        case _:
            column = pa.nulls(length)
    column = column.cast(ARROW_TYPES[field.type])
    if field.required:
        mark_missing(column, faults, field.name, field.name)
    if field.minimum is not None or field.maximum is not None:
        mark_out_of_range(Typed(column), column.cast(pa.string()), faults, field)
    return column
