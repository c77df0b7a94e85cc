"""Server logs, good, bad and suspicious, and the truth about each.

`ServerLogs` is the whole interface. Which values there are and how likely is said in
`server_log_values`. Measured on one core: about 0.9 million events a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.draws import Codes
from tailrace.generate.event_ids import event_ids
from tailrace.generate.faults import MALFORMED, FaultShares, faulty_lines, repeat_rows
from tailrace.generate.options import (
    MAX_TIME_US,
    SECOND_US,
    OptionError,
    require_positive,
    require_shares,
)
from tailrace.generate.plan import Length, Plan, plain
from tailrace.generate.rows import Change, LineBuffer, Part, Texts, by_second, texts
from tailrace.generate.server_log_values import ACCOUNTS, TOO_HIGH, Choices
from tailrace.generate.stream import BLOCK_ROWS, Block

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

FIELDS = (
    "event_id",
    "account_id",
    "event_type",
    "device",
    "location_country",
    "event_timestamp",
)
ID_WIDTH = 34

_ACCOUNTS = texts(range(ACCOUNTS + 1))
_TEMPLATE: tuple[Part, ...] = (
    b'{"event_id": ',
    ("event_id", ID_WIDTH),
    b', "account_id": ',
    ("account_id", 6),
    b', "event_type": ',
    ("event_type", 17),
    b', "device": ',
    ("device", 9),
    b', "location_country": ',
    ("location_country", 9),
    b', "event_timestamp": ',
    ("event_timestamp", 21),
    b"}\n",
)
_WRONG: tuple[Change, ...] = ({"account_id": b"x"}, {"device": b'"\xff"'})
_TRUTH: tuple[Part, ...] = (
    b'{"line": ',
    ("line", 15),
    b', "status": "',
    ("status", 10),
    b'", "wrong": [',
    ("wrong", sum(len(name) + 3 for name in FIELDS)),
    b"]}\n",
)
_STATUSES = texts(["good", "suspicious", "bad"])
GOOD, SUSPICIOUS, BAD = range(3)


@dataclass(frozen=True, kw_only=True)
class ServerLogs:
    """What to generate; the same values give the same bytes.

    `rate` events a second of event time; `count` lines or `duration_us` of event time, whichever
    ends first; neither: endless. `errors` multiplies how likely wrong values are (1: as the log
    producer has them, about 5.5 % of all events are bad). `known`: the users table has the accounts
    1 to this, all with ANDROID; an event of another account or device is suspicious. `late`,
    `duplicates` and `malformed` are shares of all lines. Raises OptionError.
    """

    seed: int = 0
    rate: float = 100.0
    count: int | None = None
    duration_us: int | None = None
    start_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    errors: float = 1.0
    known: int = 10
    late: float = 0.0
    late_by_us: int = 10 * SECOND_US
    duplicates: float = 0.0
    malformed: float = 0.0

    def __post_init__(self) -> None:
        """Check the values, alone and with each other."""
        for option in ("rate", "count", "duration_us", "late_by_us"):
            if (value := getattr(self, option)) is not None:
                require_positive(option, value)
        if not 0 <= self.errors <= 10:
            raise OptionError("errors", f"{self.errors} is not a number from 0 to 10")
        if not 0 <= self.known <= ACCOUNTS:
            raise OptionError("known", f"{self.known} is not a number from 0 to {ACCOUNTS}")
        if self.seed < 0:
            raise OptionError("seed", f"{self.seed} is below 0")
        require_shares(late=self.late, duplicates=self.duplicates, malformed=self.malformed)
        if not 0 <= self.start_us < MAX_TIME_US:
            raise OptionError("start_us", "the start is not between the years 1970 and 9999")
        self._plan()

    @property
    def endless(self) -> bool:
        """Whether nothing ends the traffic."""
        return self.count is None and self.duration_us is None

    def chunks(self) -> Iterator[bytes]:
        """The traffic as bytes, some thousand whole lines at a time."""
        return (block.lines for block in self.blocks())

    def users(self) -> Iterator[str]:
        """The users table as lines of CSV, the header first."""
        yield "account_id,device\n"
        for account in range(1, self.known + 1):
            yield f"{account},ANDROID\n"

    def blocks(self) -> Iterator[Block]:
        """The traffic as lines with their arrival times, their faults and the truth."""
        seeds = np.random.SeedSequence(self.seed).spawn(2)
        rng, faults_rng = (np.random.default_rng(each) for each in seeds)
        shares = FaultShares(self.late, self.late_by_us, self.duplicates, self.malformed)
        plan = self._plan()
        node = int(rng.integers(1 << 48))
        choices = Choices.of(self.errors)
        buffer, told = LineBuffer(_TEMPLATE, BLOCK_ROWS), LineBuffer(_TRUTH, BLOCK_ROWS)
        for begin in range(0, plan.rows, BLOCK_ROWS):
            numbers = np.arange(begin, min(begin + BLOCK_ROWS, plan.rows))
            arrivals_us = plan.schedule.times_us(numbers.astype(np.float64))
            faults = shares.draw(faults_rng, len(numbers))
            event_us = np.maximum(arrivals_us - shares.delays_us(faults_rng, faults), 0)
            wrong, foreign = self._fill(buffer, rng, event_us, choices)
            ids = event_ids(arrivals_us, numbers, node)
            right = (wrong & 1) == 0
            buffer.records["event_id"][: len(numbers)][right] = ids[right]
            records = told.records[: len(numbers)]
            status = np.where(wrong > 0, BAD, np.where(foreign, SUSPICIOUS, GOOD))
            records["status"] = _STATUSES[status]
            records["wrong"] = _NAMES[wrong]
            repeat_rows(told, faults)
            broken = faults == MALFORMED
            records["status"][broken] = _STATUSES[BAD]
            records["wrong"][broken] = b""
            records["line"] = (numbers + 1).astype("S15")
            lines = faulty_lines(buffer, faults, _WRONG, faults_rng)
            yield Block(lines, arrivals_us, faults, told.lines(len(numbers)))

    def _plan(self) -> Plan:
        return plain(self.start_us, self.rate, Length(self.count, self.duration_us))

    def _fill(
        self, buffer: LineBuffer, rng: Generator, event_us: NDArray[np.int64], choices: Choices
    ) -> tuple[Codes, NDArray[np.bool_]]:
        """Fill the rows; return which fields are wrong, as bits, and who isn't in the table."""
        rows = len(event_us)
        records = buffer.records[:rows]
        drawn: dict[str, Codes] = {}
        wrong = np.zeros(rows, np.int64)
        for bit, name in enumerate(FIELDS):
            choice = getattr(choices, name)
            drawn[name] = choice.draw(rng, rows)
            records[name] = choice.values[drawn[name]]
            wrong |= (drawn[name] >= choice.right).astype(np.int64) << bit
        account = rng.integers(1, ACCOUNTS + 1, rows)
        right = drawn["account_id"] == 0
        records["account_id"][right] = _ACCOUNTS[account[right]]
        high = np.flatnonzero(drawn["account_id"] == 3)
        records["account_id"][high] = texts(rng.integers(TOO_HIGH[0], TOO_HIGH[1] + 1, len(high)))
        right = drawn["event_timestamp"] == 0
        seconds = by_second(event_us, lambda whole: whole.astype("S21"))
        records["event_timestamp"][right] = seconds[right]
        dates = drawn["event_timestamp"] == 1
        records["event_timestamp"][dates] = by_second(event_us[dates], _iso)
        return wrong, (account > self.known) | (drawn["device"] != 0)


_NAMES = texts(
    ", ".join(f'"{name}"' for bit, name in enumerate(FIELDS) if bits >> bit & 1)
    for bits in range(1 << len(FIELDS))
)


def _iso(seconds: NDArray[np.int64]) -> Texts:
    times = (datetime.fromtimestamp(second, UTC) for second in seconds.tolist())
    return np.array([f'"{time:%Y-%m-%dT%H:%M:%S}"'.encode() for time in times] or [b""])
