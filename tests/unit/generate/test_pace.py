from dataclasses import dataclass, field

from tests.unit.generate.clean import lines_of

from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import SECOND_US
from tailrace.generate.pace import LONGEST_WAIT_US, SHORTEST_WAIT_US, paced


@dataclass
class HandClock:
    """Time that passes only while waiting."""

    time_us: int = 0
    waits: list[int] = field(default_factory=list)

    def now_us(self) -> int:
        return self.time_us

    def wait_us(self, duration_us: int) -> None:
        self.waits.append(duration_us)
        self.time_us += duration_us


def never() -> bool:
    return False


def test_lines_go_out_when_they_arrive() -> None:
    for rate, count in [(0.7, 200), (30.0, 2000), (20_000.0, 40_000)]:
        made = NginxTraffic(start_us=5 * SECOND_US, count=count, rate=rate, late=0.1)
        clock = HandClock()
        pieces = []
        for piece in paced(made.blocks(), made.start_us, clock, never):
            waited = made.start_us + clock.time_us - piece.arrivals_us
            assert waited.min() >= 0
            assert waited.max() <= SHORTEST_WAIT_US
            assert piece.lines.count(b"\n") == len(piece.arrivals_us) == len(piece.faults)
            pieces.append(piece)
        assert b"".join(piece.lines for piece in pieces) == b"".join(made.chunks())
        assert max(clock.waits) <= LONGEST_WAIT_US


def test_a_slow_consumer_gets_bigger_pieces() -> None:
    made = NginxTraffic(start_us=0, count=10_000, rate=1000.0)
    clock = HandClock()
    sizes = []
    for piece in paced(made.blocks(), 0, clock, never):
        sizes.append(len(lines_of([piece.lines])))
        clock.time_us += SECOND_US
    assert sum(sizes) == 10_000
    assert len(sizes) <= 12


def test_it_stops_while_waiting() -> None:
    made = NginxTraffic(start_us=0, count=10, rate=0.001, profile="seed")
    clock = HandClock()
    pieces = list(paced(made.blocks(), 0, clock, lambda: clock.time_us > 3 * SECOND_US))
    assert [piece.lines.count(b"\n") for piece in pieces] == [1]
    assert clock.time_us <= 3 * SECOND_US + LONGEST_WAIT_US
