"""What the logs say, worked out in plain Python that knows nothing of Tailrace."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

Event = dict[str, Any]
Windows = dict[tuple[Any, int], list[Event]]

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUOTED = r'"((?:[^"\\]|\\.)*)"'
COMBINED = re.compile(rf"(\S+) - (\S+) \[([^]]+)\] {QUOTED} (\d+) (\d+) {QUOTED} {QUOTED}")
ESCAPED = re.compile(rb"\\x([0-9A-F]{2})")
OWN = re.compile(rf"(\S+)@(\S*) \[([^]]+)\] {QUOTED} (\d+) (\d+)b in ([\d.]+)s by {QUOTED}")


def json_events(lines: Iterable[bytes]) -> tuple[list[Event], int]:
    """Events, and the number of lines that are no UTF-8."""
    events, dead = [], 0
    for line in lines:
        try:
            row = json.loads(line.decode())
        except UnicodeDecodeError:
            dead += 1
            continue
        words = row["request"].split(" ")
        event = {
            "time": int(row["@timestamp"].replace(".", "")) * 1000,
            "client_ip": row["client_ip"],
            "host": row["host"],
            "status": int(row["status"]),
            "bytes": int(row["bytes"]),
            "ms": int(row["request_time"].replace(".", "")),
            "path": words[1] if len(words) > 1 else "",
        }
        events.append(event)
    return events, dead


def combined_events(lines: Iterable[bytes]) -> list[Event]:
    events = []
    for line in lines:
        found = COMBINED.fullmatch(line.decode())
        assert found, line
        client, _, time, request, status, size, _, _ = found.groups()
        event = {
            "time": micros(datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z")),
            "client_ip": client,
            "request": unescaped(request),
            "status": int(status),
            "bytes": int(size),
        }
        events.append(event)
    return events


def own_events(lines: Iterable[bytes]) -> list[Event]:
    events = []
    for line in lines:
        found = OWN.fullmatch(line.decode())
        assert found, line
        client, host, time, _, status, size, took, agent = found.groups()
        event = {
            "time": micros(datetime.fromisoformat(time)),
            "client_ip": client,
            "host": host,
            "status": int(status),
            "bytes": int(size),
            "ms": int(took.replace(".", "")),
            "agent": unescaped(agent),
        }
        events.append(event)
    return events


def unescaped(text: str) -> str:
    """Undo what nginx escaped, unless that would be no UTF-8."""
    try:
        return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text.encode()).decode()
    except UnicodeDecodeError:
        return text


def windows(events: Iterable[Event], key: Callable[[Event], Any], size: int, every: int) -> Windows:
    """The events of each (key, start of a window); sizes in microseconds."""
    found: Windows = defaultdict(list)
    for event in events:
        of, last = key(event), event["time"] // every * every
        for start in range(last, event["time"] - size, -every):
            found[of, start].append(event)
    return found


def incidents(starts: Iterable[int], size: int, every: int) -> list[tuple[int, int]]:
    """(opened, resolved) of the runs of windows that follow each other without a gap."""
    runs: list[tuple[int, int]] = []
    for end in sorted(start + size for start in starts):
        if runs and runs[-1][1] == end:
            runs[-1] = (runs[-1][0], end + every)
        else:
            runs.append((end, end + every))
    return runs


def mean_seconds(events: list[Event]) -> float:
    milliseconds: int = sum(event["ms"] for event in events)
    return milliseconds * 1_000_000 / (len(events) * 1_000_000_000)


def micros(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


def iso(time: int) -> str:
    """As the rows write it: milliseconds, and Z."""
    text = (EPOCH + timedelta(microseconds=time)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def window(start: int, size: int) -> dict[str, str]:
    return {"start": iso(start), "end": iso(start + size)}
