"""Headers of packets as columns: each field of a packet, worked out when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.formats.packets import ip, names
from tailrace.formats.packets.link import CUT, IP4_TYPE, IP6_TYPE, Carried, carried
from tailrace.formats.packets.record import BROKEN
from tailrace.formats.packets.view import Ints, Rows, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

WITH_PORTS = (6, 17, 33, 132, 136)
NO_LINK = -3
"""The type of what came over a link of unknown kind."""


@dataclass(frozen=True)
class Packets:
    """Packets with the bytes captured, their link types and their lengths on the wire."""

    view: View
    link: Ints
    wire: Ints

    @cached_property
    def carried(self) -> Carried:
        """What frames carry; a type of NO_LINK where the kind of link isn't known."""
        length = len(self.link)
        kind, at = np.full(length, NO_LINK), np.zeros(length, np.int64)
        for link in np.unique(self.link).tolist():
            rows = np.flatnonzero(self.link == link)
            whole = len(rows) == length
            found = (
                None
                if link == BROKEN
                else carried(self.view if whole else self.view.rows(rows), link)
            )
            if found is not None and whole:
                return found
            if found is not None:
                kind[rows], at[rows] = found.type, found.at
        return Carried(kind, at)

    @cached_property
    def v4(self) -> Rows:
        """Packets of IPv4, as the frame says."""
        return np.flatnonzero(self.carried.type == IP4_TYPE)

    @cached_property
    def v6(self) -> Rows:
        """Packets of IPv6."""
        return np.flatnonzero(self.carried.type == IP6_TYPE)

    @cached_property
    def headers(self) -> ip.Headers:
        """What IP says; NOT_KNOWN for all of it, and no fault, where it isn't IP."""
        length = len(self.link)
        if len(self.v4) == length:
            return ip.version4(self.view, self.carried.at, self.wire)
        fault = np.zeros(length, np.int64)
        total, protocol, after = (np.full(length, ip.NOT_KNOWN) for _ in range(3))
        for rows, read in ((self.v4, ip.version4), (self.v6, ip.version6)):
            if len(rows):
                some = read(self.view.rows(rows), self.carried.at[rows], self.wire[rows])
                fault[rows], total[rows] = some.fault, some.length
                protocol[rows], after[rows] = some.protocol, some.at
        return ip.Headers(fault, total, protocol, after)

    @property
    def bytes(self) -> pa.Int64Array:
        """IP's total length; null where it isn't IP."""
        return pa.array(self.headers.length, mask=self.headers.length < 0)

    @property
    def wire_bytes(self) -> pa.Int64Array:
        """Bytes on the wire."""
        return pa.array(self.wire)

    @property
    def protocol(self) -> pa.StringArray:
        """What IP carries, or what the frame carries instead of IP."""
        found = names.protocols(self.headers.protocol)
        if len(self.v4) + len(self.v6) == len(self.link):
            return found
        not_ip = np.ones(len(self.link), np.bool_)
        not_ip[self.v4] = not_ip[self.v6] = False
        return pc.if_else(pa.array(not_ip), names.others(self.carried.type), found)

    @property
    def source(self) -> pa.StringArray:
        """Address of the sender."""
        return self._addresses(12, 8)

    @property
    def destination(self) -> pa.StringArray:
        """Address of the receiver."""
        return self._addresses(16, 24)

    @property
    def source_port(self) -> pa.Int64Array:
        """Port of the sender."""
        return self._port(0)

    @property
    def destination_port(self) -> pa.Int64Array:
        """Port of the receiver."""
        return self._port(2)

    @cached_property
    def cut(self) -> NDArray[np.bool_]:
        """Where the capture ends within the link header."""
        cut: NDArray[np.bool_] = self.carried.type == CUT
        return cut

    def _addresses(self, at4: int, at6: int) -> pa.StringArray:
        length = len(self.link)
        parts = []
        for rows, at, width in ((self.v4, at4, 4), (self.v6, at6, 16)):
            if not len(rows):
                continue
            view = self.view if len(rows) == length else self.view.rows(rows)
            texts = names.addresses(view.run(self.carried.at[rows] + at, width))
            if len(rows) == length:
                return texts
            places = np.zeros(length, np.int64)
            places[rows] = np.arange(len(rows))
            here = np.zeros(length, np.bool_)
            here[rows] = True
            parts.append(texts.take(pa.array(places, mask=~here)))
        return pc.coalesce(*parts) if parts else pa.nulls(length, pa.string())

    def _port(self, at: int) -> pa.Int64Array:
        headers = self.headers
        there = np.isin(headers.protocol, WITH_PORTS) & (headers.at >= 0)
        there &= self.view.has(headers.at, 4)
        return pa.array(self.view.short(np.maximum(headers.at, 0) + at), mask=~there)
