"""Packets between some hosts and the world, with windows above and below limits of volume.

`PacketTraffic` is the whole interface: as a capture file, as JSON lines, or as rows of the form
that a topic of packet sizes has (key: both addresses, value: bytes). Measured on one core: about a
million packets a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.draws import skewed
from tailrace.generate.faults import DUPLICATE, Faults, FaultShares, repeated
from tailrace.generate.options import (
    MAX_TIME_US,
    SECOND_US,
    OptionError,
    require_positive,
    require_share,
    require_shares,
)
from tailrace.generate.packet_forms import FORMS, Packets
from tailrace.generate.stream import BLOCK_ROWS, Block
from tailrace.generate.volumes import Limits, Volumes, Wanted, plan, sizes

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

TCP, UDP, ICMP = 6, 17, 1
_PROTOCOLS = np.array([TCP] * 16 + [UDP] * 3 + [ICMP])
_PORTS = np.array([443, 443, 443, 80, 53, 22, 8080, 5432])
MOST_HOSTS = 60_000
WORLD = 4096
"""So many addresses there are beside the hosts."""


@dataclass(frozen=True, kw_only=True)
class PacketTraffic:
    """What to generate; the same values give the same bytes.

    `rate` packets a second over `duration_us`. Windows of `window_us` have from `minimum` to
    `maximum` bytes (IP's total lengths), but for `over` and `below` of them, chosen by the seed;
    every other one below is empty. `ipv6` is a share of packets; `late` and `duplicates` too: a
    late packet's time is up to `late_by_us` before its neighbours'. Raises OptionError.
    """

    form: str = "pcap"
    seed: int = 0
    rate: float = 100.0
    duration_us: int = 3600 * SECOND_US
    start_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    hosts: int = 50
    ipv6: float = 0.0
    window_us: int = 300 * SECOND_US
    minimum: int = 1024
    maximum: int = 1 << 30
    over: int = 0
    below: int = 0
    late: float = 0.0
    late_by_us: int = 10 * SECOND_US
    duplicates: float = 0.0

    endless = False

    def __post_init__(self) -> None:
        """Check the values, alone and with each other."""
        if self.form not in FORMS:
            raise OptionError("form", f"{self.form!r} is none of {', '.join(FORMS)}")
        for option in ("rate", "duration_us", "window_us", "late_by_us", "hosts", "maximum"):
            require_positive(option, getattr(self, option))
        for option in ("seed", "minimum", "over", "below"):
            if getattr(self, option) < 0:
                raise OptionError(option, f"{getattr(self, option)} is below 0")
        if self.hosts > MOST_HOSTS:
            raise OptionError("hosts", f"{self.hosts} is more than {MOST_HOSTS}")
        require_share("ipv6", self.ipv6)
        if self.ipv6 and not FORMS[self.form].ipv6:
            raise OptionError("ipv6", f"the form {self.form} has no IPv6 addresses")
        require_shares(late=self.late, duplicates=self.duplicates)
        if not 0 <= self.start_us < MAX_TIME_US - self.duration_us:
            raise OptionError("start_us", "not all times lie between the years 1970 and 9999")
        _ = self._plan

    def chunks(self) -> Iterator[bytes]:
        """The traffic as bytes."""
        return (block.lines for block in self.blocks())

    def truth(self) -> Iterator[str]:
        """A JSON line for each window: its packets and bytes, and within, over or below."""
        volumes = Volumes(self._limits, self.start_us, self._end_us)
        for packets, _ in self._packets():
            volumes.add(packets.time_us, packets.length)
        return (json.dumps(window) + "\n" for window in volumes.windows())

    def blocks(self) -> Iterator[Block]:
        """The traffic with arrival times and faults; the first block of a pcap has its header."""
        form = FORMS[self.form](self.hosts, WORLD)
        head = form.head
        for packets, (arrivals_us, faults) in self._packets():
            yield Block(head + form.write(packets), arrivals_us, faults)
            head = b""
        if head:
            yield Block(head, np.empty(0, np.int64), np.empty(0, np.uint8))

    @property
    def _end_us(self) -> int:
        return self.start_us + self.duration_us

    @property
    def _limits(self) -> Limits:
        return Limits(self.minimum, self.maximum, self.window_us)

    @cached_property
    def _plan(self) -> list[Wanted]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed).spawn(3)[0])
        return plan(
            self.start_us, self._end_us, self.rate, self._limits, self.over, self.below, rng
        )

    def _packets(self) -> Iterator[tuple[Packets, tuple[NDArray[np.int64], Faults]]]:
        seeds = np.random.SeedSequence(self.seed).spawn(3)[1:]
        rng, faults_rng = (np.random.default_rng(each) for each in seeds)
        shares = FaultShares(self.late, self.late_by_us, self.duplicates, 0.0)
        for window in self._plan:
            span_us = window.end_us - window.start_us
            times_us = window.start_us + np.sort(rng.integers(0, span_us, window.packets))
            lengths = sizes(window.kind, window.packets, rng)
            for begin in range(0, window.packets, BLOCK_ROWS):
                part = slice(begin, begin + BLOCK_ROWS)
                arrivals_us = times_us[part]
                faults = shares.draw(faults_rng, len(arrivals_us))
                event_us = arrivals_us - shares.delays_us(faults_rng, faults)
                # A late packet stays in its window, so that each has what is wished.
                event_us = np.maximum(event_us, window.start_us)
                packets = self._draw(rng, event_us, lengths[part])
                if (faults == DUPLICATE).any():
                    packets = packets.take(repeated(faults))
                yield packets, (arrivals_us, faults)

    def _draw(
        self, rng: Generator, time_us: NDArray[np.int64], length: NDArray[np.int64]
    ) -> Packets:
        rows = len(time_us)
        ipv6 = rng.random(rows) < self.ipv6
        return Packets(
            time_us=time_us,
            host=skewed(rng, rows, self.hosts),
            other=skewed(rng, rows, WORLD),
            outgoing=rng.random(rows) < 0.45,
            ipv6=ipv6,
            protocol=_PROTOCOLS[rng.integers(0, len(_PROTOCOLS), rows)],
            host_port=rng.integers(32_768, 61_000, rows),
            other_port=_PORTS[rng.integers(0, len(_PORTS), rows)],
            # An IPv6 header with TCP's is longer than the least total length of IPv4.
            length=np.where(ipv6, np.maximum(length, 60), length),
        )
