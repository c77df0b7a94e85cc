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

from tailrace.errors import SourceError
from tailrace.sources.chain import Chain, Took
from tailrace.sources.half_line import HalfLine
from tailrace.sources.identity import Place
from tailrace.sources.missing import missing
from tailrace.sources.opened import OpenFile, Reading, refuse_unless_regular
from tailrace.sources.succession import Left, Succession, status_of
from tailrace.sources.tracing import by_inode, trace
from tailrace.sources.types import Json

SETTLE_SECONDS = 0.5
"""How long a renamed file must not grow before the next one is begun: some of its writers may not
have changed over yet."""
SURE_SECONDS = 2.0
"""For how long after a change equal size and time don't prove equal contents (coarse clocks)."""

Signature = tuple[int, ...]


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
        self._succession = Succession(self._path, reading)
        self._left: Left | None = None
        self._complained: str | None = None
        self._half_line = HalfLine()

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
        """Find out what there is to read; ``now`` is monotonic, in seconds.

        What can't be read is waited for and noted; ``until_end`` it is a SourceError.
        """
        self.ready = self.at_end = False
        try:
            while not self.ended and not (self.ready or self.at_end):
                if not self._look(now):
                    break
        except FileNotFoundError:
            self._lose()
        except (SourceError, OSError) as error:
            if self._until_end:
                raise as_source_error(self._path, error) from error
            self._complain("unreadable", f"{self._path} can't be read now: {error}")
        if self.ready or (self.at_end and self.chain.file is not None):
            self._complained = None
        if self._left is not None and (text := self._left.look(now)):
            self.chain.note("written_after_rotation", text)

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
            return self._look_beyond(file, status, now)
        position = file.reader.stream.position
        if not file.kind and (self._size < position or not file.holds_recent()):
            self._truncated(file, self._size)
            return True
        if file.kind or file.reader.pending or self._size > position:
            self.ready = True
            return False
        return self._look_beyond(file, status, now)

    def _look_beyond(self, file: OpenFile, status: os.stat_result | None, now: float) -> bool:
        """Decide whether a file at its end, and at the path no more, is left."""
        if self._only_this or (self._until_end and self._is_last(file)):
            return self._stay_here()
        if not self._succession.passed_by(file.place(self.chain.generation), now):
            if status is None or status.st_size == 0:
                return self._stay_here()
            settled = file.reader.done or now - self._since >= self._settle_seconds
            if not settled and not self._until_end:
                return False
        if file.reader.done:
            return self._pass_on(file, now)
        file.finish_here(self._size)
        return True

    def _stay_here(self) -> bool:
        """There is nothing else to read, now or ever."""
        self.at_end = True
        self.ended = self._until_end
        return False

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
            if self.at_end and not self._until_end:
                self._tell_half_line(file, now)
        self.ended = self.at_end and self._until_end
        return False

    def _tell_half_line(self, file: OpenFile, now: float) -> None:
        reader = file.reader
        text = self._half_line.look(self._path, reader.position, reader.begun_bytes, now)
        if text is not None:
            self.chain.note("half_line", text)

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
        self._succession.begin()
        if self._last is not None and self._is_last(file) and not file.kind:
            file.finish_here(self._last[2])
        self.chain.take_up(file, generation)

    def _begin(self) -> bool:
        """Open the file at the path."""
        if self._only_this and self.chain.generation:
            return self._stay_here()
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

    def _pass_on(self, file: OpenFile, now: float) -> bool:
        """Go from a file that is completely read to the one that followed it."""
        place = file.place(self.chain.generation)
        if place.position:
            self._left = Left(self._path, place, self._size, now)
        following = self._succession.open_following(place)
        self._forget(place)
        self.chain.generation += 1
        if following is not None:
            self._take_up(following, self.chain.generation)
        return True

    def _forget(self, place: Place) -> None:
        """Leave a file at its last place."""
        self._succession.leave(place)
        self.chain.leave()

    def _truncated(self, file: OpenFile, size: int) -> None:
        """Go on in a rotated copy of what was there, or note the gap."""
        place = file.place(self.chain.generation)
        position, begun = file.reader.stream.position, file.reader.begun_bytes
        generation = self.chain.generation
        was_last = self._is_last(file)
        self._forget(place)
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
        copied, following = self._succession.after_truncation(place)
        if following is not None and not was_last:
            self._take_up(following, generation + 1)
        elif following is not None:
            following.close()
        if copied:
            return
        self.chain.note(
            "truncated",
            f"{self._path} was truncated or overwritten: {position} bytes of it were read, now it"
            f" has {size}. What was written between the last look and then is lost"
            + (f", and so is a line of which {begun} bytes were read" if begun else ""),
        )

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


def lost(path: str, position: int) -> str:
    """Say that a generation was not found again."""
    return (
        f"{path}: the file of which {position} bytes were read is not there any more, nor under a"
        " rotated name; lines after those may be missing. Reading the present file from its begin"
    )


def as_source_error(path: str, error: SourceError | OSError) -> SourceError:
    """Return an error for the person who must act."""
    return error if isinstance(error, SourceError) else missing(path, error)
