"""References in files."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tailrace.engines.references.contents import Form, cells
from tailrace.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.config.reference_places import FileTable
    from tailrace.reference.raw import RawTable

_SUFFIXES: dict[str, Form] = {
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
    ".parquet": "parquet",
}

Stamp = tuple[int, int, int]
"""Time, size and inode of a file: what changes when the file does."""


def read_file(place: FileTable, columns: Sequence[str]) -> RawTable:
    """The cells of a file; TableError if it is missing, too large or not of its form."""
    try:
        size = Path(place.path).stat().st_size
        if size > place.max_bytes:
            raise TableError(
                f"{place.path} has {size} bytes, more than max_bytes ({place.max_bytes})",
                hint="raise max_bytes, or keep less in it",
            )
        data = Path(place.path).read_bytes()
    except OSError as error:
        raise TableError(f"{place.path} can't be read: {error.strerror}") from error
    return cells(data, _form(place), columns)


def stamp(path: str) -> Stamp | None:
    """What a file looks like from outside; None if it isn't there."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _form(place: FileTable) -> Form:
    if place.format != "auto":
        return place.format
    form = _SUFFIXES.get(PurePath(place.path).suffix.lower())
    if form is None:
        raise TableError(
            f"{place.path}: its name doesn't say what it is", hint="format: csv, json or parquet"
        )
    return form
