"""Clicks and views of people and of bots, second by second, as `botgen.py` makes them.

`BotTraffic` is the whole interface. In each second `freq` different users act once: categories
1000 to 1009, one click to three views. In each even second of the epoch every bot acts once:
categories 1000 to 1019, three clicks to one view. The address says who is who: users are
172.10.x.y, bots 172.20.x.y.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.faults import FaultShares, faulty_lines
from tailrace.generate.options import (
    MAX_TIME_US,
    SECOND_US,
    OptionError,
    require_positive,
    require_shares,
)
from tailrace.generate.rows import OCTETS, Change, LineBuffer, Part, by_second, texts
from tailrace.generate.stream import BLOCK_ROWS, Block

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

MOST = 255 * 256
"""So many addresses the two numbers after the prefix can tell apart."""
USER_CATEGORIES, BOT_CATEGORIES = 10, 20
FIRST_CATEGORY = 1000
USER_CLICKS, BOT_CLICKS = 0.25, 0.75

_TYPES = texts(["view", "click"])
_CATEGORIES = texts(range(FIRST_CATEGORY, FIRST_CATEGORY + BOT_CATEGORIES))
_PREFIXES = texts(["172.10", "172.20"])
_TEMPLATE: tuple[Part, ...] = (
    b'{"unix_time": ',
    ("seconds", 12),
    b', "category_id": ',
    ("category", 4),
    b', "ip": "',
    ("prefix", 6),
    b".",
    ("high", 3),
    b".",
    ("low", 3),
    b'", "type": "',
    ("type", 5),
    b'"}\n',
)
_WRONG: tuple[Change, ...] = ({"seconds": b'"now"'}, {"category": b""}, {"type": b"\xff"})


@dataclass(frozen=True, kw_only=True)
class BotTraffic:
    """What to generate; the same values give the same bytes.

    `freq` users act each second, of `users`; event times run from `start_us`, cut to whole seconds,
    for `duration_us` (None: endless). `late`, `duplicates` and `malformed` are shares of all lines;
    a late line's event time is up to `late_by_us` before its arrival. Raises OptionError.
    """

    bots: int = 1
    users: int = 1000
    freq: int = 100
    duration_us: int | None = 300 * SECOND_US
    seed: int = 0
    start_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    late: float = 0.0
    late_by_us: int = 10 * SECOND_US
    duplicates: float = 0.0
    malformed: float = 0.0

    def __post_init__(self) -> None:
        """Check the values, alone and with each other."""
        for option in ("bots", "users", "freq", "seed"):
            if getattr(self, option) < 0:
                raise OptionError(option, f"{getattr(self, option)} is below 0")
        for option in ("bots", "users"):
            if getattr(self, option) > MOST:
                raise OptionError(option, f"{getattr(self, option)} is more than {MOST}")
        if self.freq > self.users:
            raise OptionError("freq", f"{self.freq} users a second, but there are {self.users}")
        if not self.freq and not self.bots:
            raise OptionError("freq", "nobody would do anything")
        for option in ("duration_us", "late_by_us"):
            if (value := getattr(self, option)) is not None:
                require_positive(option, value)
        require_shares(late=self.late, duplicates=self.duplicates, malformed=self.malformed)
        if not 0 <= self.start_us < MAX_TIME_US - (self.duration_us or 0):
            raise OptionError("start_us", "not all times lie between the years 1970 and 9999")

    @property
    def endless(self) -> bool:
        """Whether nothing ends the traffic."""
        return self.duration_us is None

    def chunks(self) -> Iterator[bytes]:
        """The traffic as bytes, some thousand whole lines at a time."""
        return (block.lines for block in self.blocks())

    def truth(self) -> Iterator[str]:
        """A JSON line for each address that there is, and whether it is a bot's."""
        for prefix, number, bot in (("172.20", self.bots, True), ("172.10", self.users, False)):
            for each in range(number):
                ip = f"{prefix}.{each // 255}.{each % 255}"
                yield json.dumps({"ip": ip, "is_bot": bot}) + "\n"

    def blocks(self) -> Iterator[Block]:
        """The traffic as lines with their arrival times and faults."""
        seeds = np.random.SeedSequence(self.seed).spawn(2)
        rng, faults_rng = (np.random.default_rng(each) for each in seeds)
        shares = FaultShares(self.late, self.late_by_us, self.duplicates, self.malformed)
        first = self.start_us // SECOND_US
        left_us = MAX_TIME_US - self.start_us if self.duration_us is None else self.duration_us
        last = first + -(-left_us // SECOND_US)
        at_once = max(1, BLOCK_ROWS // (self.freq + self.bots))
        buffer = LineBuffer(_TEMPLATE, at_once * (self.freq + self.bots))
        for begin in range(first, last, at_once):
            seconds, who, bot = self._acts(rng, begin, min(begin + at_once, last))
            if not len(who):
                continue
            faults = shares.draw(faults_rng, len(who))
            arrivals_us = seconds * SECOND_US
            event_us = np.maximum(arrivals_us - shares.delays_us(faults_rng, faults), 0)
            _fill(buffer, rng, event_us, who, bot)
            lines = faulty_lines(buffer, faults, _WRONG, faults_rng)
            yield Block(lines, arrivals_us, faults)

    def _acts(
        self, rng: Generator, begin: int, end: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Seconds, numbers of the acting, and whether these are bots; users before bots."""
        everybot = np.arange(self.bots)
        who, counts = [], []
        for second in range(begin, end):
            who.append(rng.choice(self.users, self.freq, replace=False))
            if second % 2 == 0:
                who.append(everybot)
            counts.append((self.freq, self.bots if second % 2 == 0 else 0))
        number = np.array(counts)
        seconds = np.repeat(np.arange(begin, end), number.sum(axis=1))
        bot = np.repeat(np.tile([False, True], len(number)), number.ravel())
        return seconds, np.concatenate(who).astype(np.int64), bot


def _fill(
    buffer: LineBuffer,
    rng: Generator,
    event_us: NDArray[np.int64],
    who: NDArray[np.int64],
    bot: NDArray[np.bool_],
) -> None:
    rows = len(who)
    records = buffer.records[:rows]
    categories = rng.integers(0, np.where(bot, BOT_CATEGORIES, USER_CATEGORIES))
    clicks = rng.random(rows) < np.where(bot, BOT_CLICKS, USER_CLICKS)
    records["seconds"] = by_second(event_us, lambda seconds: seconds.astype("S12"))
    records["category"] = _CATEGORIES[categories]
    records["prefix"] = _PREFIXES[bot.astype(np.int64)]
    records["high"] = OCTETS[who // 255]
    records["low"] = OCTETS[who % 255]
    records["type"] = _TYPES[clicks.astype(np.int64)]
