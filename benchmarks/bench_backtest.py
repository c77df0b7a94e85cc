"""Fifty thresholds of a rule in one backtest, against the one that the pipeline has.

Both read the same made-up traffic. To try them one after the other would take fifty times as long.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from measuring import (
    Stopwatch,
    Timing,
    alternating,
    file_of,
    options,
    ordinary,
    verdict_of,
    working_folder,
)

THRESHOLDS = 50
MOST = 2.5
PIPELINE = """
name: sweep
source: {{file: {{path: "{log}"}}}}
time: {{field: "@timestamp", grace: 5s}}
fields: {{client_ip: text, host: text, status: integer}}
rules:
  - {{alert: flood, by: client_ip, window: 20s every 1s, when: count(*) > 2000}}
  - {{alert: errors, by: host, window: 1m every 10s, when: avg(status) > 300}}
"""


def backtest(pipeline: Path, *args: str) -> Timing:
    """One backtest in a process of its own, without its table."""
    watch = Stopwatch()
    command = (sys.executable, "-m", "tailrace.cli.main", "backtest", str(pipeline), "-q", *args)
    subprocess.run(command, check=True)
    return watch.stop()


def main() -> None:
    """Print how many times as long the sweep takes."""
    asked = options(2_000_000, runs=3)
    log = file_of(ordinary(asked.rows))
    sweep = f"flood.threshold=100..{100 * THRESHOLDS}:100"
    with working_folder() as folder:
        pipeline = folder / "sweep.yaml"
        pipeline.write_text(PIPELINE.format(log=log))
        alone, swept = alternating(
            asked.runs, lambda: backtest(pipeline), lambda: backtest(pipeline, "--sweep", sweep)
        )
    ratio = statistics.median(
        many.seconds / one.seconds for one, many in zip(alone, swept, strict=True)
    )
    seconds = [statistics.median(t.seconds for t in timings) for timings in (alone, swept)]
    print(f"one threshold {seconds[0]:.1f} s, {THRESHOLDS} in one pass {seconds[1]:.1f} s")
    verdict_of(f"{THRESHOLDS} thresholds, in times of one", round(ratio, 2), MOST)


if __name__ == "__main__":
    main()
