"""What a status looks like: to be read in the middle of the night, what is wrong coming first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tailrace.cli.columns import aligned, elapsed, moment, number, size
from tailrace.cli.printable import one_line
from tailrace.cli.status_references import references, references_in_trouble
from tailrace.engines.status import REMOVED
from tailrace.formats.codes import Code
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from tailrace.engines.status import IncidentStatus, OutputStatus, Status

SECOND = 1_000_000
LAG_SECONDS = 300
"""A followed pipeline whose watermark is further behind the clock is pointed at."""
PARTITIONS = 30
"""So many partitions are shown, those furthest behind first; all with ``--json``."""

_TIMES = (
    *("at", "watermark", "newest", "opened_at", "last_firing_at", "started_at"),
    "source_away_since",
)


def lines(status: Status) -> Iterator[str]:
    """The status as text; colours are for a terminal."""
    yield from _head(status)
    attention = list(_attention(status))
    if attention:
        yield ""
        yield from (click.style(f"! {line}", fg="red", bold=True) for line in attention)
    for title, body in _sections(status):
        yield ""
        yield click.style(title, bold=True)
        yield from body


def as_document(status: Status) -> dict[str, object]:
    """The status as JSON, its times as ISO 8601."""
    document = _instants(asdict(status))
    assert isinstance(document, dict)  # noqa: S101 - a dataclass
    return {**document, "running": status.process is not None, "adds_up": status.adds_up}


def _instants(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: iso(inner) if name in _TIMES and isinstance(inner, int) else _instants(inner)
            for name, inner in value.items()
        }
    return [_instants(inner) for inner in value] if isinstance(value, list | tuple) else value


def _head(status: Status) -> Iterator[str]:
    process = status.process
    if process is not None:
        how = "reading to the end" if process.bounded else "following"
        said = f"running as process {process.pid} for {elapsed(process.seconds)}, {how}"
        said = click.style(said, fg="green")
    elif status.finished:
        said = "not running; its input was read to the end"
    else:
        said = click.style("not running", fg="yellow")
    yield f"{click.style(status.pipeline, bold=True)}: {said}"
    store = one_line(status.store)
    yield f"store {store}, {size(status.store_bytes)}, epoch {number(status.epoch)}"


def _attention(status: Status) -> Iterator[str]:
    if not status.adds_up:
        yield "the counts of records do not add up: this is a defect, please report it"
    for rule in status.rules:
        if not rule.adds_up:
            yield f"the counts of {rule.name} do not add up: this is a defect, please report it"
    if status.source_error is not None and status.source_away_since is not None:
        since = status.source_away_since
        away = elapsed(max(0, status.at - since) / SECOND)
        yield f"the source: {_told(status.source_error)} (since {moment(since)}, for {away})"
    yield from references_in_trouble(status.references)
    yield from _outputs_in_trouble(status.outputs)
    process = status.process
    if process is not None and process.reload_error is not None:
        yield f"the changed pipeline file was not taken up: {_told(process.reload_error)}"
    if process is not None and not process.bounded and status.watermark is not None:
        behind = (status.at - status.watermark) / SECOND
        slowest = status.slowest
        if behind > LAG_SECONDS and slowest is not None:
            yield f"the watermark is {elapsed(behind)} behind; {_slowest(status)}"


def _outputs_in_trouble(outputs: Sequence[OutputStatus]) -> Iterator[str]:
    for output in outputs:
        if output.error is not None:
            waiting = f"{number(output.waiting_rows)} rows wait"
            yield f"output {output.name}: {_told(output.error)} ({waiting})"
        elif output.kind == REMOVED:
            yield (
                f"output {output.name} is not in the pipeline any more, and"
                f" {number(output.waiting_rows)} rows wait for it: put it back, or drop them"
                " (tailrace outbox drop)"
            )


def _sections(status: Status) -> Iterator[tuple[str, list[str]]]:
    yield "WATERMARK", list(_watermark(status))
    yield "RECORDS", list(_records(status))
    yield from _section("PARTITIONS", _partitions(status))
    yield from _section("RULES", _rules(status))
    yield from _section("LABELS", _labels(status))
    yield from _section("REFERENCES", references(status.references))
    yield from _section("VERDICTS", _verdicts(status))
    yield from _section("STATE", _state(status))
    opened = f"INCIDENTS  {number(status.incidents)} open"
    yield opened, [*_incidents(status.oldest_incidents, status)]
    yield from _section("OUTPUTS", _outputs(status.outputs, status.tables))
    yield from _section(f"DEAD LETTERS  {number(status.dead)}", _dead(status))
    yield from _section("NOTES", _counted(status.notes))
    yield from _section("SPARK", _spark(status))
    yield from _section("TIME BY STAGE", _times(status))


def _section(title: str, body: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    found = list(body)
    if found:
        yield title, found


def _watermark(status: Status) -> Iterator[str]:
    if status.finished and status.newest is not None:
        yield f"  the input has ended; its newest event is of {moment(status.newest)}"
        return
    if status.watermark is None:
        waiting = _slowest(status) if status.newest is not None else "no event was read"
        yield f"  none yet: {waiting}"
        return
    parts = [moment(status.watermark)]
    led = status.newest is not None and status.watermark > status.newest
    if status.newest is not None and not led:
        parts.append(_apart(status.watermark, status.newest, "the newest event"))
    if status.process is not None and not status.process.bounded:
        parts.append(_apart(status.watermark, status.at, "the clock"))
    yield "  " + ", ".join(parts)
    if led:
        yield f"  no input: it follows the clock; the newest event is of {moment(status.newest)}"
    live = sum(p.liveness == "live" for p in status.partitions)
    if live > 1:
        yield f"  {_slowest(status)}"


def _apart(watermark: int, other: int, name: str) -> str:
    seconds = (other - watermark) / SECOND
    return f"{elapsed(abs(seconds))} {'behind' if seconds >= 0 else 'ahead of'} {name}"


def _slowest(status: Status) -> str:
    slowest = status.slowest
    if slowest is None:
        return "no partition is live"
    if slowest.newest is None:
        return f"{one_line(slowest.name)} is live and has had no event"
    return (
        f"{one_line(slowest.name)} holds it back, its newest event is of {moment(slowest.newest)}"
    )


def _records(status: Status) -> Iterator[str]:
    sign = "=" if status.adds_up else "!="
    told = (
        f"  {number(status.read)} read {sign} {number(status.events)} events"
        f" + {number(status.dead)} dead + {number(status.blank)} blank"
    )
    if status.process is not None:
        told += f"    {number(status.process.records_per_second)}/s"
    yield told + f"    {size(status.bytes)}"
    if status.duplicates:
        yield f"  {number(status.duplicates)} of the events are duplicates"
    for name, errors in sorted(status.derive_errors.items()):
        if errors:
            yield f"  {name} could not be derived for {number(errors)} events"


def _partitions(status: Status) -> Iterator[str]:
    rows = [("", "state", "newest event", "generation", "position", "records")]
    order = sorted(status.partitions, key=lambda p: (p.newest is not None, p.newest or 0, p.name))
    for p in order[:PARTITIONS]:
        where = (number(p.generation), number(p.position), number(p.read))
        rows.append((one_line(p.name), p.liveness, moment(p.newest), *where))
    if len(rows) > 1:
        yield from aligned(rows, right=(3, 4, 5))
    if len(order) > PARTITIONS:
        yield f"  and {number(len(order) - PARTITIONS)} more"


def _rules(status: Status) -> Iterator[str]:
    head = ("", "events", "=", "filtered", "+", "late", "+", "evicted", "+", "accepted")
    rows = [(*head, "errors", "firings", "open windows")]
    rows += [
        (
            rule.name,
            number(rule.events),
            "=" if rule.adds_up else "!=",
            number(rule.filtered),
            "+",
            number(rule.late),
            "+",
            number(rule.evicted),
            "+",
            number(rule.accepted),
            number(rule.errors),
            number(rule.firings),
            "-" if rule.open_windows is None else number(rule.open_windows),
        )
        for rule in status.rules
    ]
    if len(rows) > 1:
        yield from aligned(rows, right=range(1, 13))
    for rule in status.rules:
        if rule.forgotten:
            yield f"  {rule.name}: {number(rule.forgotten)} keys forgotten (limits.max_keys)"


def _labels(status: Status) -> Iterator[str]:
    rows = [
        (rule.name, label, number(events))
        for rule in status.rules
        for label, events in sorted(rule.labels.items())
    ]
    if rows:
        yield from aligned(rows, right=(2,))


def _state(status: Status) -> Iterator[str]:
    rows = [("", "keys", "rows", "bytes")]
    rows += [
        (", ".join(group.rules), number(group.keys), number(group.rows), size(group.bytes))
        for group in status.groups
    ]
    if len(rows) > 1:
        yield from aligned(rows, right=(1, 2, 3))


def _verdicts(status: Status) -> Iterator[str]:
    rows = [("", "listed keys"), *((o.name, number(o.listed)) for o in status.verdicts)]
    if len(rows) > 1:
        yield from aligned(rows, right=(1,))
    if status.held_rows:
        yield f"  {number(status.held_rows)} archived events wait, {size(status.held_bytes)}"


def _incidents(incidents: Sequence[IncidentStatus], status: Status) -> Iterator[str]:
    now = status.watermark or status.newest or status.at
    rows = []
    for incident in incidents:
        key = " ".join(f"{one_line(n)}={one_line(str(v))}" for n, v in incident.key.items())
        age = elapsed(max(0, now - incident.opened_at) / SECOND)
        said = one_line(incident.summary)
        rows.append((incident.rule, key, f"since {moment(incident.opened_at)}", f"({age})", said))
    yield from aligned(rows)
    if status.incidents > len(incidents):
        yield f"  and {number(status.incidents - len(incidents))} more: table incidents"


def _outputs(outputs: Sequence[OutputStatus], tables: Mapping[str, int]) -> Iterator[str]:
    rows = [("", "kind", "rows", "waiting", "bytes", "")]
    for output in outputs:
        table = output.kind.removeprefix("table ") if output.kind.startswith("table ") else None
        delivered = tables.get(table, 0) if table is not None else output.delivered
        waiting = (number(output.waiting_rows), size(output.waiting_bytes))
        error = "" if output.error is None else _told(output.error)
        rows.append((output.name, output.kind, number(delivered), *waiting, error))
    if len(rows) > 1:
        yield from aligned(rows, right=(2, 3, 4))


def _dead(status: Status) -> Iterator[str]:
    meanings = {code.value: code.meaning for code in Code}
    codes = sorted(status.dead_by_code.items(), key=lambda item: -item[1])
    rows = [(number(count), code, meanings.get(code, "")) for code, count in codes]
    yield from aligned(rows, right=(0,))


def _counted(counts: Mapping[str, int]) -> Iterator[str]:
    rows = [(number(count), one_line(name)) for name, count in sorted(counts.items())]
    yield from aligned(rows, right=(0,))


def _spark(status: Status) -> Iterator[str]:
    spark = None if status.process is None else status.process.spark
    if spark is not None and spark.batch < 0:
        yield "  no batch is done yet; the first one takes longest, for Java and Python start"
    elif spark is not None:
        told = f"  batch {number(spark.batch)} took {elapsed(spark.batch_seconds)}"
        if spark.rows_per_second is not None:
            told += f", {number(spark.rows_per_second)} messages/s"
        yield told
        held = f"{size(spark.state_bytes)} in files, {size(spark.state_memory_bytes)} in memory"
        yield f"  state {number(spark.state_rows)} rows, {held}"


def _times(status: Status) -> Iterator[str]:
    if status.process is not None:
        seconds = status.process.seconds
        rows = [
            (stage, elapsed(spent), f"{spent / seconds:.0%}" if seconds > 0 else "")
            for stage, spent in status.process.times.items()
        ]
        yield from aligned(rows, right=(1, 2))


def _told(error: str) -> str:
    """An error with its hints on one line."""
    return one_line(error.replace("\n  Hint: ", "; "))
