"""Interfaces that go down, come back, or are replaced, in a network of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

pytestmark = [pytest.mark.services, pytest.mark.rights]

PROLOGUE = """
import fcntl, json, os, socket, struct, time
from tailrace.config import CaptureSource
from tailrace.sources.live.source import CapturedPackets

FRAME = bytes(12) + bytes.fromhex("88b5") + bytes(60)  # of an experiment's own protocol

def switch(name, up):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, 0x8914, struct.pack("16sH22x", name.encode(), int(up)))

def tap(name):
    made = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(made, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))
    switch(name, True)
    return made

def opened(*names):
    found = CapturedPackets(CaptureSource(interfaces=names), captures=True)
    found.open({})
    return found

def seen(source, done):
    told = {"waits": 0, "packets": 0, "confirmed": 0, "notes": []}
    until = time.monotonic() + 120
    while not done(told) and time.monotonic() < until:
        source.wait(0.25)
        poll = source.poll(1 << 20, {})
        told["waits"] += 1
        for chunk in poll.chunks:
            told["packets"] += bytes(chunk.records.data).count(FRAME)
        told["confirmed"] += bool(poll.at_end)
        told["notes"] += [[note.code, note.text] for note in poll.notes]
    told["trouble"] = getattr(source.trouble(), "reason", None)
    return told
"""


def scene(text: str) -> list[dict[str, Any]]:
    """What a script prints that runs where there is only a network of its own."""
    unshare = shutil.which("unshare")
    alone = [str(unshare), "--map-root-user", "--net"]
    usable = unshare is not None and os.access("/dev/net/tun", os.R_OK | os.W_OK)
    if not usable or subprocess.run([*alone, "true"], check=False).returncode:
        message = "no network of its own can be made (unshare, /dev/net/tun)"
        pytest.skip(message)
    script = [*alone, sys.executable, "-c", PROLOGUE + text]
    ran = subprocess.run(script, check=True, capture_output=True, text=True, timeout=200)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def codes(told: dict[str, Any]) -> list[str]:
    return [code for code, _ in told["notes"]]


def test_an_interface_that_goes_down_and_up() -> None:
    before, down, up, after = scene("""
made = tap("d0")
source = opened("d0")
os.write(made, FRAME)
print(json.dumps(seen(source, lambda told: told["packets"])))
switch("d0", False)
begun = time.monotonic()
print(json.dumps(seen(source, lambda told: time.monotonic() > begun + 2)))
switch("d0", True)
print(json.dumps(seen(source, lambda told: told["notes"])))
os.write(made, FRAME)
print(json.dumps(seen(source, lambda told: told["packets"])))
""")
    assert (before["packets"], before["notes"], before["trouble"]) == (1, [], None)
    assert codes(down) == ["interface_down"]
    assert "the interface d0 is down" in down["notes"][0][1]
    assert "d0" in down["trouble"]
    assert down["confirmed"] == 0, "that nothing comes confirms nothing"
    assert down["waits"] < 100, "it sleeps while it waits"
    assert (codes(up), up["trouble"]) == (["interface_up"], None)
    assert (after["packets"], after["notes"]) == (1, [])


@pytest.mark.parametrize("names", [("d0",), ("d0", "d1"), ("d0", "d1", "lo")])
def test_an_interface_that_another_takes_the_place_of(names: tuple[str, ...]) -> None:
    gone, back, after = scene(f"""
made = {{name: tap(name) for name in {names} if name != "lo"}}
switch("lo", True)
source = opened(*{names})
for each in made.values():
    os.close(each)
print(json.dumps(seen(source, lambda told: len(told["notes"]) == len(made))))
made["d0"] = tap("d0")
print(json.dumps(seen(source, lambda told: told["notes"])))
os.write(made["d0"], FRAME)
print(json.dumps(seen(source, lambda told: told["packets"])))
""")
    taps = [name for name in names if name != "lo"]
    assert [text.partition(";")[0] for _, text in gone["notes"]] == [
        f"the interface {name} is gone" for name in taps
    ]
    assert gone["trouble"].startswith(f"not up: {', '.join(taps)}")
    assert codes(back) == ["interface_up"]
    assert after["packets"] == 1


def test_what_is_dropped_at_the_end_is_counted() -> None:
    [told] = scene("""
made = tap("d0")
source = CapturedPackets(
    CaptureSource(interfaces=("d0",), buffer_bytes=2 << 20, snaplen_bytes=2048), captures=True
)
source.open({})
source.poll(1, {})
for _ in range(4000):
    os.write(made, FRAME + bytes(1300))
first, second = source.parting(), source.parting()
print(json.dumps({"codes": [n.code for n in first + second], "count": first[0].count}))
""")
    assert told["codes"] == ["packets_dropped"]
    assert told["count"] > 0


def test_the_command_tells_of_an_interface_that_is_down() -> None:
    """In a network of one's own the loopback interface is down at first."""
    (told,) = scene("""
import subprocess, sys
begin = "from tailrace.cli.main import main; main()"
command = [sys.executable, "-c", begin, "capture", "-i", "lo", "--duration", "1s"]
found = subprocess.run(command, capture_output=True, text=True)
print(json.dumps({"code": found.returncode, "words": found.stderr.splitlines()}))
""")
    assert told["code"] == 0, told
    down, summary = told["words"]
    assert "the interface lo is down" in down
    assert summary == "0 packets captured, 0 dropped by the kernel"
