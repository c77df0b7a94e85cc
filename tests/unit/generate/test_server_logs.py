import json
import uuid
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tailrace.cli.generate import command
from tailrace.generate.options import SECOND_US, OptionError
from tailrace.generate.server_logs import FIELDS, ServerLogs

START_US = 1_619_724_510 * SECOND_US
COUNTRIES = [
    "US",
    "IN",
    "UK",
    "CA",
    "AU",
    "DE",
    "ES",
    "FR",
    "NL",
    "SG",
    "RU",
    "JP",
    "BR",
    "CN",
    "OT",
]
TYPES = [
    "click",
    "purchase",
    "login",
    "log-out",
    "delete-account",
    "create-account",
    "update-settings",
    "other",
]

Row = dict[str, Any]


def made(**options: Any) -> tuple[list[bytes], list[Row]]:
    traffic = ServerLogs(**{"start_us": START_US, "count": 100_000, **options})
    blocks = list(traffic.blocks())
    lines = b"".join(block.lines for block in blocks).splitlines()
    return lines, [json.loads(t) for b in blocks for t in b.truth.splitlines()]


def wrong_fields(row: Row) -> list[str]:
    """The rules of the processor that these logs were made for, written from its description."""
    account = row["account_id"]
    is_number = str(account).isdigit()
    moment = str(row["event_timestamp"])
    wrong = {
        "event_id": len(str(row["event_id"])) != 32,
        "account_id": not is_number or int(account) > 10_000,
        "event_type": row["event_type"] not in TYPES,
        "device": row["device"] not in ("ANDROID", "IOS"),
        "location_country": row["location_country"] not in COUNTRIES,
        "event_timestamp": len(moment) < 10 or "-" in moment,
    }
    return [name for name in FIELDS if row[name] is None or wrong[name]]


def test_the_truth_is_what_the_rules_say() -> None:
    lines, truth = made(known=300)
    for number, (line, told) in enumerate(zip(lines, truth, strict=True), start=1):
        row = json.loads(line)
        assert tuple(row) == FIELDS
        wrong = wrong_fields(row)
        known = not wrong and row["account_id"] <= 300 and row["device"] == "ANDROID"
        status = "bad" if wrong else "good" if known else "suspicious"
        assert told == {"line": number, "status": status, "wrong": wrong}


def test_weights() -> None:
    lines, truth = made()
    rows = [json.loads(line) for line in lines]
    statuses = Counter(told["status"] for told in truth)
    assert abs(statuses["bad"] / len(rows) - 0.055) < 0.004
    assert abs(statuses["good"] / len(rows) - 0.009) < 0.002
    devices = Counter(row["device"] for row in rows)
    assert abs(devices["IOS"] / (devices["IOS"] + devices["ANDROID"]) - 0.074) < 0.005
    for name, right in (("event_type", TYPES), ("location_country", COUNTRIES)):
        counts = Counter(row[name] for row in rows)
        even = len(rows) / len(right)
        assert all(abs(counts[value] - even) < 0.1 * even for value in right)
    for name, values in (
        ("event_id", ["N/A", None, 0]),
        ("event_type", ["N/A", None, "---", 0]),
        ("device", [None, "unknown"]),
        ("location_country", ["N/A", None, "unknown", 0]),
        ("event_timestamp", ["N/A", None, 0]),
        ("account_id", ["N/A", None]),
    ):
        counts = Counter(row[name] for row in rows)
        for value in values:
            assert 0.001 < counts[value] / len(rows) < 0.014
    accounts = [row["account_id"] for row in rows if isinstance(row["account_id"], int)]
    high = [account for account in accounts if account > 1000]
    assert all(10_001 <= account <= 100_000 for account in high)
    assert 0.001 < len(high) / len(rows) < 0.004


def test_event_ids_are_uuids_of_their_time() -> None:
    lines, _ = made(errors=0, count=5000, rate=50_000)
    rows = [json.loads(line) for line in lines]
    ids = [uuid.UUID(hex=row["event_id"]) for row in rows]
    assert len(set(ids)) == len(ids)
    assert {each.version for each in ids} == {1}
    for each, row in zip(ids, rows, strict=True):
        assert (each.time - 0x01B21DD213814000) // 10**7 == row["event_timestamp"]


@pytest.mark.parametrize("fault", ["late", "duplicates", "malformed"])
def test_faults(fault: str) -> None:
    lines, truth = made(**{fault: 0.2}, errors=0, count=20_000, rate=10.0, known=1000)
    times, repeats, broken = [], 0, 0
    last = b""
    for line, told in zip(lines, truth, strict=True):
        try:
            times.append(json.loads(line)["event_timestamp"])
        except ValueError:
            broken += 1
            assert told["status"] == "bad"
            continue
        repeats += line == last
        last = line
    late = sum(later < earlier for earlier, later in pairwise(times))
    shares = {"late": late, "duplicates": repeats, "malformed": broken}
    assert 0.1 < shares.pop(fault) / len(lines) < 0.25
    assert not any(shares.values())


def test_same_seed_same_bytes() -> None:
    assert made(seed=4, late=0.1, malformed=0.1) == made(seed=4, late=0.1, malformed=0.1)
    assert made(seed=4)[0] != made(seed=5)[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"errors": -1}, "not a number from 0 to 10"),
        ({"known": 1001}, "from 0 to 1000"),
        ({"rate": 0}, "not a number above 0"),
        ({"seed": -1}, "below 0"),
    ],
)
def test_mistakes(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        ServerLogs(**options)


def test_command(tmp_path: Path) -> None:
    out, truth, users = (tmp_path / name for name in ("logs", "truth", "users.csv"))
    args = ["--count", "50", "--rate", "1000", "--real-time", "--known", "3", "--out", str(out)]
    args += ["--truth", str(truth), "--users", str(users), "--start", "2021-04-29T19:28:30Z"]
    result = CliRunner().invoke(command, ["server-logs", *args])
    assert result.exit_code == 0, result.output
    lines = out.read_bytes().splitlines()
    assert len(lines) == len(truth.read_bytes().splitlines()) == 50
    assert users.read_text() == "account_id,device\n1,ANDROID\n2,ANDROID\n3,ANDROID\n"
    expected = ServerLogs(count=50, rate=1000, known=3, start_us=START_US).chunks()
    assert b"".join(expected) == out.read_bytes()
