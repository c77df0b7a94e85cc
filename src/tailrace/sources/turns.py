"""Whose turn it is to be read: the partition that holds back the watermark."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import count, groupby
from typing import Protocol

from tailrace.errors import SourceError
from tailrace.sources.chain import Took
from tailrace.sources.types import Chunk

PROBE_BYTES = 1 << 16
"""Read first of a partition whose time is not known yet; twice as much at each further turn."""

TURN_BYTES = 512
"""What a turn costs at least, so that a poll ends however little each turn gives."""


class Part(Protocol):
    """A partition as seen from here."""

    @property
    def name(self) -> str:
        """The partition's name."""
        ...

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        ...

    def read(self, limit: int) -> Took:
        """Read about ``limit`` bytes."""
        ...


class Turns:
    """Shares out the bytes of each poll; remembers who was served when."""

    def __init__(self) -> None:
        self._clock = count(1)
        self._served: dict[str, int] = {}
        self._probes: dict[str, int] = {}
        self._failure: SourceError | None = None

    def take(
        self, parts: Sequence[Part], max_bytes: int, watermarks: Mapping[str, int]
    ) -> list[Chunk]:
        """Return chunks of about ``max_bytes`` together.

        What was read before an error is returned; the error is raised at the next call.
        """
        if self._failure is not None:
            raise self._failure
        chunks: list[Chunk] = []
        try:
            for chunk in self._serve(parts, max_bytes, watermarks):
                chunks.append(chunk)  # noqa: PERF402 - those before an error count
        except SourceError as error:
            if not chunks:
                raise
            self._failure = error
        return chunks

    def _serve(
        self, parts: Sequence[Part], max_bytes: int, watermarks: Mapping[str, int]
    ) -> Iterator[Chunk]:
        """Read in turns.

        Partitions without a watermark hold it back most: each gives a little at once, so that
        their times are known. Then the lowest watermark is served as far as the bytes go, equal
        ones in equal parts, who waited longest first.
        """
        left = max(max_bytes, 1)
        ready = sorted(
            (part for part in parts if part.ready), key=lambda part: self._served.get(part.name, 0)
        )
        unknown = [part for part in ready if part.name not in watermarks]
        for part in unknown if len(ready) > 1 else ():
            probe = self._probes.get(part.name, PROBE_BYTES)
            self._probes[part.name] = 2 * probe
            left -= yield from self._drain(part, min(left, probe))
            if left <= 0:
                return
        known = sorted(
            (part for part in ready if part.name in watermarks),
            key=lambda part: watermarks[part.name],
        )
        groups = [list(group) for _at, group in groupby(known, lambda part: watermarks[part.name])]
        for group in (*groups, unknown):
            left -= yield from self._share(group, left)
            if left <= 0:
                return

    def _share(self, group: Sequence[Part], limit: int) -> Generator[Chunk, None, int]:
        left = limit
        while left > 0 and (ready := [part for part in group if part.ready]):
            share = max(left // len(ready), PROBE_BYTES)
            for part in ready:
                left -= yield from self._drain(part, min(left, share))
                if left <= 0:
                    break
        return limit - left

    def _drain(self, part: Part, limit: int) -> Generator[Chunk, None, int]:
        self._served[part.name] = next(self._clock)
        used = 0
        while used < limit and part.ready:
            took = part.read(limit - used)
            used += max(took.size, TURN_BYTES)
            if took.chunk is not None:
                yield took.chunk
        return used
