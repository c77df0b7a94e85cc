"""The ``folder`` source: the files of a folder, one after the other, as one partition.

What happens to the one file being read and to the order of the others: ``sequence``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.sources.chain import Chain, reread
from tailrace.sources.followed import SETTLE_SECONDS
from tailrace.sources.opened import Reading
from tailrace.sources.pace import Pace
from tailrace.sources.paths import from_text, partition_name
from tailrace.sources.report import Report
from tailrace.sources.sequence import Sequence
from tailrace.sources.turns import Turns
from tailrace.sources.types import Json, Poll, Slice


class FolderSource:
    """The files of a folder that match a pattern: those there are, or with ``follow`` all to come.

    ``until_end``: with ``follow``, only to the ends that the files have when the source is opened.
    """

    def __init__(
        self,
        path: str,
        *,
        pattern: str = "*",
        follow: bool = False,
        until_end: bool = False,
        max_record_bytes: int = 1 << 20,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bounded = until_end or not follow
        self._folder = os.path.abspath(path)
        self._clock = clock
        self._reading = Reading(max_record_bytes)
        self._part = Sequence(
            Chain(partition_name(path), self._folder, {}, self._reading),
            self._reading,
            pattern,
            bounded=self.bounded,
            follow=follow,
            settle_seconds=settle_seconds,
        )
        self._turns = Turns()
        self._report = Report()
        self._pace = Pace()

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Find the files; SourceError if the folder is missing or what was read has changed."""
        self._part.open(positions.get(self._part.name))

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Look for news and read them."""
        self._part.look(self._clock())
        chunks = self._turns.take([self._part], max_bytes, watermarks)
        self._pace.news(found=bool(chunks))
        return self._report.poll(chunks, [self._part])

    def reread(self, piece: Slice) -> Records:
        """Read a slice again."""
        if piece.partition != self._part.name:
            raise SourceError(f"{piece.partition} is no partition of this source any more")
        path = os.path.join(self._folder, from_text(str(piece.resume.get("name"))))
        return reread(piece, path, self._reading)

    def wait(self, seconds: float) -> None:
        """Sleep for a short while, longer when there was no news for long; not if bounded."""
        if not self.bounded:
            self._pace.wait(seconds)

    def totals(self) -> tuple[int, int] | None:
        """Return bytes read and bytes in all, as on disk, where reading ends."""
        return self._part.sizes if self.bounded else None

    def close(self) -> None:
        """Close the file being read; a wait ends at once."""
        self._pace.stop()
        self._part.close()
        self._reading.descriptors.close()
