"""nginx's `combined` lines, from a file to alerts: floods, scanners, errors.

Baseline: DuckDB taking the same fields out of the same lines by a regular expression.
"""

from pathlib import Path

import duckdb
from measuring import (
    CORES,
    START_US,
    Stopwatch,
    Timing,
    alternating,
    file_of,
    head,
    options,
    pipeline,
    row,
    run,
    speed_ratio,
    stages,
    verdict,
)

from tailrace.generate.nginx import NginxTraffic

TARGET = 500_000
FIELDS = (
    "{client_ip: {type: text, from: remote_addr}, request: text, status: integer, "
    "bytes: {type: integer, from: body_bytes_sent}}"
)
RULES = """
  - alert: flood
    by: client_ip
    window: 20s every 1s
    when: count(*) > 1000
    to: [alerts]
  - alert: scanner
    by: client_ip
    window: 1m every 5s
    where: status = 404
    when: count(*) > 300 and count(distinct request) > 100
    to: [alerts]
  - record: traffic
    window: 1m
    select: {requests: count(*), failed: count(*) filter (where status >= 500), bytes: sum(bytes)}
    to: [traffic]
"""
PATTERN = r'^(\S+) \S+ \S+ \[([^\]]+)\] "([^"]*)" (\d+) (\d+)'


def by_regular_expression(log: Path) -> Timing:
    """The five fields of each line, looked at."""
    with duckdb.connect(config={"threads": CORES}) as connection:
        watch = Stopwatch()
        connection.execute(
            "SELECT sum(strlen(f.a)), sum(strlen(f.t)), sum(strlen(f.r)), "
            "sum(f.s::BIGINT), sum(f.b::BIGINT) FROM (SELECT "
            "regexp_extract(line, ?, ['a', 't', 'r', 's', 'b']) AS f FROM read_csv(?, "
            "columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', "
            "header = false))",
            [PATTERN, str(log)],
        ).fetchall()
        return watch.stop()


def main() -> None:
    """Measure and print."""
    given = options(2_000_000)
    traffic = NginxTraffic(
        count=given.rows,
        format="combined",
        rate=10_000.0,
        seed=1,
        start_us=START_US,
        random_attacks=6,
    )
    log = file_of(traffic)
    text = pipeline(
        log,
        RULES,
        ["alerts", "traffic"],
        rows="incidents",
        format="combined",
        time="{field: time_local, grace: 5s}",
        fields=FIELDS,
    )

    def measured() -> Timing:
        done = run(text)
        assert done.events == given.rows
        last.append(done)
        return done.timing

    last = [run(text)]
    bare, tailrace = alternating(given.runs, lambda: by_regular_expression(log), measured)
    head()
    row("DuckDB, a regular expression", bare, given.rows)
    row("Tailrace, lines to alerts", tailrace, given.rows, bare)
    stages("seconds by stage", last[-1])
    print(f"{'rows out':<34} {dict(last[-1].output_rows)}")
    per_second = [Timing(given.rows / TARGET, given.rows / TARGET)] * given.runs
    verdict("combined lines a second, of 500,000", speed_ratio(per_second, tailrace), 1)


if __name__ == "__main__":
    main()
