"""One partition of files: its generations, read one after the other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.sources.identity import Place, state
from tailrace.sources.missing import missing
from tailrace.sources.opened import OpenFile, Reading
from tailrace.sources.tracing import trace
from tailrace.sources.types import Chunk, Json, Note, Slice


@dataclass(frozen=True, slots=True)
class Took:
    """What one read gave: a chunk, perhaps, and how many bytes were read for it."""

    chunk: Chunk | None
    size: int


class Chain:
    """The file being read, its generation, and the notes made on the way."""

    def __init__(self, name: str, path: str, fields: dict[str, str], reading: Reading) -> None:
        self.name = name
        self.path = path
        self.generation = 0
        self.file: OpenFile | None = None
        self.notes: deque[Note] = deque()
        self.bytes_before = 0
        """Bytes of the files that were read completely, as on disk."""
        self.resume: dict[str, Json] = {}
        """What a resume state holds besides the place; replaced, never changed."""
        self._fields = fields
        self._reading = reading

    def take_up(self, file: OpenFile, generation: int) -> None:
        """Read this file from now on."""
        self.leave()
        self.file = file
        self.generation = generation

    def leave(self) -> None:
        """Close the file being read."""
        if self.file is not None:
            self.bytes_before += self.file.reader.stream.raw_position
            self.file.close()
            self.file = None

    def note(self, code: str, text: str, count: int = 1) -> None:
        """Keep a note for the next poll."""
        self.notes.append(Note(code, self.name, text, count))

    def read(self, limit: int, *, keep_last: bool) -> Took:
        """Read about ``limit`` bytes of the current file."""
        if self.file is None:
            return Took(None, 0)
        start, known = self.file.reader.position, self.file.reader.state
        try:
            records, size = self.file.read(limit, keep_last=keep_last)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise missing(self.file.handle.path, error) from error
        if not len(records):
            return Took(None, size)
        place = self.file.place(self.generation)
        piece = Slice(
            self.name,
            self.generation,
            start,
            place.position,
            place.to_json() | ({"began": known} if known else {}) | self.resume,
            self._fields,
        )
        return Took(Chunk(piece, records), size)


def began(piece: Slice) -> dict[str, Json]:
    """The reader's state where a slice begins."""
    return state(piece.resume.get("began", {}))


def reread(piece: Slice, path: str, reading: Reading) -> Records:
    """Read a slice again, wherever the file of ``path`` is now; SourceError if it is gone."""
    place = Place.from_json(piece.partition, piece.resume)
    found = trace(path, place, reading, None)
    if found is not None:
        try:
            records = found.file.reread(piece.start, place, began(piece))
        finally:
            found.file.close()
        if records is not None:
            return records
    raise SourceError(
        f"{path}: bytes {piece.start} to {piece.end} of generation {piece.generation} are no longer"
        " what was read",
        hint="the file was removed, truncated or changed; its rotated files were searched too",
    )
