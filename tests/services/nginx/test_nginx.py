"""A real nginx under load, its logs followed while it writes them and while they are rotated.

One story, told once; then each test compares what Tailrace wrote with what `plain` makes of the
log files. nginx writes three logs of the same requests: JSON and a format of its own, rotated by
renaming twice in the middle of the load, and `combined`, copied and truncated in a pause.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.services.nginx import load, plain
from tests.services.nginx.follower import Follower, following, tailrace
from tests.services.nginx.plain import SECOND, Event, iso
from tests.services.nginx.server import Nginx, program, running, stop, wait_until

Row = dict[str, Any]
FLOODS = ("203.0.113.9", "127.0.0.9")
SCANNER = "203.0.113.66"
GUESSER = "203.0.113.5"
FAILING = "api_2.example.com"


@dataclass(frozen=True, slots=True)
class Story:
    """What was logged in the end, and who followed."""

    lines: list[bytes]
    json: list[Event]
    dead: int
    combined: list[Event]
    own: list[Event]
    followers: dict[str, Follower]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    program("wrk")
    logs, folder = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("followers")
    with ExitStack() as stack:
        nginx = stack.enter_context(running(logs))
        with load.wrk(nginx, seconds=3):
            load.requests(nginx, ["/before/anybody/follows"] * 5)
            followers = {
                name: stack.enter_context(following(name, logs, folder / name))
                for name in ("as_json", "combined", "own_format")
            }
            attack(nginx)
            nginx.rotate("json", "own")
        for data in load.HOSTILE:
            load.raw(nginx, data)
        nginx.copy_and_truncate("combined")
        with load.wrk(nginx, seconds=2, path="/api/x"):
            attack(nginx)
            nginx.rotate("json", "own")
        load.requests(nginx, ["/the/last/one"])
        stop(nginx)
        events, dead = plain.json_events(nginx.lines("json"))
        yield Story(
            nginx.lines("json"),
            events,
            dead,
            plain.combined_events(nginx.lines("combined")),
            plain.own_events(nginx.lines("own")),
            followers,
        )


def attack(nginx: Nginx) -> None:
    """Several people do no good at the same time."""
    forwarded, direct = FLOODS
    things = [f"/things/{number}.php" for number in range(60)]
    pages = ["/broken/page", "/api/page", "/busy/page"] * 30
    with ThreadPoolExecutor() as pool:
        done = [
            pool.submit(load.requests, nginx, ["/api/x"] * 150, forwarded_for=forwarded),
            pool.submit(load.requests, nginx, ["/api/y"] * 150, source=direct),
            pool.submit(load.requests, nginx, pages, host=FAILING),
            pool.submit(load.requests, nginx, things, forwarded_for=SCANNER),
            pool.submit(
                load.requests, nginx, ["/login"] * 30, method="POST", forwarded_for=GUESSER
            ),
        ]
    for each in done:
        each.result()


def written(
    follower: Follower,
    output: str,
    expected: list[Row],
    meant: Callable[[Row], bool] = lambda _: True,
) -> None:
    """Wait until an output has as many rows as expected; those meant must be the same."""

    def rows() -> list[Row]:
        return [row for row in follower.rows(output) if meant(row)]

    with suppress(AssertionError):  # the comparison says more
        wait_until(lambda: len(rows()) >= len(expected), 120, output)
    assert in_order(rows()) == in_order(expected)


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=repr)


def fired(
    events: list[Event],
    key: str,
    size: int,
    every: int,
    judge: Callable[[list[Event]], Row | None],
) -> list[Row]:
    """Rows of the windows for which `judge` gives measures."""
    return [
        {"window": plain.window(start, size), key: of, **measures}
        for (of, start), inside in plain.windows(events, lambda e: e[key], size, every).items()
        if (measures := judge(inside)) is not None
    ]


def flood(events: list[Event]) -> list[Row]:
    def judge(inside: list[Event]) -> Row | None:
        return {"count": len(inside)} if len(inside) > 100 else None

    return fired(events, "client_ip", 3 * SECOND, SECOND, judge)


def failing(events: list[Event]) -> list[Row]:
    def judge(inside: list[Event]) -> Row | None:
        failed = sum(event["status"] >= 500 for event in inside)
        if len(inside) < 20 or not failed / len(inside) > 0.3:
            return None
        return {"requests": len(inside), "failed": failed}

    return fired(events, "host", 2 * SECOND, SECOND // 2, judge)


def scanner(events: list[Event]) -> list[Row]:
    def judge(inside: list[Event]) -> Row | None:
        paths = len({event["path"] for event in inside})
        return {"paths": paths} if paths > 30 else None

    missing = [event for event in events if event["status"] == 404]
    return fired(missing, "client_ip", 4 * SECOND, 2 * SECOND, judge)


ALERTS = {
    "flood": ("client_ip", 3 * SECOND, SECOND, flood, {*FLOODS, "127.0.0.1"}),
    "failing": ("host", 2 * SECOND, SECOND // 2, failing, {FAILING}),
    "scanner": ("client_ip", 4 * SECOND, 2 * SECOND, scanner, {SCANNER}),
}
"""By rule: key, size, every, the rows of its windows, and whom it must have found."""


@pytest.mark.parametrize("rule", ALERTS)
def test_windows_that_fire(story: Story, rule: str) -> None:
    key, _, _, rows, culprits = ALERTS[rule]
    expected = rows(story.json)
    assert {row[key] for row in expected} >= culprits
    written(story.followers["as_json"], rule, expected)


def test_incidents(story: Story) -> None:
    expected: list[tuple[object, ...]] = []
    for rule, (key, size, every, rows, _) in ALERTS.items():
        starts: dict[str, set[str]] = {}
        for row in rows(story.json):
            starts.setdefault(row[key], set()).add(row["window"]["start"])
        known = {iso(start): start for start in starts_of(story.json, size, every)}
        for of, texts in starts.items():
            for opened, resolved in plain.incidents((known[t] for t in texts), size, every):
                expected.append((rule, of, "opened", iso(opened), None))
                expected.append((rule, of, "resolved", iso(opened), iso(resolved)))

    def revisions() -> list[tuple[object, ...]]:
        return sorted(
            (row["rule"], *row["key"].values(), row["reason"], row["opened_at"], row["resolved_at"])
            for row in story.followers["as_json"].rows("incidents")
            if "reason" in row
        )

    wait_until(lambda: len(revisions()) >= len(expected), 120, "incidents")
    assert revisions() == sorted(expected)


def starts_of(events: list[Event], size: int, every: int) -> set[int]:
    return {start for _, start in plain.windows(events, lambda _: None, size, every)}


def test_rows_of_hosts(story: Story) -> None:
    every = plain.windows(story.json, lambda event: event["host"], 5 * SECOND, 5 * SECOND)
    expected = [
        {
            "window": plain.window(start, 5 * SECOND),
            "host": host,
            "requests": len(inside),
            "bytes": sum(event["bytes"] for event in inside),
            "slowest": max(event["ms"] for event in inside) / 1000,
            "mean": plain.mean_seconds(inside),
            "p90": nearest_rank(inside, 90) / 1000,
        }
        for (host, start), inside in every.items()
    ]
    follower = story.followers["as_json"]
    wait_until(lambda: len(follower.rows("hosts")) >= len(expected), 120, "rows of hosts")
    rows = follower.rows("hosts")
    close = [(row.pop("p90"), wanted.pop("p90")) for row, wanted in pairs(rows, expected)]
    assert in_order(rows) == in_order(expected)
    assert [quantile for quantile, _ in close] == [
        pytest.approx(exact, rel=0.01) for _, exact in close
    ]


def pairs(rows: list[Row], expected: list[Row]) -> list[tuple[Row, Row]]:
    def place(row: Row) -> tuple[str, str]:
        return row["host"], row["window"]["start"]

    return list(zip(sorted(rows, key=place), sorted(expected, key=place), strict=True))


def nearest_rank(events: list[Event], percent: int) -> int:
    ordered = sorted(event["ms"] for event in events)
    found: int = ordered[-(-percent * len(ordered) // 100) - 1]
    return found


def test_every_event_is_archived(story: Story) -> None:
    follower = story.followers["as_json"]
    expected = Counter(
        (event["client_ip"], event["host"], event["status"], event["time"]) for event in story.json
    )
    query = (
        'SELECT client_ip, host, status, epoch_us("@timestamp") '
        f"FROM read_parquet('{follower.folder}/raw/*.parquet')"
    )

    def archived() -> list[tuple[object, ...]]:
        if not any((follower.folder / "raw").glob("*.parquet")):
            return []
        return duckdb.connect().execute(query).fetchall()

    wait_until(lambda: len(archived()) >= len(story.json), 120, "the archive")
    assert Counter(archived()) == expected


def test_the_same_log_read_again(story: Story, tmp_path: Path) -> None:
    """What was found live is found in the finished log too, byte for byte."""
    follower = story.followers["as_json"]
    (tmp_path / "json.log").write_bytes(b"".join(line + b"\n" for line in story.lines))
    tailrace("run", follower.pipeline, tmp_path, tmp_path, "--set", "source.file.follow=false")
    for output in (*ALERTS, "hosts"):
        written(follower, output, replace(follower, folder=tmp_path).rows(output))
        live, again = (folder / f"{output}.ndjson" for folder in (follower.folder, tmp_path))
        assert sorted(again.read_bytes().split(b"\n")) == sorted(live.read_bytes().split(b"\n"))


def test_combined(story: Story) -> None:
    follower = story.followers["combined"]
    events = story.combined
    by_start = {
        start: inside
        for (_, start), inside in plain.windows(
            events, lambda _: None, 2 * SECOND, 2 * SECOND
        ).items()
    }
    traffic = [
        {
            "window": plain.window(start, 2 * SECOND),
            "requests": len(inside),
            "failed": sum(event["status"] >= 500 for event in inside),
            "bytes": sum(event["bytes"] for event in inside) if inside else None,
        }
        for start in range(min(by_start), max(by_start) + 1, 2 * SECOND)
        for inside in [by_start.get(start, [])]  # without a key, silence has windows too
    ]
    guesses = [e for e in events if e["request"].startswith("POST /login") and e["status"] == 401]
    passwords = fired(
        guesses,
        "client_ip",
        4 * SECOND,
        SECOND,
        lambda inside: {"count": len(inside)} if len(inside) > 15 else None,
    )
    nonsense = Counter(
        (event["request"], event["client_ip"]) for event in events if event["status"] == 400
    )
    assert {row["client_ip"] for row in passwords} == {GUESSER}
    assert nonsense
    last = traffic[-1]["window"]["start"]
    written(follower, "traffic", traffic, lambda row: row["window"]["start"] <= last)
    written(follower, "passwords", passwords)
    found = [row["fields"] for row in follower.rows("nonsense")]
    assert Counter((row["request"], row["client_ip"]) for row in found) == nonsense


def test_a_format_of_its_own(story: Story) -> None:
    follower = story.followers["own_format"]
    known = [event for event in story.own if event["host"] != "-"]  # nginx's way to say: nothing
    size = 5 * SECOND
    answers = [
        {
            "window": plain.window(start, size),
            "host": host,
            "status": status,
            "requests": len(inside),
            "bytes": sum(event["bytes"] for event in inside),
            "mean": plain.mean_seconds(inside),
        }
        for ((host, status), start), inside in plain.windows(
            known, lambda event: (event["host"], event["status"]), size, size
        ).items()
    ]
    agents = fired(
        [event for event in story.own if event["agent"] != "-"],
        "agent",
        4 * SECOND,
        2 * SECOND,
        lambda inside: {
            "clients": len({event["client_ip"] for event in inside}),
            "requests": len(inside),
        },
    )
    written(follower, "answers", answers)
    written(follower, "agents", agents)


@pytest.mark.parametrize("name", ["as_json", "combined", "own_format"])
def test_counts(story: Story, name: str) -> None:
    """Last, for nobody follows any more afterwards."""
    follower = story.followers[name]
    events = {"as_json": story.json, "combined": story.combined, "own_format": story.own}[name]
    dead = story.dead if name == "as_json" else 0
    assert story.dead > 0
    for state in ("running", "stopped"):
        status = follower.status()
        counts = {each: status[each] for each in ("read", "events", "dead", "blank")}
        assert counts == {
            "read": len(events) + dead,
            "events": len(events),
            "dead": dead,
            "blank": 0,
        }, state
        assert {rule["late"] for rule in status["rules"]} == {0}
        if state == "running":
            assert follower.stop() == 0, (follower.folder / "stderr.txt").read_text()
