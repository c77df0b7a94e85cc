"""Goals 1 to 4 on Spark and in one process, against four plain PySpark jobs over the same file.

Baseline: `seed_pyspark.py`, all four jobs one after the other, with Spark's default settings (200
shuffle partitions), and beside it with as many of those as cores. All have two cores. On Spark the
first events are the warm-up, reported apart; the embedded engine is timed from opening to closing.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from measuring import (
    CORES,
    GOALS,
    Run,
    Timing,
    alternating,
    head,
    options,
    pipeline,
    row,
    run,
    speed_ratio,
    verdict,
)
from spark_runs import FOLLOWED, Done, arguments_of, measured, on_spark, two_parts

SPARK_TARGET = 10
EMBEDDED_TARGET = 50
OUTPUTS = ("goal1", "goal2", "goal3", "goal4")


def main() -> None:
    """Measure and print."""
    given = options(2_000_000, 2)
    source = two_parts(given.rows)
    distributed = pipeline(source.rest, GOALS, OUTPUTS, rows="incidents", source=FOLLOWED)
    embedded = pipeline(source.rest, GOALS, OUTPUTS, rows="incidents")
    found: dict[str, list[Done]] = {"plain": [], "tuned": [], "spark": []}

    def kept(name: str, measure: Callable[[], Done]) -> Callable[[], Timing]:
        def timing() -> Timing:
            found[name].append(measure())
            return found[name][-1].timing

        return timing

    def seed(partitions: int) -> Done:
        more = ("--shuffle-partitions", str(partitions))
        return measured("seed_pyspark.py", *arguments_of(source), *more)

    def here() -> Timing:
        done = run(embedded)
        assert done.events == given.rows
        runs.append(done)
        return done.timing

    runs: list[Run] = [run(embedded)]
    plain, tuned, spark, one = alternating(
        given.runs,
        kept("plain", lambda: seed(200)),
        kept("tuned", lambda: seed(CORES)),
        kept("spark", lambda: on_spark(distributed, source)),
        here,
    )
    head()
    row("four PySpark jobs", plain, given.rows)
    row(f"the same, {CORES} shuffle partitions", tuned, given.rows, plain)
    row("Tailrace on Spark", spark, given.rows, plain)
    row("Tailrace, embedded", one, given.rows, plain)
    for name, done in found.items():
        seconds = statistics.median(each.warm_up_seconds for each in done)
        parts = "  ".join(f"{part} {took:.1f} s" for part, took in done[-1].parts.items())
        print(f"{name}: warm-up {seconds:.1f} s;  {parts}")
    print(f"{'rows out, embedded':<34} {dict(runs[-1].output_rows)}")
    for what, baseline in (("", plain), (" with tuned partitions", tuned)):
        told = f"of four PySpark jobs{what}"
        verdict(f"on Spark, {told}", speed_ratio(baseline, spark), SPARK_TARGET)
        verdict(f"embedded, {told}", speed_ratio(baseline, one), EMBEDDED_TARGET)


if __name__ == "__main__":
    main()
