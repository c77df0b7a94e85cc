"""Where a stored place is now: at its path, in a rotated file, in an archive of it, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from tailrace.errors import SourceError
from tailrace.sources.identity import Place
from tailrace.sources.opened import OpenFile, Reading
from tailrace.sources.rotation import ARCHIVES, rotated, rotation_bases


@dataclass(frozen=True, slots=True)
class Trace:
    """The file that holds a place, and the rotated files of the same path that came after it."""

    file: OpenFile
    younger: tuple[str, ...]
    """Oldest first; without the path itself."""
    is_current: bool
    """Whether the file is at the path itself."""


def trace(path: str, place: Place, reading: Reading, extent: int | None) -> Trace | None:
    """Find a place; None if its file is gone or its contents before the place have changed.

    The same inode counts before equal contents, and a rotated copy before the path itself: after
    copy-and-truncate a new file may begin like the old one.
    """
    for candidate in candidates(path, place):
        with suppress(FileNotFoundError, SourceError):
            file = OpenFile(candidate, reading, extent, by_inode(path))
            with suppress(SourceError):
                if file.seek(place):
                    return Trace(file, younger(path, candidate), candidate == path)
            file.close()
    return None


def candidates(path: str, place: Place) -> Iterator[str]:
    """Name the files that may hold the place, the likeliest first, each once."""
    folder, name = os.path.split(path)
    bases = [os.path.join(folder, base) for base in rotation_bases(name)]
    yield from dict.fromkeys(
        (
            *same_inode(path, place.device, place.inode),
            *rotated(path)[::-1],
            path,
            *(path + suffix for suffix in ARCHIVES if os.path.exists(path + suffix)),
            # The path may itself be a rotated one, and rotated on.
            *(older for base in bases for older in rotated(base)[::-1]),
        )
    )


def same_inode(path: str, device: int, inode: int) -> Iterator[str]:
    """Name the files in the path's folder with this device and inode, the path itself first."""
    with suppress(OSError):
        status = os.stat(path)
        if (status.st_dev, status.st_ino) == (device, inode):
            yield path
    with suppress(OSError), os.scandir(os.path.dirname(path) or ".") as entries:
        for entry in entries:
            if entry.inode() == inode and entry.path != path and entry.is_file():
                with suppress(OSError):
                    if entry.stat().st_dev == device:
                        yield entry.path


def younger(path: str, candidate: str) -> tuple[str, ...]:
    """Name the rotated files of ``path`` that are younger than one of them."""
    names = rotated(path)
    return tuple(names[names.index(candidate) + 1 :]) if candidate in names else ()


def by_inode(path: str) -> Callable[[os.stat_result], str | None]:
    """Return what finds a file of the path's folder again after it was renamed."""

    def find(status: os.stat_result) -> str | None:
        return next(same_inode(path, status.st_dev, status.st_ino), None)

    return find


def resembles(path: str, place: Place) -> bool:
    """Whether a file begins as the one of a place does; cheap, archives included."""
    return tried(path, lambda file: file.begins_as(place))


def holds(path: str, place: Place) -> bool:
    """Whether a place is in a file; an archive is decompressed up to there."""
    return tried(path, lambda file: file.begins_as(place) and file.seek(place))


def tried(path: str, question: Callable[[OpenFile], bool]) -> bool:
    """Ask something of a file that may be gone, unreadable or damaged; those answer no."""
    reading = Reading(1)
    with suppress(OSError, SourceError):
        try:
            return question(OpenFile(path, reading))
        finally:
            reading.descriptors.close()
    return False
