"""The files of a folder that are read, and how they are known again under other names."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from tailrace.errors import SourceError
from tailrace.sources.identity import HEAD_BYTES, digest, whole
from tailrace.sources.opened import OpenFile, Reading
from tailrace.sources.paths import as_text, from_text
from tailrace.sources.rotation import plain_name
from tailrace.sources.types import Json

KEPT_DIGITS = 16
"""Of a head's digest, for files that were read: there may be thousands in a stored position."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a folder that was read: its present name, its size on disk, its inode, its head.

    ``size`` is what was read of it; ``head`` the shortened digest of its first ``head_bytes``
    decompressed bytes.
    """

    name: str
    size: int
    inode: int
    head: str
    head_bytes: int

    def to_json(self) -> list[Json]:
        """Return what ``from_json`` takes."""
        return [as_text(self.name), self.size, self.inode, self.head, self.head_bytes]

    @classmethod
    def from_json(cls, stored: Json) -> Entry:
        """Return a stored entry; TypeError or ValueError if it is none."""
        if not isinstance(stored, list):
            raise TypeError(stored)
        name, size, inode, head, head_bytes = stored
        return cls(from_text(str(name)), whole(size), whole(inode), str(head), whole(head_bytes))

    def begins(self, head: bytes) -> bool:
        """Whether this is how the file begins."""
        return short_digest(head[: self.head_bytes]) == self.head


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is in the folder now, ``changed`` at that time (nanoseconds).

    ``start``: where to begin, if a part of it was read.
    """

    name: str
    size: int
    inode: int
    changed: int = 0
    start: int = 0


def is_temporary(name: str) -> bool:
    """Whether a name is hidden or that of a file not complete yet."""
    return name.startswith(".") or name.endswith((".tmp", "~"))


def listing(folder: str, pattern: str) -> dict[str, Found]:
    """Return the files of a folder by name; FileNotFoundError if there is no folder.

    Where a file lies beside its archive, it is being compressed and only the file counts.
    """
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if is_temporary(name) or not fnmatch.fnmatchcase(name, pattern):
                continue
            with suppress(FileNotFoundError):
                status = entry.stat()
                if stat.S_ISREG(status.st_mode):
                    found[name] = Found(name, status.st_size, status.st_ino, status.st_mtime_ns)
    return {
        name: file
        for name, file in found.items()
        if plain_name(name) == name or plain_name(name) not in found
    }


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Files that were read, compared with those present.

    ``same``: the files that are surely those that were read, as long as they don't change;
    ``entries``: in the same order, under their present names where they are present; ``unread``:
    the other files; ``grown``: those that have more than was read; ``replaced``: names under which
    there are other contents now.
    """

    same: frozenset[tuple[Entry, Found]]
    entries: list[Entry]
    unread: list[Found]
    grown: list[Found]
    replaced: list[str]


def reconciled(
    folder: str,
    read: Iterable[Entry],
    present: Mapping[str, Found],
    known: frozenset[tuple[Entry, Found]] = frozenset(),
) -> Reconciled:
    """Find files that were read among those present: under their names or new ones.

    A renamed file keeps its inode, a copied or compressed one its contents; an inode alone proves
    nothing, as it is used again at once. ``known``: the ``same`` of the last time.
    """
    entries = list(read)
    left = dict(present)
    missing: dict[tuple[int, str], int] = {}
    grown = []
    same_files = []
    by_inode = {file.inode: file for file in present.values()}
    for place, entry in enumerate(entries):
        same = left.get(entry.name)
        if same is None or same.inode != entry.inode:
            same = by_inode.get(entry.inode)
        if (
            same is None
            or same.name not in left
            or not (
                (replace(entry, name=same.name), same) in known or is_still(folder, entry, same)
            )
        ):
            missing[entry.head_bytes, entry.head] = place
            continue
        if same.size > entry.size:
            grown.append(replace(same, start=entry.size))
        entries[place] = replace(entry, name=same.name)
        same_files.append((entries[place], same))
        del left[same.name]
    for file in list(left.values()) if missing else ():
        archived = file.name != plain_name(file.name)
        head = head_of(folder, file.name)
        for size in {head_bytes for head_bytes, _head in missing}:
            place = missing.get((size, short_digest(head[:size])), -1)
            if place >= 0 and (archived or file.size == entries[place].size):
                del missing[size, entries[place].head]
                entry = entries[place]
                entries[place] = replace(entry, name=file.name, size=file.size, inode=file.inode)
                del left[file.name]
                break
    replaced = [entries[place].name for place in missing.values() if entries[place].name in left]
    return Reconciled(frozenset(same_files), entries, list(left.values()), grown, replaced)


def is_still(folder: str, entry: Entry, file: Found) -> bool:
    """Whether a file with the inode of one that was read is that one."""
    return file.size >= entry.size and entry.begins(head_of(folder, file.name))


def head_of(folder: str, name: str) -> bytes:
    """Return a file's first decompressed bytes; none if it can't be read."""
    reading = Reading(1)
    with suppress(OSError, SourceError):
        try:
            return OpenFile(os.path.join(folder, name), reading).first_bytes(HEAD_BYTES)
        finally:
            reading.descriptors.close()
    return b""


def short_digest(head: bytes) -> str:
    """Return the digest kept of a head."""
    return digest(head)[:KEPT_DIGITS]
