"""A whole pipeline into Redis: killed at random moments, refused, locked out; as if undisturbed."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.disturbed import EARLY, traffic
from tests.servers.redis import Redis
from tests.services.processes import Running

from tailrace.store.store import Store

if TYPE_CHECKING:
    from tests.services.conftest import Fresh

pytestmark = pytest.mark.services

PIPELINE = """\
name: web
source: {file: {path: LOG, follow: true}}
time: {field: "@timestamp", grace: 2s, idle_after: 1h}
fields: {client_ip: text, host: text, status: integer, request_time: double}
rules:
  - alert: flood
    by: client_ip
    window: 10s every 1s
    when: count(*) > 60
    keep_firing_for: 3s
    update_every: 4s
    to: [open, stream]
  - record: latency
    by: host
    window: 7s
    select: {mean: avg(request_time), n: count(*)}
    to: [last, all, hosts]
  - {alert: slow, when: request_time > 2, to: [slow]}
archive: {to: [events]}
outputs:
  open: {redis: {url: "URL", key: "incident:{fingerprint}", type: hash, on_resolved: delete}}
  stream: {redis: {url: "URL", key: incidents, type: stream, value: "{state} {id}"}}
  last: {redis: {url: "URL", key: "latency:{host}", value: "{mean}"}, rows: windows}
  all: {redis: {url: "URL", key: "rows:{host}", type: list}, rows: windows}
  hosts: {redis: {url: "URL", key: hosts, type: set, value: "{host}"}, rows: windows}
  slow: {redis: {url: "URL", key: slow, type: list, value: "{id}"}}
  events: {redis: {url: "URL", key: "events", type: list, value: "{id} {client_ip}"}}
store: {path: s.duckdb}
"""


def contents(redis: Redis) -> dict[str, Any]:
    """Everything but the markers; early notices, which may or may not come, aside."""
    client: Any = redis.client
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "set": lambda key: sorted(client.smembers(key)),
        "list": lambda key: client.lrange(key, 0, -1),
        "stream": lambda key: [fields for _, fields in client.xrange(key)],
    }
    found = {
        key: read[client.type(key)](key)
        for key in sorted(client.keys("*"))
        if not key.startswith("tailrace:")
    }
    told = found.get("incidents", [])
    found["incidents"] = [one for one in told if not one["value"].startswith("notice ")]
    for value in found.values():
        if isinstance(value, dict):
            # Which notices there were before it.
            value.pop("notices", None)
    return {
        key: value
        for key, value in found.items()
        if not (isinstance(value, dict) and value.get("state") == "notice")
    }


def undisturbed(folder: Path, log: Path, redis: Redis) -> dict[str, Any]:
    redis.client.flushall()
    run = Running(folder, PIPELINE.replace("LOG", str(log)).replace("URL", redis.url))
    run.finish()
    return contents(redis)


@pytest.mark.parametrize(
    ("most", "count"), [(3, 6000), pytest.param(40, 60_000, marks=pytest.mark.soak)]
)
def test_everybody_is_killed_at_any_moment(
    redis: Redis, tmp_path: Path, most: int, count: int
) -> None:
    whole = traffic(3, count, EARLY)
    redis.client.flushall()
    log = tmp_path / "log.ndjson"
    log.touch()
    run = Running(tmp_path / "killed", PIPELINE.replace("LOG", str(log)).replace("URL", redis.url))
    chance = random.Random(7)
    try:
        run.start()
        # The first start asks the server.
        run.eventually(lambda: bool(redis.client.keys("tailrace:*")) or written(log, whole, chance))
        for _ in range(most):
            written(log, whole, chance)
            time.sleep(chance.uniform(0.0, 0.5))
            if chance.random() < 0.5:
                redis.kill()
                time.sleep(chance.uniform(0.0, 0.3))
                if chance.random() < 0.5:
                    run.kill()
                    run.start()
                redis.start()
            else:
                run.kill()
                run.start()
        with log.open("ab") as file:
            file.write(whole[log.stat().st_size :])
        run.kill()
        run.finish()
    finally:
        run.end()
    found = contents(redis)
    expected = undisturbed(tmp_path / "plain", log, redis)
    assert len(expected["events"]) > count * 0.9
    assert expected["slow"]
    assert expected["incidents"]
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == value, key


def written(log: Path, whole: bytes, chance: random.Random) -> bool:
    """Append some more of the log; False, so that a condition stays unmet."""
    at = log.stat().st_size
    with log.open("ab") as file:
        file.write(whole[at : at + chance.randrange(1, len(whole) // 6)])
    return False


def test_an_outbox_fills_and_drains(redis: Redis, tmp_path: Path) -> None:
    """The server is away for longer than the outbox has room: reading waits, nothing is lost."""
    redis.client.flushall()
    log = tmp_path / "log.ndjson"
    log.write_bytes(b"")
    text = PIPELINE.replace("LOG", str(log)).replace("URL", redis.url)
    run = Running(tmp_path / "run", text + "outbox: {max_bytes: 1MiB}\n")
    whole = traffic(3, 14_000, EARLY)
    lines = whole.splitlines(keepends=True)
    try:
        run.start()
        with log.open("ab") as file:
            file.writelines(lines[:2000])
            file.flush()
            run.eventually(lambda: int(redis.client.llen("events")) > 0)
            redis.kill()
            file.writelines(lines[2000:])
        time.sleep(1.5)
        redis.start()
        run.eventually(lambda: int(redis.client.llen("events")) >= len(lines) * 0.9)
        run.stop()
        run.finish()
    finally:
        run.end()
    found = contents(redis)
    assert found == undisturbed(tmp_path / "plain", log, redis)


def test_refused_rows_are_kept(redis: Redis, tmp_path: Path) -> None:
    redis.client.flushall()
    redis.client.set("slow", "taken by somebody")
    log = tmp_path / "log.ndjson"
    log.write_bytes(traffic(3, 4000, EARLY))
    run = Running(tmp_path / "run", PIPELINE.replace("LOG", str(log)).replace("URL", redis.url))
    run.finish()
    store = Store.open(run.folder / "s.duckdb", "web")
    try:
        refused = store.query("select output, reason, body from refused").to_pylist()
    finally:
        store.close()
    assert len(refused) > 10
    assert {row["output"] for row in refused} == {"slow"}
    assert all(row["reason"].startswith("WRONGTYPE") for row in refused)
    assert all(row["body"].startswith("{") for row in refused)
    assert redis.client.get("slow") == "taken by somebody"


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path, fresh: Fresh[Redis]) -> None:
    locked = fresh(Redis(password="right-one"))  # noqa: S106 - of this server alone
    log = tmp_path / "log.ndjson"
    log.touch()
    url = locked.url.replace("right-one", "wrong-one")
    run = Running(tmp_path / "run", PIPELINE.replace("LOG", str(log)).replace("URL", url))
    run.start()
    assert run.process is not None
    assert run.process.wait(120) == 2
    assert "check 'username' and 'password'" in run.log
    assert "wrong-one" not in run.log
    assert "Traceback" not in run.log
