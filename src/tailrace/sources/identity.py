"""What tells that a file is still the one that was read, and what is stored of a place in it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from tailrace.errors import SourceError
from tailrace.sources.types import Json

HEAD_BYTES = 1024
BEFORE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Place:
    """A position in one generation of a partition, and how to know that file again.

    ``head``: digest of the first ``head_bytes`` decompressed bytes (at most ``HEAD_BYTES``, and not
    beyond the position); ``before``: digest of the last ``BEFORE_BYTES`` bytes (or fewer) before
    ``position``; ``extent``: bytes the file had, as stored on disk, when bounded reading of it
    began, None when followed. ``reader``: what else must be known to read on there.
    """

    generation: int
    position: int
    device: int
    inode: int
    head: str
    head_bytes: int
    before: str
    extent: int | None = None
    reader: dict[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Return what ``from_json`` takes."""
        return {
            "generation": self.generation,
            "position": self.position,
            "device": self.device,
            "inode": self.inode,
            "head": self.head,
            "head_bytes": self.head_bytes,
            "before": self.before,
            "extent": self.extent,
            **({"reader": self.reader} if self.reader else {}),
        }

    @classmethod
    def from_json(cls, partition: str, stored: dict[str, Json]) -> Place:
        """Return a stored place; SourceError if it is none of a file."""
        try:
            return cls(
                generation=whole(stored["generation"]),
                position=whole(stored["position"]),
                device=whole(stored["device"]),
                inode=whole(stored["inode"]),
                head=str(stored["head"]),
                head_bytes=whole(stored["head_bytes"]),
                before=str(stored["before"]),
                extent=None if stored["extent"] is None else whole(stored["extent"]),
                reader=state(stored.get("reader", {})),
            )
        except (KeyError, TypeError) as error:
            raise SourceError(
                f"the position stored for {partition} is not that of a file",
                hint="the store belongs to a pipeline with another source; use a new store",
            ) from error

    def is_file(self, status: os.stat_result) -> bool:
        """Whether device and inode are those of the file."""
        return (self.device, self.inode) == (status.st_dev, status.st_ino)

    def agrees(self, head: bytes, before: bytes) -> bool:
        """Whether a file with these first bytes and bytes before the position is the one meant."""
        known = min(self.head_bytes, len(head))
        return (
            known == self.head_bytes
            and digest(head[:known]) == self.head
            and digest(before) == self.before
        )


def digest(content: bytes) -> str:
    """Return 32 hex digits that stand for the content."""
    return hashlib.sha256(content).hexdigest()[:32]


def state(value: Json) -> dict[str, Json]:
    """Return an object out of JSON; TypeError if it is none."""
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def whole(value: Json) -> int:
    """Return an integer out of JSON; TypeError if it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value
