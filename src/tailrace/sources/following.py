"""The ``file`` source with ``follow: true``: paths that are read on as they grow and rotate."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from tailrace.errors import SourceError
from tailrace.formats.records import Records
from tailrace.sources.chain import Chain, reread
from tailrace.sources.followed import SETTLE_SECONDS, FollowedPath
from tailrace.sources.missing import did_you_mean
from tailrace.sources.opened import Reading
from tailrace.sources.pace import LONGEST_SECONDS, SHORTEST_SECONDS, Pace
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
from tailrace.sources.rotation import rotation_bases
from tailrace.sources.turns import Turns
from tailrace.sources.types import Json, Note, Poll, Slice

RESCAN_SECONDS = 1.0
"""How often patterns are expanded anew."""
FEW = 64
"""Up to so many paths all are looked at in each poll; more wait for their turn when quiet."""


class FollowedFiles:
    """Paths and patterns followed for ever, or ``until_end``: to the ends they have when opened.

    A path need not exist yet. Rotated files of a path belong to it and are no partitions of their
    own, unless a pattern matches them when reading starts from nothing.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        fields: str | None = None,
        until_end: bool = False,
        max_record_bytes: int = 1 << 20,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        refuse_stdin(paths)
        self.bounded = until_end
        self._paths = paths
        self._fields = PathFields(fields)
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._reading = Reading(max_record_bytes)
        self._parts: dict[str, FollowedPath] = {}
        self._passed_over: set[str] = set()
        self._due: dict[str, tuple[float, float]] = {}
        """Partition to the time of its next look and the pause after that."""
        self._rescan_at = 0.0
        self._notes: list[Note] = []
        self._turns = Turns()
        self._report = Report()
        self._pace = Pace()

    def open(self, positions: Mapping[str, dict[str, Json]]) -> None:
        """Find the files; SourceError if something there can't be read.

        Opened again, it begins again: what was read after the positions comes once more.
        """
        self._close_parts()
        self._passed_over.clear()
        self._due.clear()
        self._report = Report()
        found = dict.fromkeys(self._matches())
        for path in found:
            name = partition_name(path)
            bases = [base for base in bases_of(path) if base in found]
            if name not in positions and any(partition_name(base) in positions for base in bases):
                self._passed_over.add(name)
            else:
                self._add(name, path, positions.get(name), only_this=bool(bases))
        for name, stored in positions.items():
            if name not in self._parts and covered(name, self._paths):
                self._add(name, path_of(name), stored, only_this=False)
            elif name not in self._parts:
                self._notes.append(
                    Note("partition_dropped", name, f"{name} is no longer read: not configured")
                )
        for pattern in self._paths:
            if has_pattern(pattern) and not matches(pattern):
                hint = did_you_mean(pattern)
                text = f"no file matches {pattern} yet" + (f"; {hint}" if hint else "")
                self._notes.append(Note("waiting", partition_name(pattern), text))
        self._rescan_at = self._clock() + RESCAN_SECONDS

    def _matches(self) -> Iterator[str]:
        for path in self._paths:
            if has_pattern(path):
                yield from matches(path)
            else:
                yield os.path.abspath(path)

    def _add(
        self, name: str, path: str, stored: dict[str, Json] | None, *, only_this: bool
    ) -> None:
        if name in self._parts:
            return
        chain = Chain(name, path, self._fields.of(path), self._reading)
        part = FollowedPath(
            chain,
            self._reading,
            until_end=self.bounded,
            only_this=only_this,
            settle_seconds=self._settle_seconds,
        )
        part.open(stored)
        self._parts[name] = part

    def poll(self, max_bytes: int, watermarks: Mapping[str, int]) -> Poll:
        """Look for news, read them, and look again at what was read."""
        now = self._clock()
        if not self.bounded and now >= self._rescan_at:
            self._rescan_at = now + RESCAN_SECONDS
            self._rescan()
        looked_at = [part for name, part in self._parts.items() if self._is_due(name, now)]
        for part in looked_at:
            part.look(now)
        parts = list(self._parts.values())
        served = [part for part in parts if part.ready]
        chunks = self._turns.take(served, max_bytes, watermarks)
        for part in served:
            if not part.ready:
                part.look(now)
        for part in looked_at:
            self._plan_look(part, now, news=part in served)
        self._pace.news(found=bool(served))
        # Those not due yet were found at their ends less than LONGEST_SECONDS ago, or not.
        found = self._report.poll(chunks, parts)
        if not self._notes:
            return found
        notes, self._notes = (*self._notes, *found.notes), []
        return Poll(found.chunks, found.appeared, found.at_end, found.ended, notes)

    def _is_due(self, name: str, now: float) -> bool:
        return self._due.get(name, (0.0, 0.0))[0] <= now

    def _plan_look(self, part: FollowedPath, now: float, *, news: bool) -> None:
        if len(self._parts) <= FEW:
            return
        pause = self._due.get(part.name, (0.0, SHORTEST_SECONDS))[1]
        pause = SHORTEST_SECONDS if news else min(2 * pause, LONGEST_SECONDS)
        self._due[part.name] = (now if news else now + pause, pause)

    def _rescan(self) -> None:
        found = [
            path for pattern in self._paths if has_pattern(pattern) for path in matches(pattern)
        ]
        bases = {*found, *(part.chain.path for part in self._parts.values())}
        for path in found:
            name = partition_name(path)
            if name in self._parts or name in self._passed_over:
                continue
            if any(base in bases for base in bases_of(path)):
                self._passed_over.add(name)
                continue
            try:
                self._add(name, path, None, only_this=False)
            except SourceError as error:
                self._passed_over.add(name)
                self._notes.append(Note("unreadable", name, f"{name} is not followed: {error}"))

    def reread(self, piece: Slice) -> Records:
        """Read a slice again."""
        return reread(piece, path_of(piece.partition), self._reading)

    def wait(self, seconds: float) -> None:
        """Sleep for a short while, longer when there was no news for long."""
        self._pace.wait(seconds)

    def totals(self) -> tuple[int, int] | None:
        """Return bytes read and bytes in all where reading ends somewhere."""
        if not self.bounded:
            return None
        sizes = [part.sizes for part in self._parts.values()]
        return sum(read for read, _all in sizes), sum(whole for _read, whole in sizes)

    def close(self) -> None:
        """Close the files; a wait ends at once."""
        self._pace.stop()
        self._close_parts()
        self._reading.descriptors.close()

    def _close_parts(self) -> None:
        for part in self._parts.values():
            part.close()
        self._parts.clear()


def bases_of(path: str) -> list[str]:
    """Return the paths of which this one may be a rotated form."""
    folder, name = os.path.split(path)
    return [os.path.join(folder, base) for base in rotation_bases(name)]
