"""The ``file`` source for files that are read once: each path that matches is a partition.

Files that are followed: ``following``. What happens to one path: ``finished``, ``followed``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.sources.chain import Chain, reread
from tailrace.sources.finished import FinishedPath
from tailrace.sources.missing import did_you_mean
from tailrace.sources.opened import Reading
from tailrace.sources.paths import (
    PathFields,
    covered,
    has_pattern,
    matches,
    partition_name,
    path_of,
    refuse_stdin,
)
from tailrace.sources.report import Report
from tailrace.sources.turns import Turns
from tailrace.sources.types import Json, Poll, Slice


class FinishedFiles:
    """Files read once, each to the end that it has when the source is opened."""

    bounded = True

    def __init__(
        self,
        paths: Sequence[str],
        *,
        fields: str | None = None,
        max_record_bytes: int = 1 << 20,
        reading: Reading | None = None,
    ) -> None:
        refuse_stdin(paths)
        self._paths = paths
        self._fields = PathFields(fields)
        self._reading = reading or Reading(max_record_bytes)
        self._parts: dict[str, FinishedPath] = {}
        self._turns = Turns()
        self._report = Report()

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Find the files; SourceError if one is missing or not what it was.

        Opened again, it begins again: what was read after the positions comes once more.
        """
        self._close_parts()
        self._report = Report()
        self._failure = None
        for path in self._files():
            name = partition_name(path)
            if name not in self._parts:
                chain = Chain(name, path, self._fields.of(path), self._reading)
                self._parts[name] = FinishedPath(chain, self._reading)
                self._parts[name].open(positions.get(name))
        for name, stored in positions.items():
            if name not in self._parts:
                wanted = covered(name, self._paths)
                fields = self._fields.of(name) if wanted else {}
                chain = Chain(name, path_of(name), fields, self._reading)
                self._parts[name] = FinishedPath(chain, self._reading)
                self._parts[name].open_gone(stored, wanted=wanted)

    def _files(self) -> list[str]:
        files = []
        for path in self._paths:
            if has_pattern(path):
                found = matches(path)
                if not found:
                    raise SourceError(f"no file matches {path}", hint=did_you_mean(path))
                files += found
            else:
                files.append(os.path.abspath(path))
        return files

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Read on; what was read before an error is returned, the error raised next time."""
        parts = list(self._parts.values())
        chunks = self._turns.take(parts, max_bytes, watermarks)
        return self._report.poll(chunks, parts)

    def reread(self, piece: Slice) -> Records:
        """Read a slice again."""
        return reread(piece, path_of(piece.partition), self._reading)

    def wait(self, seconds: float) -> None:
        """Return at once: all there is can be read."""

    def totals(self) -> tuple[int, int] | None:
        """Return bytes read and bytes in all, as on disk."""
        sizes = [part.sizes for part in self._parts.values()]
        return sum(read for read, _all in sizes), sum(whole for _read, whole in sizes)

    def close(self) -> None:
        """Close the files."""
        self._close_parts()
        self._reading.descriptors.close()

    def _close_parts(self) -> None:
        for part in self._parts.values():
            part.close()
        self._parts.clear()
