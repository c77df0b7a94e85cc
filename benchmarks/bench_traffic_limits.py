"""examples/traffic-limits: its pipeline over packets, beside what reads their bare fields.

The same packets, of 50 hosts and the world, in two forms:

- A capture file. DuckDB reads none, so the baseline is the least that a program of ours does: walk
  from packet to packet by the lengths in their headers, then take time, length and both IPv4
  addresses of all of them by NumPy, as numbers, and look at each. It knows no IPv6, no other link,
  no options, and checks nothing.
- Lines of JSON with the fields of a flow's rows, and the same rules. Baseline: DuckDB's `read_json`
  of these fields on two threads.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import duckdb
import numpy as np
import yaml
from measuring import (
    CORES,
    START_US,
    Run,
    Stopwatch,
    Timing,
    alternating,
    file_of,
    head,
    options,
    row,
    run,
    speed_ratio,
    stages,
    verdict,
)

from tailrace.generate.options import SECOND_US
from tailrace.generate.packets import PacketTraffic

EXAMPLE = Path(__file__).parents[1] / "examples" / "traffic-limits"
TARGET = 0.25
PER_SECOND = 1000.0
FILE_HEADER, PACKET_HEADER, ETHERNET_HEADER = 24, 16, 14


def bare_scan(capture: Path) -> Timing:
    """Walk over the packets of a pcap file and look at time, length and addresses of each."""
    watch = Stopwatch()
    data = capture.read_bytes()
    length_at = struct.Struct("<I").unpack_from
    at, places = FILE_HEADER, []
    while at < len(data):
        places.append(at)
        at += PACKET_HEADER + length_at(data, at + 8)[0]
    octets = np.frombuffer(data, np.uint8)
    begins = np.array(places)

    def numbers(offset: int, kind: str) -> int:
        width = np.dtype(kind).itemsize
        found = octets[(begins + offset)[:, None] + np.arange(width)].view(kind)
        return int(found.sum(dtype=np.int64))

    ip = PACKET_HEADER + ETHERNET_HEADER
    for offset in (0, 4):
        assert numbers(offset, "<u4")
    for offset, kind in ((2, ">u2"), (12, ">u4"), (16, ">u4")):
        assert numbers(ip + offset, kind)
    return watch.stop()


def bare_decode(log: Path) -> Timing:
    """Bare DuckDB: decode the fields of each line, and look at each value."""
    columns = {"time": "VARCHAR", "source": "VARCHAR", "destination": "VARCHAR", "bytes": "BIGINT"}
    with duckdb.connect(config={"threads": CORES}) as connection:
        watch = Stopwatch()
        connection.execute(
            "SELECT count(*), sum(strlen(time)), sum(strlen(source)), sum(strlen(destination)),"
            " sum(bytes) FROM read_json(?, format = 'newline_delimited', columns = ?)",
            [str(log), columns],
        ).fetchall()
        return watch.stop()


def variants() -> dict[str, str]:
    """The example's pipeline over its two forms of input, and with parts of its rules."""
    text = (EXAMPLE / "pipeline.yaml").read_text()
    sums = yaml.safe_load(text)
    sums["rules"] = [rule for rule in sums["rules"] if rule.get("record") != "flows"]
    del sums["outputs"]["flows"]
    lines = yaml.safe_load(text)
    lines |= {"source": {"file": {"path": "${PCAP}"}}, "format": "json"}
    return {
        "capture, sums and limits": json.dumps(sums),
        "capture, flows too": text,
        "JSON lines, all rules": json.dumps(lines),
    }


def main() -> None:
    """Measure and print."""
    given = options(2_000_000, 3)
    seconds = int(given.rows / PER_SECOND)
    capture, lines = (
        file_of(
            PacketTraffic(
                form=form,
                rate=PER_SECOND,
                duration_us=seconds * SECOND_US,
                start_us=START_US,
                maximum=1 << 32,
            )
        )
        for form in ("pcap", "json")
    )
    texts = variants()
    last: dict[str, Run] = {}

    def measured(name: str) -> Timing:
        path = lines if "JSON" in name else capture
        env = {"PCAP": str(path), "LIMITS": str(EXAMPLE / "traffic_limits.json")}
        done = last[name] = run(texts[name], env=env)
        assert done.events == given.rows
        return done.timing

    scan, decode, *found = alternating(
        given.runs,
        lambda: bare_scan(capture),
        lambda: bare_decode(lines),
        *(lambda name=name: measured(name) for name in texts),
    )
    baselines = [scan, scan, decode]
    head()
    row("bare scan of the capture", scan, given.rows)
    row("DuckDB, decoding alone", decode, given.rows)
    for name, timings, baseline in zip(texts, found, baselines, strict=True):
        row(f"Tailrace, {name}", timings, given.rows, baseline)
    for name, done in last.items():
        stages(name, done)
    verdict("traffic-limits, capture file to a bare scan", speed_ratio(scan, found[1]), TARGET)
    verdict("traffic-limits, JSON lines to bare decode", speed_ratio(decode, found[2]), TARGET)


if __name__ == "__main__":
    main()
