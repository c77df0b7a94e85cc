"""How fast traffic is made: events a second of each generator, on one core."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from tailrace.generate.bots import BotTraffic
from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import SECOND_US
from tailrace.generate.packets import PacketTraffic
from tailrace.generate.server_logs import ServerLogs
from tailrace.generate.stream import Block

START_US = 1_700_000_000 * SECOND_US
EVENTS = 1_000_000


class Traffic(Protocol):
    """What is made."""

    def blocks(self) -> Iterator[Block]:
        """Make it."""
        ...


def cases() -> Iterator[tuple[str, Traffic]]:
    """Each generator with late events and duplicates."""
    yield "nginx", NginxTraffic(count=EVENTS, start_us=START_US, late=0.1, duplicates=0.05)
    seconds = EVENTS // 150 * SECOND_US
    yield (
        "bots",
        BotTraffic(bots=100, duration_us=seconds, start_us=START_US, late=0.1, duplicates=0.05),
    )
    yield "server-logs", ServerLogs(count=EVENTS, start_us=START_US, late=0.1, duplicates=0.05)
    for form in ("pcap", "json", "topic"):
        ipv6 = 0.0 if form == "topic" else 0.2
        packets = PacketTraffic(
            form=form,
            rate=EVENTS / 3600,
            start_us=START_US,
            over=1,
            below=1,
            ipv6=ipv6,
            late=0.1,
            duplicates=0.05,
        )
        yield f"packets ({form})", packets


def main() -> None:
    """Make each and print its rate."""
    for name, traffic in cases():
        begin = time.perf_counter()
        events = written = 0
        for block in traffic.blocks():
            events += len(block.faults)
            written += len(block.lines)
        seconds = time.perf_counter() - begin
        rate, size = events / seconds, written / seconds / 1e6
        print(f"{name:18} {events:9,} events  {rate:11,.0f} events/s  {size:6.0f} MB/s")


if __name__ == "__main__":
    main()
