"""The ``capture`` source: packets from the kernel's ring, which can't be read again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.errors import GoneError, SourceError
from tailrace.formats.packets.record import PACKETS
from tailrace.formats.records import Records
from tailrace.sources.identity import whole
from tailrace.sources.live.blocks import Named, framed
from tailrace.sources.live.interfaces import Names
from tailrace.sources.live.ring import Ring
from tailrace.sources.live.watching import Watch
from tailrace.sources.types import Chunk, Json, Note, Poll, Slice, Trouble

if TYPE_CHECKING:
    from tailrace.config.packets import CaptureSource

PARTITION = "capture"
COUNT_SECONDS = 1.0
"""So often the kernel is asked what it dropped, and whether the interfaces are up."""


def _names(config: CaptureSource) -> tuple[str, ...]:
    return () if config.interfaces == ("all",) else config.interfaces


def watch_of(config: CaptureSource) -> Watch:
    """What tells of the interfaces that a configuration names, of which one may be down."""
    return Watch(_names(config), PARTITION)


def ring_of(config: CaptureSource, names: tuple[str, ...] | None = None) -> Ring:
    """The ring that a configuration asks for, or one of these interfaces alone.

    SourceError if it can't be.
    """
    return Ring(
        _names(config) if names is None else names,
        snaplen=config.snaplen_bytes,
        buffer_bytes=config.buffer_bytes,
        source=config.source,
        destination=config.destination,
        either=config.either,
        promiscuous=config.promiscuous,
    )


def records_of(block: bytes, name: Named, start: int) -> Records:
    """The packets of a block of the ring, counted from ``start``."""
    found = framed(block, name)
    content, offsets = found.content(block)
    arrival = found.heads["time"].astype(np.int64)
    return Records(
        pa.py_buffer(content),
        offsets,
        np.arange(start, start + len(arrival), dtype=np.int64),
        arrival=arrival,
        header=PACKETS,
        beside={"interface": pa.array(found.names or [], pa.string())},
    )


def first(records: Records, number: int) -> Records:
    """The first so many packets."""
    if number >= len(records):
        return records
    number = max(number, 0)
    beside = records.beside or {}
    return replace(
        records,
        offsets=records.offsets[: number + 1],
        positions=records.positions[:number],
        arrival=None if records.arrival is None else records.arrival[:number],
        beside={name: column.slice(0, number) for name, column in beside.items()},
    )


class CapturedPackets:
    """One partition: what passes on the interfaces from now on.

    ``captures`` False: nothing is captured, and there is nothing. A position is the number of a
    packet, counted on over restarts, so that ids stay distinct.
    """

    def __init__(self, config: CaptureSource, *, captures: bool) -> None:
        self.bounded = not captures
        self._config = config
        self._names = Names()
        self._ring: Ring | None = None
        self._position = 0
        self._said = False
        self._asked = 0.0
        self._dropped = 0
        self._watch = watch_of(config)
        self._refused: str | None = None

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Begin to capture; SourceError if that can't be."""
        self._position = whole(positions.get(PARTITION, {}).get("position", 0))
        if not self.bounded and self._ring is None:
            self._ring = ring_of(self._config)
            self._watch.begin()

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Return what has come; with nothing left to read its end is confirmed."""
        del watermarks
        appeared = () if self._said else (PARTITION,)
        self._said = True
        ring = self._ring
        if ring is None:
            return Poll(appeared=appeared, ended=(PARTITION,) if appeared else ())
        chunks = []
        for block in ring.blocks(max_bytes):
            records = records_of(block, self._names, self._position)
            if len(records):
                start, self._position = self._position, self._position + len(records)
                place: dict[str, Json] = {"position": self._position}
                piece = Slice(PARTITION, 0, start, self._position, place)
                chunks.append(Chunk(piece, records))
        notes = self._look(ring, idle=not chunks)
        at_end = () if chunks or self._watch.all_away else (PARTITION,)
        return Poll(tuple(chunks), appeared, at_end, notes=notes)

    def _look(self, ring: Ring, *, idle: bool) -> tuple[Note, ...]:
        """Ask what was dropped, and look at the interfaces, at times."""
        now = time.monotonic()
        if now - self._asked < COUNT_SECONDS and not ring.failed:
            return ()
        self._asked, ring.failed = now, False
        self._dropped += ring.counted()[1]
        notes = self._watch.look()
        if idle and self._watch.moved:
            notes += self._renewed(ring)
        return (*self._losses(), *notes)

    def _renewed(self, ring: Ring) -> tuple[Note, ...]:
        """Capture from an interface that took the place of another; a note if that can't be."""
        try:
            self._ring = ring_of(self._config, self._watch.there)
        except SourceError as error:
            known, self._refused = self._refused, str(error)
            same = known == self._refused
            return () if same else (Note("capture_refused", PARTITION, self._refused),)
        self._dropped += ring.counted()[1]
        ring.close()
        self._watch.begin()
        self._refused = None
        return ()

    def _losses(self) -> tuple[Note, ...]:
        drops, self._dropped = self._dropped, 0
        if not drops:
            return ()
        text = (
            f"{drops} packets came faster than they were read, and the kernel dropped them;"
            " a larger source.capture.buffer_bytes bridges bursts"
        )
        return (Note("packets_dropped", PARTITION, text, drops),)

    def parting(self) -> tuple[Note, ...]:
        """What the kernel dropped since it was asked last."""
        if self._ring is not None:
            self._dropped += self._ring.counted()[1]
        return self._losses()

    def trouble(self) -> Trouble | None:
        """Interfaces that are down."""
        return self._watch.trouble()

    def reread(self, piece: Slice) -> Records:
        """GoneError: it can't be done."""
        raise GoneError(
            f"packets can't be captured again; {piece.start} to {piece.end} are lost",
            hint="what must survive a crash is captured to files and read with the source pcap",
        )

    def wait(self, seconds: float) -> None:
        """Sleep until packets came."""
        if self._ring is not None:
            self._ring.wait(seconds)

    def totals(self) -> tuple[int, int] | None:
        """Return None: how much will come is unknown."""
        return None

    def close(self) -> None:
        """Stop capturing."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None
