"""One path followed as ``tail -F`` does: through renames, truncations and absences.

A look asks the file system how things stand and decides what comes next; reading happens apart, so
that looks stay cheap. The states of a file that is followed:

=====================  ==============================  =======================================
the file read last     the path                        what follows
=====================  ==============================  =======================================
is longer than read    any                             it is read on
is read to its end     the same file                   the end is confirmed
is read to its end     leads to nothing                the end is confirmed; a file may come
is read to its end     another file, still empty       the end is confirmed; writers may still
                                                       be about to change over
is read to its end     another file with contents      after ``SETTLE_SECONDS`` without growth
                                                       the next generation begins
is shorter, or its     the same file                   a rotated copy that goes on is read to
last bytes differ                                      its end, else a gap is noted; then the
                                                       next generation begins
=====================  ==============================  =======================================
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from tailrace.errors import SourceError
from tailrace.sources.chain import Chain, Took
from tailrace.sources.identity import Place
from tailrace.sources.opened import OpenFile, Reading, refuse_unless_regular
from tailrace.sources.rotation import rotated
from tailrace.sources.tracing import by_inode, holds, resembles, same_inode, trace, younger
from tailrace.sources.types import Json

SETTLE_SECONDS = 0.5
"""How long a renamed file must not grow before the next one is begun: some of its writers may not
have changed over yet."""
SURE_SECONDS = 2.0
"""For how long after a change equal size and time don't prove equal contents (coarse clocks)."""

LEFT_SECONDS = 10.0
"""For how long a file that was left is still looked at, in case a writer goes on with it."""
LOOK_BACK_SECONDS = 1.0
SEARCH_SECONDS = 1.0
"""How often rotated files are looked for in a folder that seems not to have changed."""

Signature = tuple[int, ...]


@dataclass(slots=True)
class Left:
    """A file that was read to its end and left for the next generation."""

    status: os.stat_result
    size: int
    until: float
    next_look: float


