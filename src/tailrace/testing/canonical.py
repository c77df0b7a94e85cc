"""An outcome as flat rows, for matching with expectations and for comparing byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from tailrace.testing.case import Kind
from tailrace.testing.outcome import (
    Archived,
    DeadLetter,
    EventAlert,
    Instant,
    Outcome,
    Revision,
    Value,
    Verdict,
    Window,
)

FOREVER = 2**62
"""The end of a verdict without one."""

Numbers = Mapping[tuple[str, int], int]
"""The number of a record in its partition, from 1, by (partition, position)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One result as a line of a test file would write it."""

    kind: Kind
    rule: str | None
    word: str | None
    window: tuple[int, int] | None
    record: tuple[str, int] | None
    values: Mapping[str, Value]


def shown(outcome: Outcome, numbers: Numbers) -> list[Shown]:
    """All results of an outcome but its counts, in a stable order."""
    found = [
        *(_revision(each) for each in outcome.revisions),
        *(_window(each) for each in outcome.windows),
        *(_event(each, numbers) for each in outcome.events),
        *(_dead(each, numbers) for each in outcome.dead),
        *(_verdict(each) for each in outcome.verdicts),
        *(_archived(each, numbers) for each in outcome.archived),
        *(Shown(Kind.METRICS, None, name, None, None, {"value": number})
          for name, number in outcome.metrics.items()),
    ]  # fmt: skip
    return sorted(found, key=_order)


def _order(row: Shown) -> tuple[object, ...]:
    life = [row.values.get(name) for name in ("@opened", "@revision", "@at", "@number")]
    return (
        row.kind,
        row.rule or "",
        row.record or ("", 0),
        [each.micros if isinstance(each, Instant) else each or 0 for each in life],
        row.window or (0, 0),
        json.dumps(_plain(row.values), sort_keys=True),
    )


def _revision(revision: Revision) -> Shown:
    resolved = revision.resolved_at
    values: dict[str, Value] = {
        **revision.key,
        **revision.measures,
        **_prefixed("label", revision.labels),
        **_prefixed("annotation", revision.annotations),
        "@revision": revision.revision,
        "@state": revision.state,
        "@started": Instant(revision.started_at),
        "@opened": Instant(revision.opened_at),
        "@last": Instant(revision.last_firing_at),
        "@resolved": None if resolved is None else Instant(resolved),
        "@flags": _flags(revision.flags),
        "@id": revision.id,
        "@fingerprint": revision.fingerprint,
    }
    window = (revision.start, revision.end)
    return Shown(Kind.ALERTS, revision.rule, revision.reason, window, None, values)


def _window(row: Window) -> Shown:
    values = {**row.key, **row.measures, "@id": row.id, "@flags": _flags(row.flags)}
    return Shown(Kind.WINDOWS, row.rule, None, (row.start, row.end), None, values)


def _event(alert: EventAlert, numbers: Numbers) -> Shown:
    values: dict[str, Value] = {
        **alert.fields,
        **_prefixed("label", alert.labels),
        **_prefixed("annotation", alert.annotations),
        "@id": alert.id,
        "@time": Instant(alert.time),
    }
    record = (alert.partition, numbers.get((alert.partition, alert.position), 0))
    return Shown(Kind.EVENTS, alert.rule, None, None, record, values)


def _dead(letter: DeadLetter, numbers: Numbers) -> Shown:
    record = (letter.partition, numbers.get((letter.partition, letter.position), 0))
    return Shown(Kind.DEAD, None, None, None, record, {"code": letter.code, "field": letter.field})


def _verdict(change: Verdict) -> Shown:
    seen = {"first_seen": change.first_seen, "last_seen": change.last_seen}
    values: dict[str, Value] = {
        **change.key,
        **change.measures,
        "@number": change.number,
        "@at": Instant(change.at),
        "@count": change.count,
        "@reasons": ",".join(f"{rule}:{count}" for rule, count in sorted(change.reasons.items())),
        **{f"@{name}": None if at is None else Instant(at) for name, at in seen.items()},
        "@listings": change.listings,
        "@comment": change.comment,
        "@id": change.id,
    }
    until = FOREVER if change.until is None else change.until
    return Shown(Kind.VERDICTS, change.list, change.state, (change.since, until), None, values)


def _archived(event: Archived, numbers: Numbers) -> Shown:
    record = (event.partition, numbers.get((event.partition, event.position), 0))
    values = {**event.fields, "@time": Instant(event.time)}
    return Shown(Kind.ARCHIVE, None, None, None, record, values)


def _prefixed(prefix: str, values: Mapping[str, str]) -> dict[str, Value]:
    return {f"{prefix}.{name}": value for name, value in values.items()}


def _flags(flags: tuple[str, ...]) -> str | None:
    return ",".join(sorted(flags)) or None


def canonical(outcome: Outcome) -> dict[str, list[str]]:
    """Sorted JSON lines by kind of result, equal exactly if the promise holds for both.

    Notices are left out, and so is which incident names them: they are outside the promise.
    """
    kinds: dict[str, Iterator[object]] = {
        "revisions": (_without_notices(each) for each in outcome.revisions),
        "windows": (_flags_sorted(asdict(each)) for each in outcome.windows),
        "events": (asdict(each) for each in outcome.events),
        "dead": (asdict(each) for each in outcome.dead),
        "verdicts": (asdict(each) for each in outcome.verdicts),
        "archived": (asdict(each) for each in outcome.archived),
        "counts": iter([asdict(outcome.counts)]),
        "rules": ({"rule": name, **asdict(each)} for name, each in outcome.rules.items()),
    }
    return {
        kind: sorted(json.dumps(_plain(row), sort_keys=True) for row in rows)
        for kind, rows in kinds.items()
    }


def _without_notices(revision: Revision) -> object:
    values = _flags_sorted(asdict(revision))
    return {name: each for name, each in values.items() if name != "notices"}


def _flags_sorted(values: dict[str, object]) -> dict[str, object]:
    """Flags are a set."""
    flags = values["flags"]
    return {**values, "flags": sorted(flags) if isinstance(flags, tuple) else flags}


def _plain(value: object) -> object:
    """Values as JSON has them; a time is marked, so that it differs from an integer."""
    if isinstance(value, Instant):
        return {"time": value.micros}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
