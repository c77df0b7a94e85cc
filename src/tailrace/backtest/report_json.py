"""A report as JSON; its form is documented in docs/backtest.md and stays as it is.

Times are ISO 8601, durations seconds, shares between 0 and 1; null is what isn't known.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from tailrace.alerts.incidents import json_values
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from tailrace.alerts.incidents import Json
    from tailrace.backtest.comparing import Difference
    from tailrace.backtest.history import Incident, Series
    from tailrace.backtest.report import Report, RuleReport, SweepReport
    from tailrace.backtest.scores import Score
    from tailrace.backtest.scoring import Outcome

VERSION = 1
"""Of the form: raised when something in it is renamed or removed."""


def report_json(report: Report) -> dict[str, Json]:
    """The whole report."""
    given, buckets = report.input, report.buckets
    return {
        "version": VERSION,
        "pipeline": report.pipeline,
        "input": {
            "names": list(given.names),
            "read": given.read,
            "events": given.events,
            "dead": given.dead,
            "blank": given.blank,
            "left_out": given.outside,
            "begins": _time(given.begins),
            "ends": _time(given.ends),
        },
        "buckets": None
        if buckets is None
        else {
            "start": iso(buckets.start),
            "seconds": buckets.width / 1e6,
            "number": buckets.number,
        },
        "rules": [_rule(rule) for rule in report.rules],
        "score": _score(report.score),
        "keys_accused": report.accused,
        "top_keys": [
            {
                "key": dict(zip(key.fields, key.values, strict=True)),
                "rules": list(key.rules),
                "incidents": key.incidents,
                "open_seconds": key.firing / 1e6,
                "first": iso(key.first),
                "guilty": key.guilty,
            }
            for key in report.top
        ],
        "episodes": [_outcome(outcome) for outcome in report.outcomes],
        "sweeps": [_sweep(sweep) for sweep in report.sweeps],
        "against": _against(report.against, report.against_score),
        "incidents": [_incident(incident) for incident in report.incidents],
        "series": [_series(series) for series in report.series],
    }


def _rule(rule: RuleReport) -> Json:
    return {
        "rule": rule.name,
        "key": list(rule.fields),
        "judges": "events" if rule.judges_events else "windows",
        "alerts": rule.alerts,
        "keys": rule.keys,
        "firings": rule.firings,
        "errors": rule.errors,
        "per_bucket": list(rule.per_bucket),
        "median_seconds": _seconds(rule.median_duration),
        "longest_seconds": _seconds(rule.longest_duration),
        "still_open": rule.still_open,
        "score": _score(rule.score),
    }


def _score(score: Score | None) -> Json:
    if score is None:
        return None
    return {
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "precision_by_incident": score.precision_by_incident,
        "recall_by_episode": score.recall_by_episode,
        "ordinary_share": score.ordinary_share,
        "keys_accused": score.accused,
        "keys_accused_rightly": score.accused_rightly,
        "keys_guilty": score.guilty,
        "keys_ordinary": score.ordinary,
        "keys_ordinary_accused": score.ordinary_accused,
        "incidents": score.incidents,
        "incidents_rightly": score.incidents_rightly,
        "episodes": score.episodes,
        "episodes_found": score.episodes_found,
        "detect_median_seconds": _seconds(score.detect_median),
        "detect_p90_seconds": _seconds(score.detect_p90),
    }


def _outcome(outcome: Outcome) -> Json:
    episode = outcome.episode
    return {
        "kind": episode.kind or None,
        "key": dict(episode.subject),
        "start": _time(episode.start),
        "end": _time(episode.end),
        "rule": outcome.rule,
        "detect_seconds": _seconds(outcome.after),
    }


def _sweep(sweep: SweepReport) -> Json:
    return {
        "rule": sweep.rule,
        "measure": sweep.measure,
        "comparison": sweep.comparison,
        "best": None if sweep.best is None else float(sweep.points[sweep.best].value),
        "points": [
            {
                "threshold": float(point.value),
                "current": point.current,
                "incidents": point.alerts,
                "keys": point.keys,
                "firings": point.firings,
                "median_seconds": _seconds(point.median_duration),
                "score": _score(point.score),
            }
            for point in sweep.points
        ],
    }


def _against(found: Difference | None, score: Score | None) -> Json:
    if found is None:
        return None
    return {
        "pipeline": found.pipeline,
        "score": _score(score),
        "keys": [
            {
                "key": list(each.fields),
                "both": each.both,
                "only_here": [list(words) for words in each.only_here],
                "only_there": [list(words) for words in each.only_there],
            }
            for each in found.keys
        ],
        "incidents": {
            "equal": found.equal,
            "changed": [
                {"here": _incident(here), "there": _incident(there)}
                for here, there in found.changed
            ],
            "only_here": [_incident(incident) for incident in found.only_here],
            "only_there": [_incident(incident) for incident in found.only_there],
        },
    }


def _incident(incident: Incident) -> Json:
    return {
        "rule": incident.rule,
        "key": json_values(incident.key),
        "began_at": iso(incident.begun_at),
        "opened_at": iso(incident.opened_at),
        "last_firing_at": iso(incident.last_firing_at),
        "resolved_at": _time(incident.resolved_at),
    }


def _series(series: Series) -> Json:
    return {
        "measure": series.measure,
        "window_seconds": series.size / 1e6,
        "ends": [iso(int(end)) for end in series.ends],
        "values": [_number(value) for value in series.values],
        "bounds": [
            {
                "rule": line.rule,
                "comparison": line.comparison,
                "values": [_number(bound) for bound in line.bounds],
            }
            for line in series.lines
        ],
    }


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _time(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1e6
