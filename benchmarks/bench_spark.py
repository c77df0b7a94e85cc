"""Goals 1 to 4 on Spark and in one process, against four plain PySpark jobs over the same file.

Baseline: `seed_pyspark.py`, all four jobs one after the other, with Spark's default settings (200
shuffle partitions), and beside it with as many of those as cores. All have two cores. The first
events are everybody's warm-up, reported apart: in one process a run of its own over them, after
which the measured run begins with nothing open and ends with everything closed. That takes seconds
where the others take minutes, so it is done after each of them, and the middle one counts.

What a job on Spark pays for each batch weighs less the more events a batch has, and here the rest
is one batch: the ratios fall with --rows.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from measuring import (
    CORES,
    GOALS,
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
    followed, first, rest = (
        pipeline(path, GOALS, OUTPUTS, rows="incidents", **more)
        for path, more in (
            (source.rest, {"source": FOLLOWED}),
            (source.first, {}),
            (source.rest, {}),
        )
    )
    found: dict[str, list[Done]] = {"plain": [], "tuned": [], "spark": [], "embedded": []}

    def kept(name: str, measure: Callable[[], Done]) -> Callable[[], Timing]:
        def timing() -> Timing:
            found[name].append(measure())
            return found[name][-1].timing

        return timing

    def seed(partitions: int) -> Done:
        more = ("--shuffle-partitions", str(partitions))
        return measured("seed_pyspark.py", *arguments_of(source), *more)

    def embedded() -> Done:
        warm_up, done = run(first), run(rest)
        assert done.events == given.rows
        timing, stages = done.timing, done.stages
        return Done(warm_up.timing.seconds, timing.seconds, timing.cpu_seconds, stages)

    here = kept("embedded", embedded)
    plain, before, tuned, between, spark, after = alternating(
        given.runs,
        kept("plain", lambda: seed(200)),
        here,
        kept("tuned", lambda: seed(CORES)),
        here,
        kept("spark", lambda: on_spark(followed, source)),
        here,
    )
    one = [
        sorted(three, key=lambda timing: timing.seconds)[1]
        for three in zip(before, between, after, strict=True)
    ]
    head()
    row("four PySpark jobs", plain, given.rows)
    row(f"the same, {CORES} shuffle partitions", tuned, given.rows, plain)
    row("Tailrace on Spark", spark, given.rows, plain)
    row("Tailrace, embedded", one, given.rows, plain)
    for name, done in found.items():
        seconds = statistics.median(each.warm_up_seconds for each in done)
        parts = "  ".join(f"{part} {took:.1f} s" for part, took in done[-1].parts.items())
        print(f"{name}: warm-up {seconds:.1f} s;  {parts}")
    for what, baseline in (("", plain), (" with tuned partitions", tuned)):
        told = f"of four PySpark jobs{what}"
        verdict(f"on Spark, {told}", speed_ratio(baseline, spark), SPARK_TARGET)
        verdict(f"embedded, {told}", speed_ratio(baseline, one), EMBEDDED_TARGET)


if __name__ == "__main__":
    main()
