"""From the append of the event that crosses a limit to the early notice in an output file.

Three processes: a writer that appends 20,000 events a second to a log, `tailrace run` that follows
it, and this one, which looks at the output. The writer keeps 100,000 clients below the limit and
lets a new one cross it every 50 ms; both clocks are CLOCK_MONOTONIC. The bound is the target's.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import signal
import statistics
import subprocess
import sys
import time
from multiprocessing.queues import Queue
from pathlib import Path

from measuring import verdict_of, working_folder

TARGET_MS = 250
LIMIT = 50
STEP_SECONDS = 0.005
CROSS_SECONDS = 0.05
WARM_UP_SECONDS = 3
PIPELINE = """
name: latency
source: {{file: {{path: access.ndjson, follow: true}}}}
format: json
time: {{field: "@timestamp", grace: 5s}}
fields: {{client_ip: text, host: text, country: text, status: integer, request_time: double}}
rules:
  - {{alert: flood, by: client_ip, window: 20s every 1s, when: count(*) > {limit}, to: [notices]}}
  - {{record: hosts, by: host, window: 1m, select: {{mean: avg(request_time)}}, to: [hosts]}}
outputs:
  notices: {{file: {{path: notices.ndjson}}}}
  hosts: {{file: {{path: hosts.ndjson}}}}
store: {{path: store.duckdb}}
"""
LINE = (
    '{"server":"s_v3","client_ip":"%s","method":"GET","status":"200","request_time":"0.280",'
    '"host":"api_%d.example.com","country":"IR","@timestamp":"%.6f"}\n'
)


def write(log: Path, rate: int, seconds: float, crossed: Queue[tuple[str, float]]) -> None:
    """Append events for so long, and tell of each client that crosses, and when."""
    rng = random.Random(1)
    ordinary = [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(100_000)]
    begun = time.monotonic()
    written, crossers = 0, 0
    with log.open("ab", buffering=0) as file:
        while (now := time.monotonic()) < begun + seconds:
            due = int((now - begun) * rate) - written
            written += due
            clients = rng.choices(ordinary, k=due)
            crosser = None
            if now - begun >= (crossers + 1) * CROSS_SECONDS:
                crossers += 1
                crosser = f"203.{crossers >> 16 & 255}.{crossers >> 8 & 255}.{crossers & 255}"
                clients += [crosser] * (LIMIT + 1)
            at = time.time()
            lines = "".join(LINE % (client, rng.randrange(51), at) for client in clients)
            data = lines.encode()
            appended = time.monotonic()
            file.write(data)
            if crosser is not None:
                crossed.put((crosser, appended))
            time.sleep(max(0.0, now + STEP_SECONDS - time.monotonic()))
    crossed.put(("", float(written)))


def watch(
    path: Path, writer: multiprocessing.Process, engine: subprocess.Popen[bytes]
) -> dict[str, tuple[str, float]]:
    """When the first line about each client was there, and what it said; until all is quiet."""
    found: dict[str, tuple[str, float]] = {}
    position, rest, last = 0, b"", time.monotonic()
    while engine.poll() is None and (writer.is_alive() or time.monotonic() < last + 2):
        if writer.is_alive():
            last = time.monotonic()
        if not path.exists() or path.stat().st_size == position:
            time.sleep(0.0005)
            continue
        with path.open("rb") as file:
            file.seek(position)
            data = file.read()
        seen = time.monotonic()
        position += len(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            row = json.loads(line)
            found.setdefault(row["key"]["client_ip"], (row["state"], seen))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=20_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    given = parser.parse_args()
    crossed: Queue[tuple[str, float]] = multiprocessing.Queue()
    with working_folder() as path:
        (path / "pipeline.yaml").write_text(PIPELINE.format(limit=LIMIT))
        log = path / "access.ndjson"
        log.touch()
        command = [sys.executable, "-m", "tailrace.cli.main", "run", "pipeline.yaml"]
        with subprocess.Popen(command, cwd=path, stdout=subprocess.DEVNULL) as engine:
            writer = multiprocessing.Process(
                target=write, args=(log, given.rate, given.seconds + WARM_UP_SECONDS, crossed)
            )
            writer.start()
            found = watch(path / "notices.ndjson", writer, engine)
            writer.join()
            engine.send_signal(signal.SIGTERM)
            assert engine.wait(20) == 0
    appended = {}
    while (entry := crossed.get())[0]:
        appended[entry[0]] = entry[1]
    first = min(appended.values()) + WARM_UP_SECONDS
    measured = {client: at for client, at in appended.items() if at >= first}
    latencies = [(found[c][1] - at) * 1000 for c, at in measured.items() if c in found]
    print(f"events written                     {entry[1]:.0f}, {given.rate} a second")
    print(f"clients that crossed the limit     {len(measured)}")
    print(
        f"found, of them by an early notice  {len(latencies)}, "
        f"{sum(found[c][0] == 'notice' for c in measured if c in found)}"
    )
    percentiles = statistics.quantiles(latencies, n=100, method="inclusive")
    for name, value in (
        ("p50", percentiles[49]),
        ("p90", percentiles[89]),
        ("p99", percentiles[98]),
        ("max", max(latencies)),
    ):
        print(f"{name:<34} {value:7.1f} ms")
    verdict_of("p99 in ms from the append to the notice", round(percentiles[98], 1), TARGET_MS)


if __name__ == "__main__":
    main()
