"""Goals 1 to 4 at once, from a JSON file to alerts with state on disk, against bare decoding.

Baseline: DuckDB's `read_json` of the same fields of the same file on two threads.
"""

from measuring import (
    GOALS,
    Run,
    Timing,
    alternating,
    bare_decode,
    file_of,
    head,
    options,
    ordinary,
    pipeline,
    row,
    run,
    speed_ratio,
    stages,
    verdict,
)

TARGET = 0.45


def main() -> None:
    """Measure and print."""
    given = options(4_000_000)
    log = file_of(ordinary(given.rows))
    goals = ("goal1", "goal2", "goal3", "goal4")
    texts = {rows: pipeline(log, GOALS, goals, rows=rows) for rows in ("windows", "incidents")}
    last: dict[str, Run] = {}

    def measured(rows: str) -> Timing:
        last[rows] = run(texts[rows])
        return last[rows].timing

    bare, windows, incidents = alternating(
        given.runs,
        lambda: bare_decode(log),
        lambda: measured("windows"),
        lambda: measured("incidents"),
    )
    head()
    row("bare DuckDB decode", bare, given.rows)
    row("goals 1-4, a row a window", windows, given.rows, bare)
    row("goals 1-4, incidents", incidents, given.rows, bare)
    for name, done in last.items():
        assert done.events == given.rows
        stages(f"seconds by stage, {name}", done)
        print(f"{'rows out, ' + name:<34} {dict(done.output_rows)}")
    verdict("goals 1-4 as rows, to bare decode", speed_ratio(bare, windows), TARGET)
    verdict("goals 1-4 as incidents, to bare decode", speed_ratio(bare, incidents), TARGET)


if __name__ == "__main__":
    main()
