"""Servers of the tests end with whoever started them, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.servers.installed import Missing, program
from tests.servers.process import end_of, ended
from tests.servers.redis import Redis

ROOT = Path(__file__).parents[3]
OWNER = """
from tests.servers.redis import Redis
server = Redis()
server.start()
if killed:
    server.kill()
    print(server.folder, flush=True)
else:
    print(server.folder, server.pid, flush=True)
input()
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, None], ids=str)
@pytest.mark.parametrize("dead", [False, True], ids=["alive", "dead"])
def test_nothing_is_left_behind(sent: signal.Signals | None, *, dead: bool) -> None:
    try:
        program("redis-server", "redis-server")
    except Missing as missing:
        pytest.skip(str(missing))
    with subprocess.Popen(
        [sys.executable, "-c", f"killed = {dead}\n{OWNER}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder, *pid = owner.stdout.readline().split()
        assert Path(folder).exists()
        end = end_of(int(pid[0])) if pid else None
        if sent is None:
            owner.communicate("\n")  # ends by itself, without a word to its server
        else:
            owner.send_signal(sent)
        owner.wait(60)
    if not dead:
        assert end is not None
        assert ended(end, 60)
        os.close(end)
    deadline = time.monotonic() + 60
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(folder).exists()


def test_services_for_a_person(redis: Redis) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.servers", "redis"],
        cwd=ROOT,
        env={**os.environ, "TAILRACE_REDIS": ""},
        stdout=subprocess.PIPE,
        text=True,
    ) as services:
        assert services.stdout is not None
        variable, _, url = services.stdout.readline().strip().partition("=")
        assert variable == "export TAILRACE_REDIS"
        assert url != redis.url
        assert Redis(given=url).answers()
        services.send_signal(signal.SIGINT)
        assert services.wait(60) == 0
    assert not Redis(given=url).answers()


def test_services_have_names() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers", "rediss"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "no such server: rediss; there are kafka, opensearch, redis, postgresql, mariadb\n",
    )