class FollowedPath:
    """A partition: the file at a path, those before it and those after it.

    ``until_end``: stop where the file at the path ends when it is opened. ``only_this``: the path
    names a rotated file; what comes to this name later is no continuation.
    """

    def __init__(
        self,
        chain: Chain,
        reading: Reading,
        *,
        until_end: bool = False,
        only_this: bool = False,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self.chain = chain
        self.ready = False
        self.at_end = False
        self.ended = False
        self.seen = False
        """Whether there is, or was, a file."""
        self._path = chain.path
        self._reading = reading
        self._until_end = until_end
        self._only_this = only_this
        self._settle_seconds = settle_seconds
        self._last: tuple[int, int, int] | None = None
        """Device, inode and size at which reading ends."""
        self._signature: Signature | None = None
        self._since = 0.0
        """When the signature was seen first."""
        self._size = 0
        """Of the file being read, at the last look."""
        self._searched: tuple[int, float] | None = None
        """The folder's time of change when rotated files were looked for, and when that was."""
        self._passed_by = False
        """Whether there is a rotated file younger than the one being read."""
        self._left: Left | None = None
        self._complained: str | None = None

    @property
    def name(self) -> str:
        """The partition's name."""
        return self.chain.name

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes read and bytes in all as far as is known, as on disk."""
        file = self.chain.file
        read = file.reader.stream.raw_position if file else 0
        left = max(self._size - read, 0)
        if self._last and not self.ended and not (file and self._is_last(file)):
            left += self._last[2]
        before = self.chain.bytes_before + read
        return before, before + left

    def open(self, stored: dict[str, Json] | None) -> None:
        """Start at a stored position, or at the begin of the present file.

        SourceError if there is something that can't be read.
        """
        with suppress(FileNotFoundError):
            status = os.stat(self._path)
            refuse_unless_regular(self._path, status)
            if self._until_end:
                self._last = (status.st_dev, status.st_ino, status.st_size)
        if not stored:
            self.ended = self._until_end and self._last is None
            return
        self.seen = True
        place = Place.from_json(self.name, stored)
        found = trace(self._path, place, self._reading, None)
        if found is None:
            self.chain.generation = place.generation + 1
            self.ended = (self._until_end and self._last is None) or self._only_this
            self.chain.note("generation_lost", lost(self._path, place.position))
            return
        if self._until_end and (self._only_this or self._last is None):
            status = found.file.status
            if found.younger and not self._only_this:
                status = os.stat(found.younger[-1])
            self._last = (status.st_dev, status.st_ino, status.st_size)
        self._take_up(found.file, place.generation)

    def look(self, now: float) -> None:
        """Find out what there is to read; ``now`` is monotonic, in seconds."""
        self.ready = self.at_end = False
        try:
            while not self.ended and not (self.ready or self.at_end):
                if not self._look(now):
                    break
        except FileNotFoundError:
            self._lose()
        except (SourceError, OSError) as error:
            self._complain("unreadable", f"{self._path} can't be read now: {error}")
        if self.ready or (self.at_end and self.chain.file is not None):
            self._complained = None
        if self._left is not None:
            self._look_back(self._left, now)

    def _look(self, now: float) -> bool:
        """Look once; True if things changed and another look is needed."""
        file = self.chain.file
        if file is None:
            return self._begin()
        status = status_of(self._path)
        if status is not None and os.path.samestat(status, file.handle.status):
            return self._look_at_current(file, status, now)
        return self._look_at_rotated(file, status, now)

    def _look_at_rotated(self, file: OpenFile, status: os.stat_result | None, now: float) -> bool:
        """Look at a file that is at the path no more; ``status``: of the one that is."""
        self._size = file.status.st_size
        self._sign((self._size,), now)
        if file.extent is not None:
            self._size = min(self._size, file.extent)
        if file.reader.done:
            return self._pass_on(now)
        if file.kind or file.reader.pending or self._size > file.reader.stream.position:
            self.ready = True
            return False
        if self._only_this or (self._until_end and self._is_last(file)):
            self.at_end = True
            self.ended = self._until_end
            return False
        self._search(file, now)
        if not self._passed_by:
            if status is None or status.st_size == 0:
                self.at_end = True
                self.ended = self._until_end
                return False
            if now - self._since < self._settle_seconds and not self._until_end:
                return False
        file.finish_here(self._size)
        return True

    def _search(self, file: OpenFile, now: float) -> None:
        """Find out whether a rotated file is younger, if the folder may have changed."""
        folder = status_of(os.path.dirname(self._path))
        changed = folder.st_mtime_ns if folder else 0
        if self._searched and self._searched[0] == changed and now < self._searched[1]:
            return
        self._searched = (changed, now + SEARCH_SECONDS)
        self._passed_by = self._successor_path(file) is not None

    def _look_at_current(self, file: OpenFile, status: os.stat_result, now: float) -> bool:
        signature = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        same = self._sign(signature, now)
        self._size = status.st_size
        if file.kind:
            self.ready = not file.reader.done
            self.at_end = file.reader.done
        else:
            position = file.reader.stream.position
            sure = same and now - self._since > SURE_SECONDS
            if status.st_size < position or not (sure or file.holds_recent()):
                self._truncated(file, status.st_size)
                return True
            if file.extent is not None:
                self._size = min(self._size, file.extent)
            self.ready = self._size > position or file.reader.pending
            self.at_end = not self.ready
        self.ended = self.at_end and self._until_end
        return False

    def read(self, limit: int) -> Took:
        """Read about ``limit`` bytes of what the last look found."""
        file = self.chain.file
        if file is None:
            self.ready = False
            return Took(None, 0)
        try:
            took = self.chain.read(limit, keep_last=not self._is_last(file))
        except FileNotFoundError:
            self._lose()
            return Took(None, 0)
        more = self._size > file.reader.stream.position if not file.kind else True
        self.ready = (more or file.reader.pending) and not file.reader.done
        if not took.size and took.chunk is None:
            self.ready = False
        return took

    def close(self) -> None:
        """Close what is open."""
        self.chain.leave()

    def _sign(self, signature: Signature, now: float) -> bool:
        if signature == self._signature:
            return True
        self._signature = signature
        self._since = now
        return False

    def _is_last(self, file: OpenFile) -> bool:
        status = file.handle.status
        return self._last is not None and self._last[:2] == (status.st_dev, status.st_ino)

    def _take_up(self, file: OpenFile, generation: int) -> None:
        self.seen = True
        self._searched = None
        if self._last is not None and self._is_last(file) and not file.kind:
            file.finish_here(self._last[2])
        self.chain.take_up(file, generation)

    def _begin(self) -> bool:
        """Open the file at the path."""
        if self._only_this and self.chain.generation:
            self.at_end = True
            self.ended = self._until_end
            return False
        try:
            file = OpenFile(self._path, self._reading, find=by_inode(self._path))
        except FileNotFoundError:
            if self._until_end:
                self.ended = True
            self.at_end = self.seen
            self._complain("waiting", f"there is no file {self._path}; waiting for it to appear")
            return False
        self._take_up(file, self.chain.generation)
        return True

    def _pass_on(self, now: float) -> bool:
        """Go from a file that is completely read to the one that followed it."""
        file = self.chain.file
        if file is None or (self._last and self._is_last(file)) or self._only_this:
            self.ended = self._until_end
            self.at_end = True
            return False
        self._left = Left(file.handle.status, self._size, now + LEFT_SECONDS, now)
        following = self._successor(file)
        self.chain.leave()
        self.chain.generation += 1
        if following is not None:
            self._take_up(following, self.chain.generation)
        return True

    def _successor(self, file: OpenFile) -> OpenFile | None:
        """Open the oldest rotated file that is younger; None where that is the path itself.

        Files may be renamed meanwhile: what was opened counts only if it is still the successor.
        """
        while (path := self._successor_path(file)) is not None:
            try:
                opened = OpenFile(path, self._reading, find=by_inode(self._path))
            except FileNotFoundError:
                continue
            again = self._successor_path(file)
            if again == path and same_file(again, opened.handle.status):
                return opened
            opened.close()
        return None

    def _successor_path(self, file: OpenFile) -> str | None:
        status = file.handle.status
        present = next(same_inode(self._path, status.st_dev, status.st_ino), None)
        if present is None:
            place = file.place(self.chain.generation)
            present = next((name for name in rotated(self._path)[::-1] if holds(name, place)), None)
        if present is None:
            return None
        return next(iter(younger(self._path, present)), None)

    def _truncated(self, file: OpenFile, size: int) -> None:
        """Go on in a rotated copy of what was there, or note the gap."""
        place = file.place(self.chain.generation)
        position, begun = file.reader.stream.position, file.reader.begun_bytes
        generation = self.chain.generation
        was_last = self._is_last(file)
        self.chain.leave()
        self._signature = None
        copy = trace(self._path, place, self._reading, None)
        if copy is not None and not copy.is_current:
            if was_last and self._last is not None:
                status = copy.file.handle.status
                self._last = (status.st_dev, status.st_ino, self._last[2])
            self._take_up(copy.file, generation)
            return
        if copy is not None:
            copy.file.close()
        self.chain.generation = generation + 1
        self.ended = was_last
        if any(resembles(name, place) for name in rotated(self._path)[::-1]):
            return
        self.chain.note(
            "truncated",
            f"{self._path} was truncated or overwritten: {position} bytes of it were read, now it"
            f" has {size}. What was written between the last look and then is lost"
            + (f", and so is a line of which {begun} bytes were read" if begun else ""),
        )

    def _look_back(self, left: Left, now: float) -> None:
        """Count what a writer that had not changed over wrote to a file that was left."""
        if now < left.next_look:
            return
        left.next_look = now + LOOK_BACK_SECONDS
        if now > left.until:
            self._left = None
        path = next(same_inode(self._path, left.status.st_dev, left.status.st_ino), None)
        status = status_of(path) if path else None
        if status is not None and status.st_size > left.size:
            self.chain.note(
                "written_after_rotation",
                f"{path} has grown by {status.st_size - left.size} bytes after the file that"
                f" followed it was begun; they are not read",
            )
            left.size = status.st_size

    def _lose(self) -> None:
        """The file is gone, name and all, and it was not open."""
        file = self.chain.file
        position = file.reader.position if file else 0
        self.chain.leave()
        self.chain.generation += 1
        self.chain.note("generation_lost", lost(self._path, position))

    def _complain(self, code: str, text: str) -> None:
        """Note something once, until things are well again."""
        if self._complained != code:
            self._complained = code
            self.chain.note(code, text)


def status_of(path: str) -> os.stat_result | None:
    """Return what the file system says of a path; None if it leads to nothing."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def same_file(path: str, status: os.stat_result) -> bool:
    """Whether the path leads to this file now."""
    present = status_of(path)
    return present is not None and os.path.samestat(present, status)


def lost(path: str, position: int) -> str:
    """Say that a generation was not found again."""
    return (
        f"{path}: the file of which {position} bytes were read is not there any more, nor under a"
        " rotated name; lines after those may be missing. Reading the present file from its begin"
    )
