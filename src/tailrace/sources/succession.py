"""Which file of a path's rotations follows another one, and whether that one was really left."""

from __future__ import annotations

import os

from tailrace.sources.identity import Place
from tailrace.sources.opened import OpenFile, Reading
from tailrace.sources.rotation import rotated
from tailrace.sources.tracing import by_inode, holds, resembles, same_inode, younger

SEARCH_SECONDS = 1.0
"""How often rotated files are looked for in a folder that seems not to have changed."""
LEFT_SECONDS = 10.0
"""For how long a file that was left is still looked at, in case a writer goes on with it."""
LOOK_BACK_SECONDS = 1.0


class Succession:
    """The rotated files of one path that are younger than the one being read."""

    def __init__(self, path: str, reading: Reading) -> None:
        self._path = path
        self._reading = reading
        self._searched: tuple[int, float] | None = None
        """The folder's time of change when rotated files were looked for, and when to look again
        if that stays."""
        self._found = False
        self._previous: Place | None = None
        """The last place known in an earlier file."""

    def begin(self) -> None:
        """Another file is read from now on."""
        self._searched = None

    def leave(self, place: Place) -> None:
        """Remember the last place known in a file that is left."""
        if place.position:
            self._previous = place

    def passed_by(self, place: Place, now: float) -> bool:
        """Whether there is a younger rotated file; looks only if the folder may have changed."""
        folder = status_of(os.path.dirname(self._path))
        changed = folder.st_mtime_ns if folder else 0
        if self._searched and self._searched[0] == changed and now < self._searched[1]:
            return self._found
        self._searched = (changed, now + SEARCH_SECONDS)
        self._found = self._following(place) is not None
        return self._found

    def open_following(self, place: Place) -> OpenFile | None:
        """Open the oldest younger file; None where that is the path itself.

        Files may be renamed meanwhile: what was opened counts only if it still follows.
        """
        while (path := self._following(place)) is not None:
            try:
                opened = self._open(path)
            except FileNotFoundError:
                continue
            again = self._following(place)
            if again == path and same_file(again, opened.handle.status):
                return opened
            opened.close()
        return None

    def _following(self, place: Place) -> str | None:
        present = next(same_inode(self._path, place.device, place.inode), None)
        # A file of which nothing was read is known by nothing; the one before it is.
        known = place if place.position else self._previous
        if present is None and known is not None:
            present = next((name for name in rotated(self._path)[::-1] if holds(name, known)), None)
        if present is None:
            return None
        return next(iter(younger(self._path, present)), None)

    def after_truncation(self, place: Place) -> tuple[bool, OpenFile | None]:
        """Find what follows a file that was truncated and has no copy that goes on.

        Return whether there is a copy that ends sooner than what was read, so that nothing is lost,
        and the file that follows, opened at its begin; None where that is the path itself.
        """
        shorter = next((name for name in rotated(self._path)[::-1] if resembles(name, place)), None)
        after = younger(self._path, shorter) if shorter else ()
        for path in (*after, *same_inode(self._path, place.device, place.inode)):
            if path == self._path:
                break
            try:
                return shorter is not None, self._open(path)
            except FileNotFoundError:
                continue
        return shorter is not None, None

    def _open(self, path: str) -> OpenFile:
        return OpenFile(path, self._reading, find=by_inode(self._path))


class Left:
    """A file that was read to its end and left, watched for a writer that hasn't changed over."""

    def __init__(self, path: str, place: Place, size: int, now: float) -> None:
        self._path = path
        self._place = place
        self._size = size
        self._until = now + LEFT_SECONDS
        self._next_look = now

    def look(self, now: float) -> str | None:
        """Return what to say if it has grown."""
        if now < self._next_look or now > self._until + LOOK_BACK_SECONDS:
            return None
        self._next_look = now + LOOK_BACK_SECONDS
        place = self._place
        path = next(same_inode(self._path, place.device, place.inode), None)
        status = status_of(path) if path else None
        if not path or not status or status.st_size <= self._size or not holds(path, place):
            return None
        grown = status.st_size - self._size
        self._size = status.st_size
        return (
            f"{path} has grown by {grown} bytes after the file that followed it was begun; they are"
            " not read"
        )


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
