"""Paths as a user wrote them: patterns expanded, partitions named, fields taken from them."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterable

from tailrace.errors import SourceError

STDIN_PATHS = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


def partition_name(path: str) -> str:
    r"""Return the absolute path as text that JSON can hold; a byte that is no UTF-8 as ``\xff``."""
    return as_text(os.path.abspath(path))


def path_of(partition: str) -> str:
    """Return the path whose partition has this name."""
    return partition if os.path.exists(partition) else from_text(partition)


def as_text(path: str) -> str:
    r"""Return a path as text; a byte that is no UTF-8 as ``\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def from_text(text: str) -> str:
    """Undo ``as_text``."""
    raw = re.sub(
        rb"\\x([89a-f][0-9a-f])",
        lambda found: bytes.fromhex(found[1].decode()),
        text.encode("utf-8", "surrogateescape"),
    )
    return raw.decode("utf-8", "surrogateescape")


def has_pattern(path: str) -> bool:
    """Whether the path is a pattern rather than one file's: an existing file's name is not."""
    return glob.has_magic(path) and not os.path.exists(path)


def matches(pattern: str) -> list[str]:
    """Return the files and whatever else is no folder under a pattern, in order of their names."""
    found = glob.glob(pattern, recursive=True)
    return sorted(os.path.abspath(path) for path in found if not os.path.isdir(path))


def covered(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of the paths and patterns stands for this absolute path."""
    return any(fnmatch.fnmatchcase(path, partition_name(pattern)) for pattern in patterns)


def refuse_stdin(paths: Iterable[str]) -> None:
    """SourceError for names of standard input."""
    for path in paths:
        if path in STDIN_PATHS:
            raise SourceError(
                f"{path} is no file that can be read again",
                hint="read standard input with the source `stdin: {}`",
            )


class PathFields:
    """Text fields from a path, by a regular expression with named groups."""

    def __init__(self, pattern: str | None) -> None:
        try:
            self._pattern = None if pattern is None else re.compile(pattern)
        except re.error as error:
            raise SourceError(
                f"`fields` of the file source is no regular expression: {error}"
            ) from error

    def of(self, path: str) -> dict[str, str]:
        """Return the groups that took part; SourceError if the path doesn't match."""
        if self._pattern is None:
            return {}
        name = partition_name(path)
        found = self._pattern.search(name)
        if found is None:
            raise SourceError(
                f"{name} does not match `fields` of the file source: {self._pattern.pattern}",
                hint="every path that is read must give the fields; `.*` before and after may help",
            )
        return {group: text for group, text in found.groupdict().items() if text is not None}
