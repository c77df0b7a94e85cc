"""gzip and zstd files, read forward as the bytes they stand for."""

from __future__ import annotations

import zlib
from typing import Protocol

import numpy as np
import zstandard

from tailrace.errors import SourceError
from tailrace.sources.descriptors import Handle
from tailrace.sources.split import Bytes
from tailrace.sources.streams import pread

GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
FED_BYTES = {"gzip": 1 << 14, "zstd": 1 << 12}
"""Compressed bytes decoded at a time: even a hostile archive makes of them 16 MB (gzip, at most
1032 times) or 128 MB (zstd, a block of 128 KiB for four bytes) at most."""


class Decoder(Protocol):
    """What zlib and zstandard have in common: one gzip member or zstd frame, decoded."""

    @property
    def eof(self) -> bool:
        """Whether the member or frame is complete."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was fed beyond its end."""
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Return what the next compressed bytes stand for."""
        ...


def archive_kind(magic: bytes) -> str | None:
    """Return ``gzip``, ``zstd`` or None for a file that begins with these bytes."""
    if magic.startswith(GZIP_MAGIC):
        return "gzip"
    return "zstd" if magic.startswith(ZSTD_MAGIC) else None


class ArchiveStream:
    """The decompressed bytes of an archive with one or more members.

    What comes after a fault (a truncated or damaged archive) can't be read: the bytes before it
    are returned, then SourceError names the place.
    """

    def __init__(self, handle: Handle, kind: str) -> None:
        self.position = 0
        self.raw_position = 0
        """Compressed bytes read."""
        self._handle = handle
        self._kind = kind
        self._decoder: Decoder | None = None
        self._unused = b""
        self._ready = b""
        self._taken = 0
        self._members = 0
        self._complete = False
        self._fault: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the last member's last byte was returned."""
        return self._complete and self._taken == len(self._ready)

    def readinto(self, target: Bytes) -> int:
        """Fill ``target`` unless the archive ends or a fault comes before."""
        filled = 0
        while filled < len(target):
            if self._taken == len(self._ready) and not self._decode():
                break
            part = self._ready[self._taken : self._taken + len(target) - filled]
            target[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
            self._taken += len(part)
            filled += len(part)
        self.position += filled
        if not filled and self._fault is not None:
            raise SourceError(
                f"{self._handle.path}: {self._fault}, at byte {self.raw_position} of the"
                f" {self._kind} file, {self.position} decompressed",
                hint="the lines before it were read; mend or remove the file",
            )
        return filled

    def _decode(self) -> bool:
        """Put the next decompressed bytes into ``_ready``; False at the end or a fault."""
        self._ready = b""
        self._taken = 0
        while not self._ready:
            if self._complete or self._fault is not None:
                return False
            self._ready = self._feed()
        return True

    def _feed(self) -> bytes:
        fed = self._unused or pread(self._handle, FED_BYTES[self._kind], self.raw_position)
        if not self._unused:
            self.raw_position += len(fed)
        self._unused = b""
        if self._decoder is None:
            if self._members and self._kind == "gzip":
                fed = fed.lstrip(b"\0")  # tapes and some writers pad with zeros
                if not fed and self.raw_position < self._handle.status.st_size:
                    return b""
            if not fed:
                self._complete = True
                return b""
            self._decoder = decoder(self._kind)
        if not fed:
            self._fault = "the archive is truncated"
            return b""
        try:
            out = self._decoder.decompress(fed)
        except (zlib.error, zstandard.ZstdError) as error:
            self._fault = f"the archive is damaged ({error})"
            return b""
        if self._decoder.eof:
            self._unused = self._decoder.unused_data
            self._decoder = None
            self._members += 1
        return out


def decoder(kind: str) -> Decoder:
    """Return a decoder of one member or frame."""
    if kind == "gzip":
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor().decompressobj()
