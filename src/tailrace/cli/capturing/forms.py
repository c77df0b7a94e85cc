"""What ``tailrace capture`` makes of packets: a capture file, JSON lines, messages, text."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from tailrace.formats.decoder import Decoder
from tailrace.formats.packets.decoder import FIELDS
from tailrace.formats.spec import DecodeSpec, FieldSpec, JsonFormat, TimeSpec
from tailrace.sources.captures.writing import PcapngWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailrace.formats.records import Records

Row = dict[str, Any]


class Form(Protocol):
    """Makes bytes of packets."""

    def begin(self) -> bytes:
        """What stands before the first packet."""
        ...

    def write(self, records: Records) -> bytes:
        """Some packets."""
        ...


def all_fields() -> Decoder:
    """A decoder for everything that a packet has."""
    fields = (FieldSpec(name=name, type=type_, path=(name,)) for name, type_ in FIELDS.items())
    return Decoder(DecodeSpec(JsonFormat(), tuple(fields), TimeSpec(name="time", path=("time",))))


class _Lines:
    """A line for each packet that can be read."""

    def __init__(self) -> None:
        self._decoder = all_fields()

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def write(self, records: Records) -> bytes:
        """Lines."""
        decoded = self._decoder.decode(records)
        rows = decoded.events.drop_columns("time").to_pylist()
        times = decoded.time.tolist()
        return "".join(self._lines(times, rows)).encode()

    def _lines(self, times: list[int], rows: list[Row]) -> Iterable[str]:
        raise NotImplementedError


class JsonForm(_Lines):
    """JSON lines with all that a packet has; times in ISO 8601."""

    def _lines(self, times: list[int], rows: list[Row]) -> Iterable[str]:
        for time_us, row in zip(times, rows, strict=True):
            yield json.dumps({"time": _moment(time_us).isoformat(), **row}) + "\n"


class TextForm(_Lines):
    """Lines for people."""

    def _lines(self, times: list[int], rows: list[Row]) -> Iterable[str]:
        for time_us, row in zip(times, rows, strict=True):
            ends = [_end(row[f"{end}"], row[f"{end}_port"]) for end in ("source", "destination")]
            what = " > ".join(ends) if row["source"] is not None else "-"
            size = row["wire_bytes"] if row["bytes"] is None else row["bytes"]
            clock = f"{_moment(time_us):%H:%M:%S.%f}Z"
            yield f"{clock}  {row['interface'] or '-'}  {row['protocol'] or '-'}  {what}  {size}\n"


class TopicForm(_Lines):
    r"""Key, value and time (ms) with tabs between: ``\0x7f\0x00...`` of both ends, bytes."""

    def _lines(self, times: list[int], rows: list[Row]) -> Iterable[str]:
        for time_us, row in zip(times, rows, strict=True):
            if row["source"] is not None:
                key = _octets(row["source"]) + _octets(row["destination"])
                yield f"{key}\t{row['bytes']}\t{time_us // 1000}\n"


FORMS: dict[str, type[Form]] = {
    "text": TextForm,
    "json": JsonForm,
    "pcap": PcapngWriter,
    "topic": TopicForm,
}


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).replace(
        microsecond=time_us % 1_000_000
    )


def _end(address: str | None, port: int | None) -> str:
    if port is None:
        return str(address)
    return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"


@lru_cache(1 << 16)
def _octets(address: str) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return "".join(f"\\0x{octet:02x}" for octet in socket.inet_pton(family, address))
