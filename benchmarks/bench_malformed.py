"""Goals 1 to 4 over a log with 1 % malformed lines.

Baseline: the same traffic without them.
"""

from dataclasses import replace

from measuring import (
    GOALS,
    Timing,
    alternating,
    file_of,
    head,
    options,
    ordinary,
    pipeline,
    row,
    run,
    speed_ratio,
    verdict,
)

from tailrace.generate.nginx import NginxTraffic

TARGET = 0.6
GOAL_NAMES = ("goal1", "goal2", "goal3", "goal4")


def main() -> None:
    """Measure and print."""
    given = options(4_000_000)
    clean = ordinary(given.rows)

    def measured(traffic: NginxTraffic) -> Timing:
        done = run(pipeline(file_of(traffic), GOALS, GOAL_NAMES))
        dead.append(given.rows - done.events)
        return done.timing

    dead: list[int] = []
    without, with_malformed = alternating(
        given.runs,
        lambda: measured(clean),
        lambda: measured(replace(clean, malformed=0.01)),
    )
    head()
    row("clean", without, given.rows)
    row("1 % malformed", with_malformed, given.rows, without)
    print(f"dead letters: {min(dead)} and {max(dead)}")
    verdict(
        "speed with 1 % malformed lines to without", speed_ratio(without, with_malformed), TARGET
    )


if __name__ == "__main__":
    main()
