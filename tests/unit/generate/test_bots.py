import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tailrace.cli.generate import command
from tailrace.generate.bots import BotTraffic
from tailrace.generate.options import SECOND_US, OptionError

START_US = 1_500_000_000 * SECOND_US

Row = dict[str, Any]


def rows(**options: Any) -> list[Row]:
    traffic = BotTraffic(**{"start_us": START_US, "duration_us": 60 * SECOND_US, **options})
    return [json.loads(line) for line in b"".join(traffic.chunks()).splitlines()]


def is_bot(row: Row) -> bool:
    return bool(row["ip"].startswith("172.20."))


def test_same_seed_same_bytes() -> None:
    options: dict[str, Any] = {
        "start_us": START_US,
        "late": 0.1,
        "duplicates": 0.1,
        "malformed": 0.1,
    }
    once, again, other = (b"".join(BotTraffic(**options, seed=seed).chunks()) for seed in (1, 1, 2))
    assert once == again != other


def test_a_second_has_so_many_users_and_an_even_one_all_bots() -> None:
    made = rows(bots=3, users=50, freq=20)
    assert [row["unix_time"] for row in made] == sorted(row["unix_time"] for row in made)
    for second in range(1_500_000_000, 1_500_000_060):
        now = [row for row in made if row["unix_time"] == second]
        users = [row["ip"] for row in now if not is_bot(row)]
        assert len(users) == len(set(users)) == 20
        bots = [row["ip"] for row in now if is_bot(row)]
        assert bots == ([] if second % 2 else ["172.20.0.0", "172.20.0.1", "172.20.0.2"])


def test_what_users_and_bots_do() -> None:
    made = rows(bots=300, users=1000, freq=300, duration_us=200 * SECOND_US)
    for bot, categories, clicks in (
        (False, range(1000, 1010), 0.25),
        (True, range(1000, 1020), 0.75),
    ):
        mine = [row for row in made if is_bot(row) is bot]
        counts = Counter(row["category_id"] for row in mine)
        assert set(counts) == set(categories)
        even = len(mine) / len(categories)
        assert all(abs(count - even) < 0.1 * even for count in counts.values())
        share = sum(row["type"] == "click" for row in mine) / len(mine)
        assert abs(share - clicks) < 0.02
        assert {row["type"] for row in mine} == {"click", "view"}


def test_addresses_as_botgen_numbers_them() -> None:
    made = rows(bots=600, users=600, freq=600, duration_us=2 * SECOND_US)
    for prefix in ("172.10", "172.20"):
        expected = {f"{prefix}.{number // 255}.{number % 255}" for number in range(600)}
        assert {row["ip"] for row in made if row["ip"].startswith(prefix)} == expected


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"late": 0.2, "late_by_us": 5 * SECOND_US}, "late"),
        ({"duplicates": 0.2}, "duplicates"),
    ],
)
def test_late_and_duplicates(fault: dict[str, Any], told: str) -> None:
    made = rows(bots=5, **fault)
    assert len(made) == len(rows(bots=5))
    highest, late = 0, 0
    for row in made:
        late += row["unix_time"] < highest
        highest = max(highest, row["unix_time"])
        assert row["unix_time"] > highest - 6
    repeats = sum(earlier == later for earlier, later in pairwise(made))
    share = {"late": late, "duplicates": repeats}
    assert 0.1 < share.pop(told) / len(made) < 0.25
    assert list(share.values()) == [0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"freq": 11, "users": 10}, "11 users a second, but there are 10"),
        ({"bots": 65_281}, "more than 65280"),
        ({"bots": 0, "freq": 0}, "nobody"),
        ({"bots": -1}, "-1 is below 0"),
        ({"duration_us": 0}, "not a number above 0"),
        ({"late": 0.6, "malformed": 0.6}, "together above 1"),
    ],
)
def test_mistakes(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        BotTraffic(**options)


def run(*args: str) -> str:
    result = CliRunner().invoke(command, ["bots", "--start", "1500000000", *args])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_array_of_botgen(tmp_path: Path) -> None:
    path, truth = tmp_path / "logs.json", tmp_path / "truth.ndjson"
    args = ("-b", "2", "-u", "20", "-n", "10", "-d", "30")
    assert run(*args, "-f", str(path), "--truth", str(truth)) == ""
    text = path.read_text()
    lines = text.splitlines()
    assert lines[0].startswith("[{")
    assert all(line.endswith("},") for line in lines[:-1])
    assert lines[-1].endswith("}]")
    expected = [json.loads(line) for line in run(*args).splitlines()]
    assert json.loads(text) == expected
    *known, summary = [json.loads(line) for line in truth.read_text().splitlines()]
    assert summary["lines"] == len(expected) == 330
    assert {row["ip"]: is_bot(row) for row in expected}.items() <= {
        each["ip"]: each["is_bot"] for each in known
    }.items()
    assert len(known) == 22


def test_real_time_gives_the_same_array(tmp_path: Path) -> None:
    args = ("-n", "5", "-d", "1", "--late", "0.5")
    for name, more in (("at-once", ()), ("paced", ("--real-time",))):
        run(*args, *more, "-f", str(tmp_path / name))
    assert (tmp_path / "at-once").read_bytes() == (tmp_path / "paced").read_bytes()


def test_one_place_only() -> None:
    result = CliRunner().invoke(command, ["bots", "-f", "a.json", "--out", "b.json"])
    assert result.exit_code == 2
    assert "-f names the file" in result.output
