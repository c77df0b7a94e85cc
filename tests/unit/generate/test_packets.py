import ipaddress
import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tailrace.cli.generate import command
from tailrace.generate.options import SECOND_US, OptionError
from tailrace.generate.packets import PacketTraffic

WINDOW_US = 300 * SECOND_US
START_US = 1_700_000_100 * SECOND_US  # a multiple of five minutes

Row = dict[str, Any]


def traffic(**options: Any) -> PacketTraffic:
    return PacketTraffic(
        **{"start_us": START_US, "duration_us": 4 * WINDOW_US, "rate": 20.0, **options}
    )


def made(**options: Any) -> bytes:
    return b"".join(traffic(**options).chunks())


def packets_of(data: bytes) -> list[tuple[int, bytes, int]]:
    """Time (µs), bytes and length on the wire of a pcap file's packets."""
    assert data[:24] == struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 128, 1)
    at, found = 24, []
    while at < len(data):
        seconds, micros, captured, wire = struct.unpack_from("<IIII", data, at)
        found.append((seconds * SECOND_US + micros, data[at + 16 : at + 16 + captured], wire))
        at += 16 + captured
    assert at == len(data)
    return found


def row_of(time_us: int, frame: bytes, wire: int) -> Row:
    """What the JSON line of the same packet says."""
    kind, ip = struct.unpack_from(">H", frame, 12)[0], frame[14:]
    if kind == 0x0800:
        assert ip[0] == 0x45
        total = sum(struct.unpack_from(">10H", ip))
        assert ((total & 0xFFFF) + (total >> 16)) in (0xFFFF, 0x1FFFE - 0xFFFF)
        length, number, size = struct.unpack_from(">H", ip, 2)[0], ip[9], 20
        ends = ip[12:16], ip[16:20]
    else:
        assert kind == 0x86DD
        assert ip[0] >> 4 == 6
        length, number, size = struct.unpack_from(">H", ip, 4)[0] + 40, ip[6], 40
        ends = ip[8:24], ip[24:40]
    name = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}[number]
    ports = struct.unpack_from(">HH", ip, size) if name in ("tcp", "udp") else (None, None)
    if name == "udp":
        assert struct.unpack_from(">H", ip, size + 4)[0] == length - size
    assert wire == length + 14
    assert len(ip) == size + (20 if name == "tcp" else 8)
    return {
        "time": f"{time_us // SECOND_US}.{time_us % SECOND_US:06d}",
        "source": str(ipaddress.ip_address(ends[0])),
        "destination": str(ipaddress.ip_address(ends[1])),
        "source_port": ports[0],
        "destination_port": ports[1],
        "protocol": name,
        "bytes": length,
    }


FAULTS = {"late": 0.1, "duplicates": 0.1}


def test_the_forms_say_the_same() -> None:
    from_pcap = [row_of(*each) for each in packets_of(made(ipv6=0.3, **FAULTS))]
    lines = [json.loads(line) for line in made(form="json", ipv6=0.3, **FAULTS).splitlines()]
    assert from_pcap == lines
    assert {row["protocol"] for row in lines} == {"tcp", "udp", "icmp", "icmpv6"}
    only_v4 = [json.loads(line) for line in made(form="json").splitlines()]
    for row, line in zip(only_v4, made(form="topic").decode().splitlines(), strict=True):
        key, value, time_ms = line.split("\t")
        octets = [*row["source"].split("."), *row["destination"].split(".")]
        assert key == "".join(f"\\0x{int(octet):02x}" for octet in octets)
        assert len(key) == 40
        assert int(value) == row["bytes"]
        assert int(time_ms) == int(row["time"].replace(".", "")) // 1000


@pytest.mark.parametrize("form", ["pcap", "json", "topic"])
def test_same_seed_same_bytes(form: str) -> None:
    assert made(form=form, seed=1, **FAULTS) == made(form=form, seed=1, **FAULTS)
    assert made(form=form, seed=1) != made(form=form, seed=2)


def test_windows_over_and_below() -> None:
    options = {"duration_us": 12 * WINDOW_US, "over": 2, "below": 4, **FAULTS}
    volumes: Counter[int] = Counter()
    numbers: Counter[int] = Counter()
    for time_us, _, wire in packets_of(made(**options)):
        volumes[time_us // WINDOW_US] += wire - 14
        numbers[time_us // WINDOW_US] += 1
    truth = [json.loads(line) for line in traffic(**options).truth()]
    states = Counter(window["state"] for window in truth)
    assert states == {"within": 6, "over": 2, "below": 4}
    for index, window in enumerate(truth, start=START_US // WINDOW_US):
        assert window["bytes"] == volumes[index]
        assert window["packets"] == numbers[index]
        over, below = volumes[index] > 1 << 30, volumes[index] < 1024
        assert window["state"] == ("over" if over else "below" if below else "within")
        assert window["whole"]
    assert any(window["packets"] == 0 for window in truth)
    assert any(window["packets"] > 0 for window in truth if window["state"] == "below")


def test_late_packets_and_copies() -> None:
    late, copies, last, highest = 0, 0, (0, b"", 0), 0
    found = packets_of(made(**FAULTS))
    for each in found:
        late += each[0] < highest
        highest = max(highest, each[0])
        copies += each == last
        last = each
    assert 0.05 < late / len(found) < 0.15
    assert 0.05 < copies / len(found) < 0.15


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"over": 3, "below": 2}, "only 4 lie within"),
        ({"form": "topic", "ipv6": 0.1}, "no IPv6"),
        ({"form": "xml"}, "none of pcap, json, topic"),
        ({"below": 1, "minimum": 100}, "nothing that shows is below 100"),
        ({"hosts": 0}, "not a number above 0"),
    ],
)
def test_mistakes(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        traffic(**options)


def test_command(tmp_path: Path) -> None:
    out, truth = tmp_path / "x.pcap", tmp_path / "truth.ndjson"
    args = ["--start", "1700000100", "--duration", "20m", "--rate", "20", "--over", "1"]
    result = CliRunner().invoke(
        command, ["packets", *args, "--out", str(out), "--truth", str(truth)]
    )
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == made(over=1)
    assert truth.read_text() == "".join(traffic(over=1).truth())
    nothing = ["--duration", "1ms", "--rate", "1", "--start", "0"]
    result = CliRunner().invoke(command, ["packets", *nothing])
    assert packets_of(result.stdout_bytes) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--real-time"], "a capture file is one file"),
        (["--form", "topic", "--key", "a"], "the form topic has keys"),
        (["--min", "-1"], "--min: -1 is below 0"),
    ],
)
def test_what_does_not_go_together(args: list[str], said: str) -> None:
    result = CliRunner().invoke(command, ["packets", *args])
    assert result.exit_code == 2
    assert said in result.output
