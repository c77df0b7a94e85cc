"""What every source offers to an engine, and what passes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from tailrace.formats.records import Records

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Slice:
    """A planned piece of one partition: enough, as JSON, to read the same records after a crash.

    ``start`` and ``end`` are positions within ``generation`` (decompressed bytes for files).
    ``resume`` is the source's own state after this slice, opaque to everybody else; it is what is
    stored as the partition's position. ``fields`` are values that the path gave (``fields`` of the
    file source), equal for all records of the slice.
    """

    partition: str
    generation: int
    start: int
    end: int
    resume: dict[str, Json]
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice with its records read."""

    slice: Slice
    records: Records


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know, no error: ``code`` is counted, ``text`` shown and logged."""

    code: str
    partition: str
    text: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll found.

    ``chunks``: new work, in order within each partition. ``appeared``: partitions seen for the
    first time (each is named before its first chunk). ``at_end``: partitions whose end was
    confirmed during this poll, nothing being left to read now (of very many quiet files each is
    looked at a few times a second; in between its last confirmation holds). ``ended``: bounded
    partitions that are completely read; no chunk of theirs follows.
    """

    chunks: tuple[Chunk, ...] = ()
    appeared: tuple[str, ...] = ()
    at_end: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a source can't be read now, and since when: microseconds of the clock on the wall."""

    since: int
    reason: str


@runtime_checkable
class Troubled(Protocol):
    """A source that may be away for a while."""

    def trouble(self) -> Trouble | None:
        """What is wrong now; called by any thread, and doesn't wait."""
        ...


@runtime_checkable
class Mirroring(Protocol):
    """A source that shows others how far it is read."""

    def committed(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Hear of the positions that the store has; called by any thread, and doesn't wait."""
        ...


@runtime_checkable
class Parting(Protocol):
    """A source that has more to tell once nothing is read from it any more."""

    def parting(self) -> tuple[Note, ...]:
        """What has not been told; called before ``close``, when nobody polls."""
        ...


class Input(Protocol):
    """What a run's input is seen as from outside."""

    @property
    def bounded(self) -> bool:
        """Whether the input ends by itself."""
        ...

    def totals(self) -> tuple[int, int] | None:
        """(bytes read, bytes in all) of bounded input for a progress bar; None where unknown."""
        ...

    def close(self) -> None:
        """Give back files and threads."""
        ...


class Source(Input, Protocol):
    """A set of partitions. One thread at a time calls it; ``poll`` doesn't wait."""

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Start at stored positions (``Slice.resume`` by partition); unknown ones at their begin.

        SourceError if the input is missing or is not what it was.
        """
        ...

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Read up to about ``max_bytes``, lowest watermark first, partitions without one before.

        SourceError if the input can't be read on.
        """
        ...

    def reread(self, piece: Slice) -> Records:
        """Read exactly this slice again; SourceError if its contents are gone or differ."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep until there may be news, at most ``seconds``."""
        ...
