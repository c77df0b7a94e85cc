"""An nginx server's access log, as large, as fast and as troubled as asked for.

`NginxTraffic` is the whole interface. Measured on one core: 4 million JSON lines (700 MB) in about
3 s, combined lines in about 4 s.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.generate.attacks import KINDS, Attack
from tailrace.generate.combined_rows import CombinedLayout
from tailrace.generate.delivery import Tally, deliver
from tailrace.generate.episodes import Episode, Placement
from tailrace.generate.faults import FaultShares
from tailrace.generate.json_rows import JsonLayout
from tailrace.generate.options import (
    MAX_TIME_US,
    SECOND_US,
    OptionError,
    require_positive,
    require_shares,
)
from tailrace.generate.plan import Length, Plan
from tailrace.generate.profiles import PROFILES
from tailrace.generate.requests import FIRST_CLIENT, host_name, host_names
from tailrace.generate.stream import Block, Randomness, Stream

if TYPE_CHECKING:
    from numpy.random import Generator

LAYOUTS: dict[str, type[JsonLayout | CombinedLayout]] = {
    "json": JsonLayout,
    "combined": CombinedLayout,
}
MOST = {"clients": 1 << 24, "hosts": 1 << 16}
"""A table of them is kept in memory."""


@dataclass(frozen=True, kw_only=True)
class NginxTraffic:
    """What to generate; the same values give the same bytes.

    `rate` is the number of events a second of event time (None: the profile's), attacks not
    counted. `count` lines or `duration_us` of event time, whichever ends first; neither: endless.
    `attacks` happen, and `random_attacks` more of all kinds, chosen by the seed. `late`,
    `duplicates` and `malformed` are shares of all lines; a late line's event time is up to
    `late_by_us` before its arrival. Raises OptionError.
    """

    profile: str = "realistic"
    seed: int = 0
    rate: float | None = None
    count: int | None = None
    duration_us: int | None = None
    start_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    format: str = "json"
    clients: int = 256
    hosts: int = 51
    attacks: tuple[Attack, ...] = ()
    random_attacks: int = 0
    late: float = 0.0
    late_by_us: int = 10 * SECOND_US
    duplicates: float = 0.0
    malformed: float = 0.0

    def __post_init__(self) -> None:
        """Check the values, alone and with each other."""
        _require_known("profile", self.profile, PROFILES)
        _require_known("format", self.format, LAYOUTS)
        for option in ("rate", "count", "duration_us", "late_by_us", "clients", "hosts"):
            if (value := getattr(self, option)) is not None:
                require_positive(option, value)
        for option, most in MOST.items():
            if getattr(self, option) > most:
                raise OptionError(option, f"{getattr(self, option)} is more than {most}")
        for option in ("seed", "random_attacks"):
            if getattr(self, option) < 0:
                raise OptionError(option, f"{getattr(self, option)} is below 0")
        require_shares(late=self.late, duplicates=self.duplicates, malformed=self.malformed)
        if not 0 <= self.start_us < MAX_TIME_US:
            raise OptionError("start_us", "the start is not between the years 1970 and 9999")
        self._check_attacks()
        _ = self._plan  # the rest is found out by planning

    @property
    def endless(self) -> bool:
        """Whether nothing ends the traffic."""
        return self.count is None and self.duration_us is None

    def chunks(self) -> Iterator[bytes]:
        """The traffic as bytes, some thousand whole lines at a time."""
        return (block.lines for block in self.blocks())

    def labels(self) -> list[Episode]:
        """The episodes that the traffic holds, in order of their start."""
        return list(self._plan.episodes)

    def write(self, path: Path | str) -> Tally:
        """Write all of the traffic to a new file; return what was written."""
        tally = Tally()
        with Path(path).open("wb") as sink:
            deliver(self.blocks(), sink, tally)
        return tally

    def blocks(self) -> Iterator[Block]:
        """The traffic as lines with their arrival times and faults."""
        profile, randomness = PROFILES[self.profile], Randomness.of(self.seed)
        stream = Stream(
            profile=profile,
            layout=LAYOUTS[self.format](profile, self.hosts, randomness.layout),
            randomness=randomness,
            clients=self.clients,
            hosts=self.hosts,
            plan=self._plan,
            shares=FaultShares(self.late, self.late_by_us, self.duplicates, self.malformed),
        )
        return stream.blocks()

    @cached_property
    def _plan(self) -> Plan:
        rng = Randomness.of(self.seed).plan
        visible = [kind for kind in KINDS if kind not in LAYOUTS[self.format].hidden_kinds]
        return Plan.of(
            self.start_us,
            self.rate or PROFILES[self.profile].rate,
            Length(self.count, self.duration_us),
            self.attacks,
            Placement.draw(self.random_attacks, visible, rng),
            lambda subject: self._draw_key(subject, rng),
        )

    def _draw_key(self, subject: str, rng: Generator) -> str:
        if subject == "client":
            return str(IPv4Address(FIRST_CLIENT + int(rng.integers(self.clients))))
        return host_name(int(rng.integers(self.hosts)))

    def _check_attacks(self) -> None:
        for attack in self.attacks:
            if attack.kind in LAYOUTS[self.format].hidden_kinds:
                message = f"{self.format} lines can't show a {attack.kind}"
                raise OptionError("attacks", message, hint="use the format json")
            if attack.subject == "host" and attack.key is not None:
                known = host_names(self.hosts)
                if attack.key not in known:
                    hint = f"hosts are {known[0]} to {known[-1]}"
                    raise OptionError("attacks", f"there is no host {attack.key!r}", hint=hint)


def _require_known(option: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise OptionError(option, f"{value!r} is none of {', '.join(known)}")
