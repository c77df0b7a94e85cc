"""Peak memory of a run over hopping windows with a million keys, all of them alive at a time.

`tailrace generate` writes into the standard input of `tailrace run`; what is printed is the peak
resident memory of the latter, beside that of a run over a few lines. `--rows 100000000` is the run
that the bound is about; a tenth of it already holds as many keys in as many panes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import verdict_of, working_folder

MOST_MIB = 2304
"""What `tailrace run` promises for a million keys in seven panes: docs/performance.md."""
KEYS = 1_000_000
PIPELINE = """
name: memory
source: {stdin: {}}
format: json
time: {field: "@timestamp", grace: 5s}
fields: {client_ip: text, status: integer}
rules:
  - alert: flood
    by: client_ip
    window: 1m every 10s
    when: count(*) > 20
    select: {requests: count(*), failed: count(*) filter (where status >= 500)}
    to: [incidents]
outputs:
  incidents: {file: {path: incidents.ndjson}}
store: {path: store.duckdb}
"""


@dataclass(frozen=True, slots=True)
class Peak:
    """What a run needed."""

    seconds: float
    mib: float
    store_mib: float
    incidents: int


def peak(rows: int) -> Peak:
    """Run so many events of a million clients, 100,000 a second of event time, 7 panes a window."""
    tailrace = [sys.executable, "-m", "tailrace.cli.main"]
    traffic = ["--profile", "seed", "--rate", "100000", "--clients", str(KEYS), "--hosts", "50"]
    with working_folder() as path:
        (path / "pipeline.yaml").write_text(PIPELINE)
        started = time.perf_counter()
        generate = [*tailrace, "generate", "nginx", *traffic, "--count", str(rows)]
        with subprocess.Popen(generate, stdout=subprocess.PIPE) as generator:
            runner = subprocess.Popen(
                [*tailrace, "run", "pipeline.yaml"],
                cwd=path,
                stdin=generator.stdout,
                stdout=subprocess.DEVNULL,
            )
            assert generator.stdout is not None
            generator.stdout.close()
            _, status, used = os.wait4(runner.pid, 0)
        runner.returncode = os.waitstatus_to_exitcode(status)
        assert runner.returncode == 0, runner.returncode
        return Peak(
            time.perf_counter() - started,
            used.ru_maxrss / 1024,
            size(path / "store.duckdb"),
            (path / "incidents.ndjson").read_bytes().count(b"\n"),
        )


def size(store: Path) -> float:
    """MiB of a store with its log."""
    return sum(file.stat().st_size for file in store.parent.glob(f"{store.name}*")) / 2**20


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000, help="events")
    parser.add_argument("--strict", action="store_true", help="exit 1 above the bound")
    given = parser.parse_args()
    few, many = peak(1000), peak(given.rows)
    print(f"{'':<34} {'seconds':>8} {'peak MiB':>9} {'store MiB':>10} {'rows out':>9}")
    for rows, found in ((1000, few), (given.rows, many)):
        print(
            f"{f'{rows:,} events':<34} {found.seconds:>8.1f} {found.mib:>9.0f} "
            f"{found.store_mib:>10.1f} {found.incidents:>9}"
        )
    verdict_of(f"peak MiB of a run with {KEYS:,} keys", round(many.mib), MOST_MIB)
    return int(given.strict and many.mib > MOST_MIB)


if __name__ == "__main__":
    sys.exit(main())
