"""Lists of verdicts in Redis: a key of each offender, which lives for the rest of its time."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.services.processes import Running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.redis import Redis

pytestmark = pytest.mark.services

PIPELINE = """\
name: bots
source: {file: {path: LOG, follow: true}}
time: {field: t, grace: 0s}
fields: {ip: text}
rules:
  - {alert: flood, by: ip, window: 10s, when: count(*) >= 3}
verdicts:
  bots: {from: [flood], for: 10m, to: [keys, hashes, all]}
outputs:
  keys: {redis: {url: "URL", key: "bot_{ip}", value: "{state}: {reasons} {firings}"}}
  hashes: {redis: {url: "URL", key: "verdict:{ip}", type: hash}}
  all: {redis: {url: "URL", key: bots, type: set, value: "{ip}"}}
store: {path: s.duckdb}
"""


def flood(ip: str, at: int) -> str:
    return "".join(json.dumps({"t": at + second, "ip": ip}) + "\n" for second in range(3))


def later(at: int) -> str:
    return json.dumps({"t": at, "ip": "somebody"}) + "\n"


def test_a_key_lives_as_long_as_the_verdict(redis: Redis, tmp_path: Path) -> None:
    client: Any = redis.client
    client.flushall()
    now = int(time.time()) // 10 * 10
    log = tmp_path / "log.ndjson"
    # One who is free again by the clock, too; one whose time runs.
    log.write_text(flood("10.0.0.1", now - 3600) + flood("10.0.0.2", now - 60) + later(now - 40))
    run = Running(tmp_path / "run", PIPELINE.replace("LOG", str(log)).replace("URL", redis.url))
    try:
        run.start()
        run.eventually(lambda: client.exists("bot_10.0.0.2") == 1)
        run.eventually(lambda: client.smembers("bots") == {"10.0.0.2"})
        assert client.get("bot_10.0.0.2") == "listed: flood 1"
        until = now - 50 + 600
        for name in "bot_10.0.0.2", "verdict:10.0.0.2":
            assert client.execute_command("PEXPIRETIME", name) == until * 1000
        kept = client.hgetall("verdict:10.0.0.2")
        assert (kept["state"], kept["live"], kept["count"]) == ("listed", "true", "1")
        assert client.keys("*10.0.0.1*") == []
        # Event time passes its end: it is expired, wherever the clock is.
        with log.open("a") as more:
            more.write(later(now + 600))
        run.eventually(lambda: client.keys("*10.0.0.2*") == [])
        run.eventually(lambda: client.exists("bots") == 0)
        assert run.stop() == 0
    finally:
        run.end()
