"""From what runs found to a report."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING

from tailrace.backtest.comparing import compare, key_words
from tailrace.backtest.report import (
    Buckets,
    Input,
    KeyReport,
    Point,
    Report,
    RuleReport,
    SweepReport,
)
from tailrace.backtest.scoring import Judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.backtest.history import History, Incident, RuleHistory
    from tailrace.backtest.scores import Score
    from tailrace.backtest.scoring import Finds
    from tailrace.backtest.sweep import Sweep
    from tailrace.backtest.truth import Truth

MOST_BUCKETS = 60
TOP_KEYS = 20

_SECOND = 1_000_000
_WIDTHS = tuple(
    _SECOND * seconds
    for seconds in (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_592_000)
)


def make_report(
    history: History,
    names: Sequence[str],
    *,
    truth: Truth | None = None,
    finds: Finds | None = None,
    sweeps: Sequence[Sweep] = (),
    against: History | None = None,
) -> Report:
    """The report of a run; ``names`` are those of what was read.

    ``sweeps``: those whose copies ran with it; ``against``: what another pipeline found in the same
    data; ``finds``: see ``Judge``. TailraceError if the truth fits no rule.
    """
    judge = None if truth is None else Judge(truth, history, finds)
    buckets = _buckets(history)
    incidents = [incident for rule in history.rules for incident in rule.incidents]
    top, accused = _top(history.rules, judge)
    return Report(
        pipeline=history.pipeline,
        input=Input(
            tuple(names),
            history.read,
            history.events,
            history.dead,
            history.blank,
            history.outside,
            history.begins,
            history.ends,
            history.seconds,
        ),
        buckets=buckets,
        rules=tuple(_rule(rule, buckets, judge) for rule in history.rules),
        score=judge.score(history.rules) if judge else None,
        top=top,
        accused=accused,
        outcomes=tuple(judge.outcomes(history.rules)) if judge else (),
        sweeps=tuple(_sweep(sweep, history, judge) for sweep in sweeps),
        against=None if against is None else compare(history, against),
        against_score=judge.score(against.rules) if judge and against else None,
        incidents=sorted(incidents, key=lambda incident: (incident.opened_at, incident.rule)),
        series=history.series,
    )


def _buckets(history: History) -> Buckets | None:
    if history.begins is None or history.ends is None:
        return None
    instants = [at for rule in history.rules for at in rule.times()]
    begin, end = min((history.begins, *instants)), max((history.ends, *instants))
    for width in _WIDTHS:
        number = end // width - begin // width + 1
        if number <= MOST_BUCKETS:
            return Buckets(begin // width * width, width, number)
    width = -(-(end - begin + 1) // (MOST_BUCKETS - 1))
    return Buckets(begin, width, (end - begin) // width + 1)


def _rule(rule: RuleHistory, buckets: Buckets | None, judge: Judge | None) -> RuleReport:
    times = rule.times()
    per_bucket: list[int] = []
    if buckets is not None:
        counts = Counter((at - buckets.start) // buckets.width for at in times)
        per_bucket = [counts[place] for place in range(buckets.number)]
    durations = [incident.duration for incident in rule.incidents]
    return RuleReport(
        name=rule.name,
        fields=rule.keys,
        judges_events=rule.judges_events,
        alerts=len(times),
        keys=len({key_words(incident) for incident in rule.incidents}),
        firings=rule.firings,
        errors=rule.errors,
        per_bucket=tuple(per_bucket),
        median_duration=_median(durations),
        longest_duration=max(durations, default=None),
        still_open=sum(incident.resolved_at is None for incident in rule.incidents),
        score=judge.score([rule]) if judge else None,
    )


def _top(rules: Sequence[RuleHistory], judge: Judge | None) -> tuple[tuple[KeyReport, ...], int]:
    """The keys with the most incidents, then the longest; and how many keys there are."""
    by_key: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[Incident]] = defaultdict(list)
    for rule in rules:
        for incident in rule.incidents if rule.keys else ():
            by_key[rule.keys, key_words(incident)].append(incident)
    found = [
        KeyReport(
            fields,
            values,
            tuple(dict.fromkeys(incident.rule for incident in incidents)),
            len(incidents),
            sum(incident.duration for incident in incidents),
            min(incident.opened_at for incident in incidents),
            judge.guilty(dict(zip(fields, values, strict=True))) if judge else None,
        )
        for (fields, values), incidents in by_key.items()
    ]
    found.sort(key=lambda key: (-key.incidents, -key.firing, key.first, key.fields, key.values))
    return tuple(found[:TOP_KEYS]), len(found)


def _sweep(sweep: Sweep, history: History, judge: Judge | None) -> SweepReport:
    points = []
    for value, copy in zip(sweep.values, sweep.copies, strict=True):
        found = history.copies[copy.identity]
        points.append(
            Point(
                value=f"{value:f}",
                current=value == sweep.current,
                alerts=len(found.incidents),
                keys=len({key_words(incident) for incident in found.incidents}),
                firings=found.firings,
                median_duration=_median([incident.duration for incident in found.incidents]),
                score=judge.score([found]) if judge else None,
            )
        )
    return SweepReport(sweep.rule.name, sweep.measure, sweep.text, tuple(points), _best(points))


def _best(points: Sequence[Point]) -> int | None:
    """The greatest F1; of equal ones the middle, which is the furthest from harm."""
    values = [_f1(point.score) for point in points]
    known = [value for value in values if value is not None]
    if not known or not max(known):
        return None
    places = [place for place, value in enumerate(values) if value == max(known)]
    return places[len(places) // 2]


def _f1(score: Score | None) -> float | None:
    return None if score is None else score.f1


def _median(values: Sequence[int]) -> int | None:
    return int(median(values)) if values else None
