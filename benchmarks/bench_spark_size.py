"""What Spark and one process take for 1, 2 and 4 times the events, and for 10 k to 1 M keys.

Prints a table; ``--write`` also puts it into docs/performance.md and a plot beside it. The rule
counts requests of each client in a minute, every ten seconds. What counts is the shape: twice the
events should take twice the time, and ten times the keys far less than ten times.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from measuring import pipeline, run
from plot import Panel, short, svg
from spark_runs import FOLLOWED, Done, on_spark, two_parts

DOCS = Path(__file__).parents[1] / "docs"
PICTURE = "spark-size.svg"
BEGIN = "<!-- From here on: benchmarks/bench_spark_size.py --write -->"
END = "<!-- Until here -->"
KEYS = (10_000, 100_000, 1_000_000)
TIMES = (1, 2, 4)
RULES = """
  - {alert: many, by: client_ip, window: 1m every 10s, when: count(*) > 100000, to: [many]}
  - {record: hosts, by: host, window: 1m, select: {mean: avg(request_time)}, to: [hosts]}
"""
OUTPUTS = ("many", "hosts")
LIMITS = "{max_keys: 4000000}"

Row = tuple[int, int, float, float]
"""Events, keys, seconds on Spark, seconds in one process."""


def measure(rows: int, keys: int, runs: int) -> Row:
    """The medians for one size."""
    source = two_parts(rows, keys)
    distributed, embedded = (
        pipeline(source.rest, RULES, OUTPUTS, rows="incidents", limits=LIMITS, **more)
        for more in ({"source": FOLLOWED}, {})
    )
    spark: list[Done] = []
    here: list[float] = []
    for _ in range(runs):
        spark.append(on_spark(distributed, source))
        done = run(embedded)
        assert done.events == rows
        here.append(done.timing.seconds)
    return (
        rows,
        keys,
        statistics.median(done.seconds for done in spark),
        statistics.median(here),
    )


def table(found: list[Row]) -> str:
    """All sizes as Markdown; ratios are to the first row."""
    lines = [
        "| events | keys | Spark | | embedded | |",
        "|---|---|---|---|---|---|",
    ]
    for rows, keys, spark, here in found:
        lines.append(
            f"| {short(rows)} | {short(keys)} | {spark:.1f} s | {spark / found[0][2]:.1f} x "
            f"| {here:.1f} s | {here / found[0][3]:.1f} x |"
        )
    return "\n".join(lines)


def picture(by_events: list[Row], by_keys: list[Row]) -> str:
    """Both series as a plot."""
    panels = [
        Panel(
            title,
            x,
            "seconds",
            {
                "Spark": [(row[place], row[2]) for row in found],
                "embedded": [(row[place], row[3]) for row in found],
            },
        )
        for title, x, place, found in (
            (f"{short(by_events[0][1])} keys", "events", 0, by_events),
            (f"{short(by_keys[0][0])} events", "keys", 1, by_keys),
        )
    ]
    return svg(panels)


def write(by_events: list[Row], by_keys: list[Row], docs: Path = DOCS) -> None:
    """Put the table and the plot into the page of docs/."""
    (docs / PICTURE).write_text(picture(by_events, by_keys))
    page = docs / "performance.md"
    before, _, rest = page.read_text().partition(BEGIN)
    shown = f"![Time by events and by keys]({PICTURE})"
    told = table([*by_events, *by_keys[1:]])
    page.write_text(f"{before}{BEGIN}\n\n{told}\n\n{shown}\n\n{END}{rest.partition(END)[2]}")


def main() -> None:
    """Measure, print, and write if that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000, help="events of the smallest run")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--keys", type=int, nargs="+", default=list(KEYS))
    parser.add_argument("--write", action="store_true", help="into docs/")
    given = parser.parse_args()
    by_events = [measure(given.rows * times, given.keys[0], given.runs) for times in TIMES]
    more = [measure(given.rows * 2, keys, given.runs) for keys in given.keys[1:]]
    by_keys = [by_events[1], *more]
    print(table([*by_events, *more]))
    if given.write:
        write(by_events, by_keys)


if __name__ == "__main__":
    main()
