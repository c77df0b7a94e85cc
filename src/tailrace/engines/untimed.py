"""Events without a time of their own get the greatest one of their partition so far.

There are such only with ``on_error: classify``, from sources that don't know when records arrive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailrace.kernel.time import settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailrace.engines.state import PartitionState
    from tailrace.formats.records import Decoded
    from tailrace.sources.types import Chunk

    Work = Sequence[tuple[Chunk, Decoded]]


def timed(work: Work, partitions: Mapping[str, PartitionState]) -> Work:
    """The slices of an epoch in order, every event with a time."""
    maxima = {name: partition.maximum for name, partition in partitions.items()}
    found = []
    for chunk, decoded in work:
        name = chunk.slice.partition
        times = settled(decoded.time, maxima[name])
        if len(times):
            maxima[name] = max(maxima[name], int(times.max()))
        found.append((chunk, decoded if times is decoded.time else replace(decoded, time=times)))
    return found
