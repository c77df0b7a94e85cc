"""The files of a folder in order: read, being read, to be read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from tailrace.errors import SourceError
from tailrace.sources.chain import Chain, Took
from tailrace.sources.finished import refuse_if_grown
from tailrace.sources.half_line import HalfLine
from tailrace.sources.identity import Place
from tailrace.sources.listing import (
    Entry,
    Found,
    Reconciled,
    listing,
    reconciled,
    short_digest,
)
from tailrace.sources.missing import missing
from tailrace.sources.opened import OpenFile, Reading
from tailrace.sources.paths import as_text, from_text
from tailrace.sources.rotation import reading_key
from tailrace.sources.tracing import by_inode, holds, same_inode, trace
from tailrace.sources.types import Json

RESCAN_SECONDS = 0.25
PATIENCE = 10
"""For how many times the time to settle a growing file keeps the next one waiting."""
UNCHANGED_RESCAN_SECONDS = 2.0
"""How often a folder is listed that seems not to have changed: files in it may have grown."""


class Sequence:
    """One partition: a folder's files one after the other, each a generation.

    A file is left when it was read to its end and there is a next one; then its last line is a
    record even without a line end. ``bounded``: only files and sizes there are at ``open``; if they
    are not meant to ``follow``, the very last line needs no end either.
    """

    def __init__(
        self,
        chain: Chain,
        reading: Reading,
        pattern: str,
        *,
        bounded: bool,
        follow: bool,
        settle_seconds: float,
    ) -> None:
        self.chain = chain
        self.ready = False
        self.at_end = False
        self.ended = False
        self.seen = False
        self._folder = chain.path
        self._reading = reading
        self._pattern = pattern
        self._bounded = bounded
        self._follow = follow
        self._settle_seconds = settle_seconds
        self._read: list[Entry] = []
        self._read_json: list[Json] = []
        self._current = ""
        self._again = False
        """Whether a part of the file being read was read before."""
        self._queue: deque[Found] = deque()
        self._known: frozenset[tuple[Entry, Found]] = frozenset()
        """Files that are known to be those that were read."""
        self._late: set[str] = set()
        self._changed: set[str] = set()
        self._size = 0
        """Of the file being read, at the last look."""
        self._grown_at = float("-inf")
        self._half_line = HalfLine()
        self._next_begun_at: float | None = float("-inf")
        """When a file that follows was seen to have contents."""
        self._now = 0.0
        self._listed: tuple[int, float, float] = (0, 0.0, 0.0)
        """Time of change of the folder when it was listed, and when to list it again: if it has
        changed, and if not."""
        self._waiting = False

    @property
    def name(self) -> str:
        """The partition's name."""
        return self.chain.name

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes read and bytes in all, as on disk."""
        file = self.chain.file
        read = self.chain.bytes_before + (file.reader.stream.raw_position if file else 0)
        whole = self.chain.bytes_before + ((file.extent or 0) if file else 0)
        return read, max(read, whole) + sum(found.size for found in self._queue)

    def open(self, stored: dict[str, Json] | None) -> None:
        """Start at a stored position or at the first file; SourceError if that can't be."""
        try:
            present = listing(self._folder, self._pattern)
        except NotADirectoryError as error:
            raise SourceError(
                f"{self._folder} is a file, not a folder",
                hint=f"read it with the source `file: {{path: {self._folder}}}`",
            ) from error
        except OSError as error:
            if self._bounded or not isinstance(error, FileNotFoundError):
                raise missing(self._folder, error) from error
            self._complain(error)
            present = {}
        self.seen = bool(stored or present or self._bounded)
        if stored:
            self._take_up_stored(stored)
        self._sort(present)
        if not present and not stored and not self._waiting:
            self.chain.note(
                "waiting" if not self._bounded else "empty",
                f"{self._folder}: no file matches {self._pattern}"
                + ("" if self._bounded else " yet"),
            )

    def _take_up_stored(self, stored: dict[str, Json]) -> None:
        place = Place.from_json(self.name, stored)
        try:
            read = stored["read"]
            self._read = [
                Entry.from_json(entry) for entry in (read if isinstance(read, list) else [])
            ]
            self._current = from_text(str(stored["name"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(
                f"the position stored for {self.name} is not that of a folder",
                hint="the store belongs to a pipeline with another source; use a new store",
            ) from error
        path = os.path.join(self._folder, self._current)
        found = trace(path, place, self._reading, place.extent if self._bounded else None)
        if found is None:
            self.chain.generation = place.generation + 1
            self.chain.note(
                "generation_lost",
                f"{path}, of which {place.position} bytes were read, is not there any more, nor"
                " under another name; lines after those may be missing",
            )
        else:
            if self._bounded:
                refuse_if_grown(found.file, place)
                if place.extent is None or found.file.kind:
                    found.file.finish_here(found.file.status.st_size)
            self._current = os.path.basename(found.file.handle.path)
            self.chain.take_up(found.file, place.generation)
            self._again = any(entry.inode == place.inode for entry in self._read)
        self._read_json = [entry.to_json() for entry in self._read]
        self._describe()

    def _sort(self, present: Mapping[str, Found]) -> None:
        """Put what was not read yet in order."""
        file = self.chain.file
        unread = dict(present)
        if file is not None and (name := self._present_name(file, present)) is not None:
            self._current = name
            del unread[name]
        compared = reconciled(self._folder, self._read, unread, self._known)
        self._known = compared.same
        self._note_changes(compared)
        if compared.entries != self._read:
            self._read = compared.entries
            self._read_json = [entry.to_json() for entry in self._read]
        left = compared.unread
        self._describe()
        taken = [entry.name for entry in self._read]
        if file is not None:
            taken.append(self._current)
        highest = max(map(reading_key, taken), default=None)
        in_order = sorted(left, key=lambda found: reading_key(found.name))
        late = [found for found in in_order if highest and reading_key(found.name) < highest]
        self._note_late([found.name for found in late if found.name not in self._late])
        # What was added to files already left comes last: nothing goes back to an earlier file.
        self._queue = deque(
            [found for found in in_order if found not in late] + late + compared.grown
        )
        self.seen = self.seen or bool(self._queue)

    def _present_name(self, file: OpenFile, present: Mapping[str, Found]) -> str | None:
        """Return the present name of the file being read, or of its archive; None if it is gone."""
        inode = file.handle.status.st_ino
        for name, found in present.items():
            if found.inode == inode:
                return name
        place = file.place(self.chain.generation)
        if not place.position:
            return None
        known = {(entry.name, entry.inode) for entry in self._read}
        return next(
            (
                name
                for name, found in present.items()
                if (name, found.inode) not in known
                and holds(os.path.join(self._folder, name), place)
            ),
            None,
        )

    def _note_changes(self, compared: Reconciled) -> None:
        """Files that were read must stay what they were: SourceError, or a note if followed."""
        changes = {
            found.name: f"has grown by {found.size - found.start} bytes" for found in compared.grown
        } | dict.fromkeys(compared.replaced, "has other contents")
        for name, change in changes.items():
            text = f"{self._folder}: of the files that were read, {as_text(name)} {change}"
            if not self._follow:
                hint = "set `follow: true` if files are being written, or begin with a new store"
                raise SourceError(text, hint=hint)
            if name not in self._changed:
                self._changed.add(name)
                self.chain.note("changed", f"{text}, which are read after the files since")

    def _note_late(self, names: list[str]) -> None:
        if not names:
            return
        self._late.update(names)
        self.chain.note(
            "out_of_order",
            f"{self._folder}: {', '.join(map(as_text, names[:3]))}"
            + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            + " would have come before files already read; read after them",
            len(names),
        )

    def _describe(self) -> None:
        """Say in the resume state which files were read and which one is being read."""
        self.chain.resume = {"name": as_text(self._current), "read": self._read_json}

    def look(self, now: float) -> None:
        """Find out what there is to read; ``now`` is monotonic, in seconds."""
        self._now = now
        self.ready = self.at_end = False
        if not self._bounded:
            self._rescan(now)
        try:
            while not (self.ended or self.ready or self.at_end):
                if not self._look(now):
                    break
        except OSError as error:
            self._complain(error)

    def _rescan(self, now: float) -> None:
        changed, if_changed, if_not = self._listed
        try:
            if now < if_changed:
                return
            time_of_change = os.stat(self._folder).st_mtime_ns
            if time_of_change == changed and now < if_not:
                return
            self._sort(listing(self._folder, self._pattern))
        except OSError as error:
            self._complain(error)
            return
        self._waiting = False
        self._listed = (time_of_change, now + RESCAN_SECONDS, now + UNCHANGED_RESCAN_SECONDS)

    def _complain(self, error: OSError) -> None:
        """Note once that the folder can't be listed."""
        if not self._waiting:
            self._waiting = True
            reason = (error.strerror or str(error)).lower()
            self.chain.note("waiting", f"{self._folder} can't be listed: {reason}; waiting for it")

    def _look(self, now: float) -> bool:
        """Look once; True if things changed and another look is needed."""
        file = self.chain.file
        if file is None:
            return self._begin()
        self._size = file.status.st_size if file.extent is None else file.extent
        if file.reader.done:
            return self._leave(file)
        position = file.reader.stream.position
        if file.extent is not None:
            self.ready = True
            return False
        if self._size < position or not file.holds_recent():
            self._truncated(file)
            return True
        if self._size > position or file.reader.pending:
            self._grown_at = now
            self.ready = True
        elif (begun_at := self._next_begun(now)) is None:
            self.at_end = True
            self._tell_half_line(file, now)
        elif now - max(self._grown_at, begun_at) >= self._settle_seconds or (
            # Two files that grow for ever take turns; what is added to the other one is not lost.
            now - begun_at >= PATIENCE * self._settle_seconds and not file.reader.begun_bytes
        ):
            file.finish_here(self._size)
            return True
        return False

    def _tell_half_line(self, file: OpenFile, now: float) -> None:
        reader = file.reader
        text = self._half_line.look(file.handle.path, reader.position, reader.begun_bytes, now)
        if text is not None:
            self.chain.note("half_line", text)

    def _next_begun(self, now: float) -> float | None:
        """Return since when a file that follows has contents; an empty one waits for a writer."""
        names = (found.name for found in self._queue if not found.size)
        if not any(found.size for found in self._queue) and not any(
            size_of(os.path.join(self._folder, name)) for name in names
        ):
            self._next_begun_at = None
        elif self._next_begun_at is None:
            self._next_begun_at = now
        return self._next_begun_at

    def _begin(self) -> bool:
        """Open the next file."""
        if not self._queue:
            self.at_end = self.seen and not self._waiting
            self.ended = self._bounded
            return False
        found = self._queue.popleft()
        try:
            file = self._open(found)
        except FileNotFoundError as error:
            path = os.path.join(self._folder, found.name)
            if self._bounded:
                raise missing(path, error) from error
            self._sort(listing(self._folder, self._pattern))
            if found.inode not in {waiting.inode for waiting in self._queue}:
                self.chain.note("vanished", f"{path} was removed before it was read")
            return True
        except SourceError as error:
            if self._bounded:
                raise
            self.chain.note("unreadable", f"{error}; passed over")
            return True
        self._again = found.start > 0
        if self._again and (file.kind or not file.start_at(found.start)):
            file.close()
            return True
        self._current = os.path.basename(file.handle.path)
        self._grown_at = float("-inf")
        # Who wrote a file that isn't the last when it is begun has changed over long ago.
        self._next_begun_at = float("-inf") if self._queue else None
        self.chain.take_up(file, self.chain.generation)
        self._describe()
        return True

    def _open(self, found: Found) -> OpenFile:
        """Open a file under the name that it has now; FileNotFoundError if it is gone."""
        path = os.path.join(self._folder, found.name)
        device = os.stat(self._folder).st_dev
        for candidate in (path, *same_inode(path, device, found.inode)):
            with suppress(FileNotFoundError):
                extent = found.size if self._bounded else None
                file = OpenFile(candidate, self._reading, extent, by_inode(path))
                if file.handle.status.st_ino == found.inode:
                    return file
                file.close()
        raise FileNotFoundError(path)

    def _leave(self, file: OpenFile) -> bool:
        """Go from a file that is completely read to the next; False if it is the last."""
        if file.reader.begun_bytes and not self._follow and not self.ended:
            self.chain.note(
                "grows",
                f"{file.handle.path} grows while it is read: its last line had no end and was"
                " left; set `follow: true` for files that are being written",
            )
        if not self._queue:
            self.at_end = True
            self.ended = self._bounded
            return False
        head = file.reader.head
        entry = Entry(
            self._current,
            file.reader.stream.raw_position,
            file.handle.status.st_ino,
            short_digest(head),
            len(head),
        )
        self.chain.leave()
        self.chain.generation += 1
        # New lists: slices hold the ones before.
        if self._again:
            self._read = [read for read in self._read if read.inode != entry.inode]
            self._read_json = [read.to_json() for read in self._read]
        self._read = [*self._read, entry]
        self._read_json = [*self._read_json, entry.to_json()]
        return True

    def _truncated(self, file: OpenFile) -> None:
        """Go on in a copy of what was there, or note the gap and begin again."""
        path = os.path.join(self._folder, self._current)
        place = file.place(self.chain.generation)
        position = file.reader.stream.position
        self.chain.leave()
        copy = trace(path, place, self._reading, None)
        if copy is not None and not copy.is_current:
            self._current = os.path.basename(copy.file.handle.path)
            self.chain.take_up(copy.file, place.generation)
            self._describe()
            self._sort(listing(self._folder, self._pattern))
            return
        if copy is not None:
            copy.file.close()
        self.chain.generation += 1
        self._queue.appendleft(Found(self._current, 0, place.inode))
        self.chain.note(
            "truncated",
            f"{path} was truncated or overwritten after {position} bytes of it were read; what was"
            " written between the last look and then is lost",
        )

    def read(self, limit: int) -> Took:
        """Read about ``limit`` bytes of what the last look found."""
        file = self.chain.file
        if file is None:
            self.ready = False
            return Took(None, 0)
        took = self.chain.read(limit, keep_last=self._keeps_last(file))
        if not took.size and took.chunk is None and not file.reader.done:
            self.ready = False
            if self._bounded:
                raise SourceError(
                    f"{file.handle.path} has shrunk from {file.extent} to {file.status.st_size}"
                    " bytes while it was read",
                    hint="set `follow: true` for files that are truncated by their writer",
                )
            return took
        more = file.kind or self._size > file.reader.stream.position or file.reader.pending
        if file.reader.done or not more:
            self.look(self._now)
        return took

    def _keeps_last(self, file: OpenFile) -> bool:
        """Whether a last line without an end is a record."""
        if file.kind or file.extent is None:
            return True
        return bool(self._queue) if self._follow else file.status.st_size <= file.extent

    def close(self) -> None:
        """Close the file being read."""
        self.chain.leave()


def size_of(path: str) -> int:
    """Return a file's size; 0 if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
