"""Hopping windows of 20 s every second against tumbling ones of 20 s, the same rule otherwise.

Baseline: the tumbling run. Once with a limit that few windows pass, once with one that all do: the
second hopping run has twenty times as many rows to write.
"""

from measuring import (
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

TARGET = 1 / 1.2
"""1.2 times as long."""
RULE = """
  - {{alert: flood, by: client_ip, window: {window}, when: count(*) > {limit}, to: [flood]}}
"""
FEW, ALL = 860, 10
"""Of 256 clients that make 781 requests in 20 s."""


def main() -> None:
    """Measure and print."""
    given = options(4_000_000)
    log = file_of(ordinary(given.rows))

    def measured(window: str, limit: int) -> Timing:
        done = run(pipeline(log, RULE.format(window=window, limit=limit), ["flood"]))
        assert done.events == given.rows
        return done.timing

    tumbling, hopping, hopping_all = alternating(
        given.runs,
        lambda: measured("20s", FEW),
        lambda: measured("20s every 1s", FEW),
        lambda: measured("20s every 1s", ALL),
    )
    head()
    row("tumbling 20 s", tumbling, given.rows)
    row("hopping 20 s / 1 s", hopping, given.rows, tumbling)
    row("hopping, every window fires", hopping_all, given.rows, tumbling)
    verdict("speed of hopping windows to tumbling ones", speed_ratio(tumbling, hopping), TARGET)


if __name__ == "__main__":
    main()
