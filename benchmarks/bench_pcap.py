"""How fast one core reads capture files: framing alone, and with every field decoded."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tailrace.cli.capturing.forms import all_fields
from tailrace.generate.options import SECOND_US
from tailrace.generate.packets import PacketTraffic
from tailrace.sources.captures.files import capture_files
from tailrace.sources.captures.writing import PcapngWriter
from tailrace.sources.types import Chunk

PACKETS = 1_000_000
POLL_BYTES = 8 << 20


def read(path: Path, take: Callable[[Chunk], object]) -> int:
    """Read a file to its end; return its packets."""
    source = capture_files([str(path)])
    source.open({})
    packets, ended = 0, False
    while not ended:
        poll = source.poll(POLL_BYTES, {})
        for chunk in poll.chunks:
            packets += len(chunk.records)
            take(chunk)
        ended = bool(poll.ended)
    source.close()
    return packets


def main() -> None:
    """Make a file of each format, read it both ways, print rates."""
    with tempfile.TemporaryDirectory() as folder:
        pcap, pcapng = Path(folder) / "x.pcap", Path(folder) / "x.pcapng"
        traffic = PacketTraffic(
            rate=PACKETS / 3600, start_us=1_700_000_000 * SECOND_US, ipv6=0.2, hosts=1000
        )
        with pcap.open("wb") as file:
            file.writelines(traffic.chunks())
        writer = PcapngWriter()
        with pcapng.open("wb") as file:
            file.write(writer.begin())
            read(pcap, lambda chunk: file.write(writer.write(chunk.records)))
        decoder = all_fields()

        def decode(chunk: Chunk) -> object:
            return decoder.decode(chunk.records)

        for path in (pcap, pcapng):
            for what in ("framed", "decoded"):
                begin = time.process_time()
                packets = read(path, decode if what == "decoded" else lambda _: None)
                seconds = time.process_time() - begin
                rate, size = packets / seconds, path.stat().st_size / seconds / 1e6
                print(f"{path.name:9} {what:8} {rate:11,.0f} packets/s {size:6.0f} MB/s")


if __name__ == "__main__":
    main()
