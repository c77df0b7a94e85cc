"""Rules that see events in order, from JSON lines of 100,000 clients to alerts, each by itself.

Baseline: bare DuckDB decoding the same fields of the same lines.
"""

from measuring import (
    START_US,
    Run,
    Timing,
    alternating,
    bare_decode,
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

TARGET = 300_000
CLIENTS = 100_000
RULES = {
    "sliding": """
  - alert: flood
    by: client_ip
    window: 20s sliding
    when: count(*) > 100 or sum(request_time) > 100
    to: [alerts]
""",
    "leaky": """
  - alert: errors
    by: client_ip
    leaky: {capacity: 100, leak: 100ms}
    to: [alerts]
""",
    "sequence": """
  - alert: found
    by: client_ip
    sequence:
      steps: {missed: status = 404, found: status = 200}
      within: 5s
    to: [alerts]
""",
}


def main() -> None:
    """Measure and print."""
    given = options(2_000_000, 3)
    traffic = NginxTraffic(
        count=given.rows,
        profile="seed",
        clients=CLIENTS,
        rate=50_000.0,
        seed=1,
        start_us=START_US,
    )
    log = file_of(traffic)
    head()
    for name, rules in RULES.items():
        text = pipeline(log, rules, ["alerts"], rows="incidents")
        last = [run(text)]

        def measured(text: str = text, last: list[Run] = last) -> Timing:
            done = run(text)
            assert done.events == given.rows
            last.append(done)
            return done.timing

        bare, tailrace = alternating(given.runs, lambda: bare_decode(log), measured)
        row("DuckDB, decoding alone", bare, given.rows)
        row(f"Tailrace, {name}", tailrace, given.rows, bare)
        stages("seconds by stage", last[-1])
        print(f"{'rows out':<34} {dict(last[-1].output_rows)}")
        per_second = [Timing(given.rows / TARGET, given.rows / TARGET)] * given.runs
        verdict(f"{name}: events a second, of 300,000", speed_ratio(per_second, tailrace), 1)


if __name__ == "__main__":
    main()
