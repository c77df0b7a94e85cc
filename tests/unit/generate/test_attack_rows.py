from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.generate.clean import Row, rows_of, time_us

from tailrace.generate.attacks import parse_attack
from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import SECOND_US, OptionError

HOST = "api_7.example.com"
CLIENT = "154.85.126.200"


def traffic(*attacks: str, **options: Any) -> NginxTraffic:
    parsed = tuple(parse_attack(text) for text in attacks)
    options = {"start_us": 0, "duration_us": 120 * SECOND_US, "rate": 200.0, **options}
    return NginxTraffic(attacks=parsed, **options)


def split(made: NginxTraffic) -> tuple[list[Row], list[Row]]:
    """Rows during the only attack, and all others."""
    [episode] = made.labels()
    inside: list[Row] = []
    outside: list[Row] = []
    for row in rows_of(made.chunks()):
        (inside if episode.start_us <= time_us(row) < episode.end_us else outside).append(row)
    return inside, outside


def share(rows: list[Row], condition: Callable[[Row], bool]) -> float:
    return sum(map(condition, rows)) / len(rows)


@pytest.mark.parametrize("profile", ["realistic", "seed"])
def test_flood(profile: str) -> None:
    made = traffic(f"flood@40s+20s:client={CLIENT},rate=1", profile=profile)
    inside, outside = split(made)
    assert share(inside, lambda row: row["client_ip"] == CLIENT) == pytest.approx(0.5, abs=0.05)
    assert share(outside, lambda row: row["client_ip"] == CLIENT) < 0.1
    # The others go on as before, so all of the flood is added.
    assert len(inside) == pytest.approx(8000, abs=2)
    assert len(outside) == pytest.approx(20_000, abs=2)


@pytest.mark.parametrize(
    ("profile", "status", "found"),
    [
        ("realistic", "5xx", {"500", "502", "503"}),
        ("realistic", "4xx", {"400", "401", "403", "404", "429"}),
        ("realistic", "508", {"508"}),
        ("seed", "5xx", {"500", "503"}),
    ],
)
def test_failing_host(profile: str, status: str, found: set[str]) -> None:
    text = f"failing-host@40s+20s:host={HOST},share=0.9,status={status}"
    inside, outside = split(traffic(text, profile=profile))
    asked = [row for row in inside if row["host"] == HOST]
    assert share(asked, lambda row: row["status"] in found) >= 0.87
    assert {row["status"] for row in asked} >= found
    assert share(outside, lambda row: row["host"] == HOST and row["status"] in found) < 0.05
    others = [row for row in inside if row["host"] != HOST]
    assert share(others, lambda row: row["status"] in found) < 0.6


@pytest.mark.parametrize("profile", ["realistic", "seed"])
def test_slow_host(profile: str) -> None:
    inside, outside = split(traffic(f"slow-host@40s+20s:host={HOST},factor=8", profile=profile))

    def mean(rows: list[Row]) -> float:
        times = [float(row["request_time"]) for row in rows if row["host"] == HOST]
        return sum(times) / len(times)

    assert mean(inside) / mean(outside) == pytest.approx(8, rel=0.2)


def test_scanner_as_json() -> None:
    inside, outside = split(traffic("scanner@40s+20s:client=10.0.0.1"))
    scan = [row for row in inside if row["client_ip"] == "10.0.0.1"]
    assert share(inside, lambda row: row["client_ip"] == "10.0.0.1") == pytest.approx(0.2, abs=0.03)
    assert {row["status"] for row in scan} == {"403", "404"}
    assert len({row["host"] for row in scan}) == 51
    assert all(row["client_ip"] != "10.0.0.1" for row in outside)


def test_scanner_as_combined() -> None:
    made = traffic("scanner@40s+20s:client=10.0.0.1", format="combined")
    rows = rows_of(made.chunks(), "combined")
    scan = [row for row in rows if row["client_ip"] == "10.0.0.1"]
    assert len(scan) > 900
    assert len({row["path"] for row in scan}) == len(scan)
    assert {row["status"] for row in scan} == {"403", "404"}


def test_failing_host_as_combined() -> None:
    made = traffic(f"failing-host@40s+20s:host={HOST},share=1", format="combined")
    referred = [
        row
        for row in rows_of(made.chunks(), "combined")
        if row["referer"] == f"https://{HOST}/" and "00:00:40" <= row["time"][12:20] < "00:01:00"
    ]
    assert referred
    assert all(row["status"].startswith("5") for row in referred)


def test_attacks_at_the_same_time() -> None:
    made = traffic("flood@0+2m:client=10.0.0.1,rate=1", "flood@1m+1m:client=10.0.0.2,rate=2")
    rows = rows_of(made.chunks())
    first = [row for row in rows if time_us(row) < 60 * SECOND_US]
    second = rows[len(first) :]
    for client, before, after in [("10.0.0.1", 0.5, 0.25), ("10.0.0.2", 0.0, 0.5)]:
        assert share(first, lambda row: row["client_ip"] == client) == pytest.approx(  # noqa: B023
            before, abs=0.03
        )
        assert share(second, lambda row: row["client_ip"] == client) == pytest.approx(  # noqa: B023
            after, abs=0.03
        )


def test_late_rows_show_what_was_going_on_when_they_happened() -> None:
    made = traffic("flood@40s+20s:client=10.0.0.1", late=0.3, late_by_us=10 * SECOND_US)
    inside, outside = split(made)
    assert share(inside, lambda row: row["client_ip"] == "10.0.0.1") > 0.25
    assert all(row["client_ip"] != "10.0.0.1" for row in outside)


def test_keys_chosen_by_the_seed_are_known_ones() -> None:
    texts = ["flood@0+1s", "scanner@2s+1s", "failing-host@4s+1s", "slow-host@6s+1s"]
    keys = [episode.key for episode in traffic(*texts).labels()]
    assert len(set(keys)) == 4
    assert all(key.startswith("154.85.126.") for key in keys[:2])
    assert all(key.endswith(".example.com") for key in keys[2:])


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("flood@3m+10s", {}, "begins 180 s after the start, but the traffic ends after 120 s"),
        ("failing-host@0+10s:host=api_51.example.com", {}, "no host 'api_51.example.com'"),
        ("slow-host@0+10s", {"format": "combined"}, "combined lines can't show a slow-host"),
    ],
)
def test_attacks_that_can_not_be(text: str, options: dict[str, str], complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        traffic(text, **options)
