"""The ``pcap`` source: capture files, each read once and a partition, as files of lines are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tailrace.sources.captures.reader import PacketReader
from tailrace.sources.files import FinishedFiles
from tailrace.sources.opened import Reading, Seen

if TYPE_CHECKING:
    from tailrace.sources.streams import Stream


def capture_files(paths: Sequence[str]) -> FinishedFiles:
    """Packets of capture files, pcap or pcapng, perhaps compressed."""
    return FinishedFiles(paths, reading=Reading(0, reader=_packets))


def _packets(stream: Stream, seen: Seen, _: Reading) -> PacketReader:
    return PacketReader(stream, head=seen.head, before=seen.before, state=dict(seen.state))
