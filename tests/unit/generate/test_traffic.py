from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.unit.generate.clean import lines_of, rows_of, time_us

from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import MAX_TIME_US, SECOND_US, OptionError
from tailrace.generate.stream import BLOCK_ROWS

START_US = 1_659_509_511_865_323


def traffic(**options: Any) -> NginxTraffic:
    return NginxTraffic(**{"start_us": START_US, "count": 2000, **options})


@pytest.mark.parametrize("profile", ["realistic", "seed"])
@pytest.mark.parametrize("form", ["json", "combined"])
def test_same_options_same_bytes(profile: str, form: str) -> None:
    options = {"profile": profile, "format": form, "late": 0.1, "random_attacks": 4}
    once, again = (b"".join(traffic(**options).chunks()) for _ in range(2))
    assert once == again
    assert once != b"".join(traffic(**options, seed=1).chunks())


def test_the_object_can_be_read_twice() -> None:
    one = traffic(malformed=0.1)
    assert b"".join(one.chunks()) == b"".join(one.chunks())


@pytest.mark.parametrize("profile", ["realistic", "seed"])
@pytest.mark.parametrize("form", ["json", "combined"])
def test_every_row_is_clean(profile: str, form: str) -> None:
    made = traffic(profile=profile, format=form)
    assert len(rows_of(made.chunks(), form)) == 2000


def test_times_ascend_at_the_rate() -> None:
    count = 2 * BLOCK_ROWS + 1000
    times = [time_us(row) for row in rows_of(traffic(count=count, rate=5000).chunks())]
    assert all(earlier <= later for earlier, later in pairwise(times))
    # Each row lies in its own 200 µs.
    assert all(0 <= at - START_US - 200 * row < 201 for row, at in enumerate(times))


def test_duration_is_half_open() -> None:
    rows = rows_of(traffic(count=None, duration_us=10 * SECOND_US, rate=100).chunks())
    assert len(rows) == 1000
    assert time_us(rows[-1]) < START_US + 10 * SECOND_US


def test_count_and_duration_end_with_the_first() -> None:
    assert len(rows_of(traffic(count=7, duration_us=60 * SECOND_US).chunks())) == 7
    assert len(rows_of(traffic(count=7000, duration_us=SECOND_US).chunks())) == 100


def test_too_short_for_a_row() -> None:
    assert list(traffic(count=None, duration_us=SECOND_US, rate=0.5).chunks()) == []


def test_endless() -> None:
    made = traffic(count=None)
    assert made.endless
    assert len(rows_of(islice(made.chunks(), 3))) == 3 * BLOCK_ROWS


def test_seed_profile_values() -> None:
    rows = rows_of(traffic(profile="seed", count=20_000).chunks())
    seen = {field: {row[field] for row in rows} for field in rows[0]}
    assert seen["server"] == {f"s_v{number}" for number in range(11)}
    assert seen["client_ip"] == {f"154.85.126.{number}" for number in range(256)}
    assert seen["host"] == {f"api_{number}.example.com" for number in range(51)}
    assert seen["method"] == {"POST", "GET", "PUT"}
    assert seen["country"] == {"FR", "US", "IR", "EN", "GE"}
    assert seen["request_time"] == {f"{cents / 100:.2f}" for cents in range(1, 102)}
    statuses = Counter(row["status"] for row in rows)
    assert set(statuses) == {"200", "204", "201", "400", "403", "429", "500", "503"}
    assert max(statuses.values()) < 1.2 * min(statuses.values())
    assert [time_us(row) - START_US for row in rows[:4]] == [0, 500_000, 1_000_000, 1_500_000]


def test_realistic_profile_is_uneven() -> None:
    rows = rows_of(traffic(count=20_000).chunks())
    successes = sum(row["status"].startswith("2") for row in rows)
    assert 0.85 < successes / len(rows) < 0.97
    by_client = [number for _, number in Counter(row["client_ip"] for row in rows).most_common()]
    assert by_client[0] > 10 * by_client[len(by_client) // 2]
    times = sorted(float(row["request_time"]) for row in rows)
    assert sum(times) / len(times) > 1.3 * times[len(times) // 2]  # a long tail
    country_of = {row["client_ip"]: row["country"] for row in rows}
    assert all(row["country"] == country_of[row["client_ip"]] for row in rows)


def test_keys_are_as_many_as_asked_for() -> None:
    rows = rows_of(traffic(profile="seed", clients=1000, hosts=3).chunks())
    assert {row["host"] for row in rows} == {f"api_{number}.example.com" for number in range(3)}
    assert 256 < len({row["client_ip"] for row in rows}) <= 1000
    assert "154.85.127.1" in {
        row["client_ip"] for row in rows_of(traffic(clients=1000, count=50_000).chunks())
    }


def test_formats_tell_of_the_same_requests() -> None:
    as_json = rows_of(traffic().chunks())
    as_combined = rows_of(traffic(format="combined").chunks(), "combined")
    for fields in zip(as_json, as_combined, strict=True):
        assert len({(row["client_ip"], row["method"], row["status"]) for row in fields}) == 1


@pytest.mark.parametrize(
    ("start_us", "in_json", "in_combined"),
    [
        (0, "0.000000", "01/Jan/1970:00:00:00 +0000"),
        (999_999_999_999_999, "999999999.999999", "09/Sep/2001:01:46:39 +0000"),
        (START_US, "1659509511.865323", "03/Aug/2022:06:51:51 +0000"),
        (MAX_TIME_US - SECOND_US, "253402300799.000000", "31/Dec/9999:23:59:59 +0000"),
    ],
)
def test_how_times_are_written(start_us: int, in_json: str, in_combined: str) -> None:
    options: dict[str, Any] = {"profile": "seed", "start_us": start_us, "count": 1}
    assert rows_of(traffic(**options).chunks())[0]["@timestamp"] == in_json
    combined = rows_of(traffic(**options, format="combined").chunks(), "combined")
    assert combined[0]["time"] == in_combined


def test_write(tmp_path: Path) -> None:
    made = traffic(late=0.1)
    path = tmp_path / "access.ndjson"
    tally = made.write(path)
    assert path.read_bytes() == b"".join(made.chunks())
    assert tally.lines == len(lines_of([path.read_bytes()])) == 2000


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"profile": "unreal"}, "profile"),
        ({"format": "xml"}, "format"),
        ({"rate": 0.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": float("inf")}, "rate"),
        ({"count": 0}, "count"),
        ({"rate": 1e-9}, "count"),
        ({"duration_us": -1}, "duration_us"),
        ({"duration_us": MAX_TIME_US}, "duration_us"),
        ({"start_us": -1}, "start_us"),
        ({"clients": 0}, "clients"),
        ({"clients": 1 << 30}, "clients"),
        ({"hosts": 1 << 20}, "hosts"),
        ({"seed": -1}, "seed"),
        ({"late": 1.5}, "late"),
        ({"late": float("nan")}, "late"),
        ({"late_by_us": 0}, "late_by_us"),
        ({"late": 0.5, "duplicates": 0.4, "malformed": 0.2}, "malformed"),
        ({"random_attacks": -1}, "random_attacks"),
    ],
)
def test_wrong_options(options: dict[str, Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        traffic(**options)
    assert caught.value.option == option
