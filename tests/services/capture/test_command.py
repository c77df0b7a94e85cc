"""`tailrace capture` on the loopback interface, and what it wrote read again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sources.captures.test_reading import found, taken

from tailrace.errors import SourceError
from tailrace.sources.live.ring import Ring

pytestmark = [pytest.mark.services, pytest.mark.rights]
PORT = 40_732


@pytest.fixture
def traffic() -> Iterator[None]:
    """Packets from 127.0.0.4, all the time."""
    try:
        Ring((), snaplen=64, buffer_bytes=1 << 21).close()
    except SourceError as error:
        pytest.skip(str(error))
    stop = threading.Event()

    def send() -> None:
        kind = socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as out, socket.socket(socket.AF_INET, kind) as to:
            to.bind(("127.0.0.1", PORT))
            out.bind(("127.0.0.4", 0))
            while not stop.wait(0.01):
                out.sendto(bytes(72), ("127.0.0.1", PORT))

    sender = threading.Thread(target=send)
    sender.start()
    yield
    stop.set()
    sender.join()


def capture(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tailrace.cli.main", "capture", "--source", "127.0.0.4"]
    return subprocess.run(
        [*command, *args], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.usefixtures("traffic")
def test_forms(tmp_path: Path) -> None:
    text = capture("-i", "lo", "--count", "3")
    assert text.returncode == 0, text.stderr
    assert "3 packets captured, 0 dropped by the kernel" in text.stderr
    lines = text.stdout.splitlines()
    assert len(lines) == 3
    assert all(f"127.0.0.1:{PORT}  100" in line and "lo  udp  127.0.0.4:" in line for line in lines)
    rows = [
        json.loads(line) for line in capture("--count", "2", "--form", "json").stdout.splitlines()
    ]
    assert [(row["source"], row["bytes"], row["interface"]) for row in rows] == [
        ("127.0.0.4", 100, "lo")
    ] * 2
    key, value, _ = capture("--count", "1", "--form", "topic").stdout.split()
    assert (key, value) == (r"\0x7f\0x00\0x00\0x04\0x7f\0x00\0x00\0x01", "100")
    path = tmp_path / "x.pcapng"
    assert capture("--duration", "1s", "--out", str(path)).returncode == 0
    packets = [row for chunk in taken(path) for row in found(chunk.records)]
    assert len(packets) > 10
    assert {(row.interface, row.wire) for row in packets} == {("lo", 114)}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-i", "lo0"), "there is no interface 'lo0'"),
        (("--either", "nobody"), "'nobody' is not an IP address"),
        (("--out", "x.pcap", "--append"), "a capture file is one file"),
        (("--key", "a"), "are for --to"),
    ],
)
def test_mistakes(args: tuple[str, ...], said: str) -> None:
    ended = capture(*args)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_right_it_says_how_to_get_it() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give up the right that it has")
    command = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-all", "--reuid", "65534"]
    command += ["--clear-groups", sys.executable, "-m", "tailrace.cli.main", "capture"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 2
    assert "this user may not capture packets (CAP_NET_RAW)" in ended.stderr
    for way in ("sudo", "setcap cap_net_raw=ep", "AmbientCapabilities=CAP_NET_RAW"):
        assert way in ended.stderr
