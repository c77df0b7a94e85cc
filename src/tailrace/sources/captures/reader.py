"""Packets read from a stream a piece at a time, as `tailrace.sources.reader` reads lines.

A record's position is the place in the file where the packet's part begins. Once something can't be
read, the rest of the file is one record, which comes when the file has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.formats.packets.record import PACKETS, Breach, broken
from tailrace.formats.records import Records
from tailrace.sources.captures.framing import Broken, Framed, Framing
from tailrace.sources.captures.pcap import HEADER_BYTES, MAGICS, Pcap
from tailrace.sources.captures.pcapng import MAGIC, Pcapng, Section
from tailrace.sources.identity import BEFORE_BYTES
from tailrace.sources.piecewise import Piecewise, latest

if TYPE_CHECKING:
    from tailrace.sources.streams import Stream
    from tailrace.sources.types import Json

MAX_READ_BYTES = 1 << 28
SHOWN_BYTES = 4096
"""So much is kept of what can't be read."""
MAGIC_BYTES = 4


class PacketReader(Piecewise):
    """The packets of one stream in order; see ``tailrace.sources.reader.Reader``.

    ``state``: what must be known to read on at ``position``.
    """

    def __init__(
        self, stream: Stream, *, head: bytes = b"", before: bytes = b"", state: dict[str, Json]
    ) -> None:
        super().__init__(stream, head, before)
        self._rest = b""
        """What was read after ``position``, as far as it is kept."""
        self._last = before
        self._framing: Framing | None = None
        self._broken: Broken | None = None
        self._missing = 0
        if self.position:
            self._framing = _framing(head, Section.from_json(state))

    @property
    def state(self) -> dict[str, Json]:
        """What must be known to go on at ``position``; nothing where the file's begin tells it."""
        return self._framing.state if self._framing is not None else {}

    @property
    def recent(self) -> bytes:
        """The bytes last read from the stream."""
        return self._last

    def read(self, limit: int, *, keep_last: bool = True) -> Records:
        """Read about ``limit`` bytes more; return the packets that end there, perhaps none.

        Once the stream has ended, what is left is one record, if ``keep_last``.
        """
        self._pending = False
        data = self._rest + self._more(min(max(limit, 1), MAX_READ_BYTES))
        found = Framed() if self._broken is not None else self._frame(data)
        rest = data[found.used :]
        if found.used:
            self.before = latest(self.before, data[max(0, found.used - BEFORE_BYTES) : found.used])
        start = self.position
        self.position += found.used
        self._missing = found.missing
        self._broken = self._broken or found.broken
        self._rest = rest if self._broken is None else rest[:SHOWN_BYTES]
        records = _records(found, data, start)
        if not (self.stream.ended and keep_last and self.begun_bytes):
            return records
        if len(records):
            self._pending = True
            return records
        return self._last_one()

    def _more(self, limit: int) -> bytes:
        target = np.empty(limit, np.uint8)
        more = target[: self._readinto(target)].tobytes()
        self._last = latest(self._last, more)
        return more

    def _frame(self, data: bytes) -> Framed:
        """The packets in ``data``, whose header may be missing yet."""
        if self._framing is not None:
            return self._framing.frame(data)
        found = Framed(missing=HEADER_BYTES - len(data))
        if len(data) >= MAGIC_BYTES and data[:MAGIC_BYTES] not in (*MAGICS, MAGIC):
            found.broken = Broken(Breach.NO_CAPTURE)
        elif data[:MAGIC_BYTES] == MAGIC:
            self._framing = Pcapng(Section())
            return self._framing.frame(data)
        elif len(data) >= HEADER_BYTES:
            pcap = self._framing = Pcap.of(data)
            found = pcap.frame(data, HEADER_BYTES)
        return found

    def _last_one(self) -> Records:
        """What is left at the end of the stream, as one record."""
        why = self._broken or Broken(Breach.ENDS, self._missing)
        content = broken(why.breach, why.length, self._rest[:SHOWN_BYTES])
        position, self.position = self.position, self.stream.position
        self.before, self._rest = self._last, b""
        return Records(
            pa.py_buffer(content),
            np.array([0, len(content)], np.int32),
            np.array([position], np.int64),
            header=PACKETS,
            beside={"interface": pa.nulls(1, pa.string())},
        )


def _framing(head: bytes, section: Section) -> Framing | None:
    """The format of a file that begins with ``head``, at a place after its begin."""
    if head[:MAGIC_BYTES] in MAGICS and len(head) >= HEADER_BYTES:
        return Pcap.of(head)
    return Pcapng(section) if head[:MAGIC_BYTES] == MAGIC else None


def _records(found: Framed, data: bytes, start: int) -> Records:
    content, offsets = found.content(data)
    positions = found.places + start
    names = found.names
    interface = (
        pa.nulls(len(positions), pa.string()) if names is None else pa.array(names, pa.string())
    )
    return Records(
        pa.py_buffer(content), offsets, positions, header=PACKETS, beside={"interface": interface}
    )
