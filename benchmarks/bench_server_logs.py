"""examples/server-logs: its pipeline over a file, beside DuckDB decoding the same fields alone, and
beside a script of DuckDB statements that does all of it.

Input is the example's own generator's, with the share of bad and suspicious events that it has.
Baseline: DuckDB's `read_json` of all six fields as text, each value looked at, on two threads. The
pipeline labels every event, with reasons, and writes each of them twice: to a file of JSON lines
and, typed, to the table of its label. The script (``handwritten_labels``) is what one would write
instead.
"""  # noqa: D205 - one sentence

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import yaml
from handwritten_labels import handwritten
from measuring import (
    CORES,
    START_US,
    Run,
    Stopwatch,
    Timing,
    alternating,
    file_of,
    folder,
    head,
    options,
    row,
    run,
    speed_ratio,
    stages,
    verdict,
)

from tailrace.generate.server_logs import FIELDS, ServerLogs

PIPELINE = Path(__file__).parents[1] / "examples" / "server-logs" / "pipeline.yaml"
TARGET = 0.25


def bare_decode(log: Path) -> Timing:
    """Bare DuckDB: decode the fields of each line, and look at each value."""
    lengths = ", ".join(f"sum(strlen({name}))" for name in FIELDS)
    with duckdb.connect(config={"threads": CORES}) as connection:
        watch = Stopwatch()
        connection.execute(
            f"SELECT count(*), {lengths}"
            " FROM read_json(?, format = 'newline_delimited', columns = ?)",
            [str(log), dict.fromkeys(FIELDS, "VARCHAR")],
        ).fetchall()
        return watch.stop()


def variants() -> dict[str, str]:
    """The example's pipeline, and parts of it, by what they do."""
    text = PIPELINE.read_text()
    found: dict[str, str] = {}
    for name, outputs in {
        "labels, counted by minute": ("per_minute",),
        "and rows in tables": ("per_minute", "good", "suspicious", "bad"),
    }.items():
        config = yaml.safe_load(text)
        classify = config["rules"][0]
        del classify["to"]
        if "good" not in outputs:
            del classify["to_label"]
        config["outputs"] = {each: config["outputs"][each] for each in outputs}
        found[name] = json.dumps(config)
    return found | {"the whole pipeline": text}


def main() -> None:
    """Measure and print."""
    given = options(2_000_000, 3)
    traffic = ServerLogs(seed=1, rate=10_000.0, count=given.rows, start_us=START_US)
    log, users = file_of(traffic), folder() / "users.csv"
    users.write_text("".join(traffic.users()))
    env = {"LOG": str(log), "USERS": str(users)}
    texts = variants()
    last: dict[str, Run] = {}

    def measured(name: str) -> Timing:
        done = last[name] = run(texts[name], env=env)
        assert done.events == given.rows
        return done.timing

    labels: dict[str, int] = {}

    def by_hand() -> Timing:
        timing, found = handwritten(log, users)
        labels.update(found)
        return timing

    bare, script, *found = alternating(
        given.runs,
        lambda: bare_decode(log),
        by_hand,
        *(lambda name=name: measured(name) for name in texts),
    )
    assert last["the whole pipeline"].labels == labels
    head()
    row("DuckDB, decoding alone", bare, given.rows)
    row("DuckDB, a script for all of it", script, given.rows, bare)
    for name, timings in zip(texts, found, strict=True):
        row(f"Tailrace, {name}", timings, given.rows, bare)
    for name, done in last.items():
        stages(name, done)
    whole = found[-1]
    verdict("server-logs, the whole pipeline to bare decode", speed_ratio(bare, whole), TARGET)
    verdict("server-logs, the whole pipeline to the script", speed_ratio(script, whole), 1.0)


if __name__ == "__main__":
    main()
