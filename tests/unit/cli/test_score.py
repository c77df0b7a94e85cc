import pytest

from tailrace.cli.demonstration.score import Alert, findings, table
from tailrace.generate.attacks import Attack
from tailrace.generate.episodes import Episode

SECOND = 1_000_000
FLOOD = Episode(Attack("flood", 0, 5 * SECOND), "192.0.2.7", 100 * SECOND, 105 * SECOND)
SLOW = Episode(Attack("slow-host", 0, 5 * SECOND), "api_1", 110 * SECOND, 115 * SECOND)


def alert(rule: str, key: str, at: float, about: float | None = None) -> Alert:
    about = at if about is None else about
    return Alert(rule, key, int(at * SECOND), int(about * SECOND), "incident")


@pytest.mark.parametrize(
    ("alerts", "found", "unexplained"),
    [
        ([], [None, None], 0),
        ([alert("client_flood", "192.0.2.7", 101.5)], [1.5, None], 0),
        ([alert("client_flood", "192.0.2.7", t) for t in (101, 103)], [1, None], 0),
        ([alert("slow_host", "api_1", 112), alert("client_flood", "192.0.2.7", 104)], [4, 2], 0),
        ([alert("client_flood", "192.0.2.8", 101)], [None, None], 1),  # another client
        ([alert("scanner", "192.0.2.7", 101)], [None, None], 1),  # another rule
        ([alert("client_flood", "192.0.2.7", 99)], [None, None], 1),  # before it
        ([alert("client_flood", "192.0.2.7", 115)], [15, None], 0),  # still in a window
        ([alert("client_flood", "192.0.2.7", 116)], [None, None], 1),  # long after it
    ],
)
def test_which_alerts_attacks_explain(
    alerts: list[Alert], found: list[float | None], unexplained: int
) -> None:
    results, rest = findings([FLOOD, SLOW], alerts, [])
    after = [
        None if r.first is None else (r.first.at_us - r.episode.start_us) / SECOND for r in results
    ]
    assert after == found
    assert len(rest) == unexplained


def test_the_table() -> None:
    alerts = [alert("client_flood", "192.0.2.7", 101.5), alert("scanner", "192.0.2.9", 102)]
    results = findings([FLOOD, SLOW], alerts, [alert("client_flood", "192.0.2.7", 112)])
    assert list(table(*results)) == [
        "1 of 2 attacks found, 1 false alarm",
        "  attack     by or on             began     found by      after  as        resolved",
        "  flood      client_ip=192.0.2.7  00:01:40  client_flood  1.5 s  incident  00:01:52",
        "  slow-host  host=api_1           00:01:50  not found",
        "  false alarm: scanner 192.0.2.9 at 00:01:42",
    ]
