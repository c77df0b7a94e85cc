"""The tables of a report as rows of words, which text and HTML both show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.backtest.comparing import key_words
from tailrace.backtest.words import NONE, by_day, clock, count, key, length, per_time, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.backtest.comparing import Difference
    from tailrace.backtest.history import Incident
    from tailrace.backtest.report import KeyReport, Report, SweepReport
    from tailrace.backtest.scores import Score
    from tailrace.backtest.scoring import Outcome

_SCORES = ("precision", "recall", "F1", "ordinary", "detected", "p90")
_RIGHTLY = {True: "yes", False: "no", None: NONE}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below a head; ``right`` are the columns aligned to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int]


def rules_table(report: Report) -> Table:
    """A row a rule, with its scores where there is a truth, and one for all together."""
    scored = any(rule.score for rule in report.rules)
    rate = "a day" if by_day(report) else "an hour"
    head = ["rule", "alerts", rate, "keys", "firings", "median", "longest", "open"]
    rows: list[list[str]] = []
    for rule in report.rules:
        cells = [rule.name, count(rule.alerts), per_time(rule.alerts, report)]
        if rule.judges_events:
            cells += [NONE] * 5
        else:
            cells += [count(rule.keys), count(rule.firings), length(rule.median_duration)]
            cells += [length(rule.longest_duration), count(rule.still_open)]
        rows.append([*cells, *(_score(rule.score) if scored else ())])
    if scored and len(report.rules) > 1:
        total = sum(rule.alerts for rule in report.rules)
        cells = ["all", count(total), per_time(total, report), count(report.accused)]
        rows.append([*cells, "", "", "", "", *_score(report.score)])
    return _table([*head, *(_SCORES if scored else ())], rows, but={0})


def keys_table(report: Report, keys: Sequence[KeyReport]) -> Table:
    """A row for each of the keys."""
    judged = any(each.guilty is not None for each in report.top)
    head = ["key", "incidents", "open for", "first", *(["rightly"] if judged else []), "rules"]
    rows = [
        [
            key(each.fields, each.values),
            count(each.incidents),
            length(each.firing),
            clock(each.first),
            *([_RIGHTLY[each.guilty]] if judged else []),
            ", ".join(each.rules),
        ]
        for each in keys
    ]
    return _table(head, rows, only={1, 2})


def outcomes_table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each of the episodes."""
    rows = []
    for outcome in outcomes:
        episode = outcome.episode
        fields = [name for name, _ in episode.subject]
        values = [value for _, value in episode.subject]
        rows.append(
            [
                episode.kind or NONE,
                key(fields, values),
                clock(episode.start),
                clock(episode.end),
                outcome.rule or "nobody",
                length(outcome.after),
            ]
        )
    return _table(["episode", "key", "from", "to", "found by", "after"], rows, only={5})


def sweep_table(sweep: SweepReport) -> Table:
    """A row for each threshold."""
    scored = any(point.score for point in sweep.points)
    head = ["threshold", "", "incidents", "keys", "firings", "median"]
    rows = []
    for place, point in enumerate(sweep.points):
        mark = [*(["now"] if point.current else []), *(["best"] if place == sweep.best else [])]
        cells = [point.value, " ".join(mark), count(point.alerts), count(point.keys)]
        cells += [count(point.firings), length(point.median_duration)]
        rows.append([*cells, *(_score(point.score) if scored else ())])
    return _table([*head, *(_SCORES if scored else ())], rows, but={1})


def sides_table(found: Difference) -> Table:
    """How many keys and incidents are of both sides, how many of one."""
    rows = []
    for each in found.keys:
        numbers = (each.both, len(each.only_here), len(each.only_there))
        rows.append([", ".join(each.fields), *(count(number) for number in numbers)])
    numbers = (found.equal + len(found.changed), len(found.only_here), len(found.only_there))
    rows.append(["incidents", *(count(number) for number in numbers)])
    return _table(["key", "both", "only here", "only there"], rows, but={0})


def scores_table(report: Report) -> Table:
    """The scores of both sides."""
    rows = [["here", *_score(report.score)], ["there", *_score(report.against_score)]]
    return _table(["", *_SCORES], rows, but={0})


def incidents_table(incidents: Sequence[Incident]) -> Table:
    """A row for each of the incidents."""
    rows = [
        [
            incident.rule,
            key(tuple(incident.key), key_words(incident)),
            clock(incident.opened_at),
            length(incident.duration),
        ]
        for incident in incidents
    ]
    return _table(["rule", "key", "opened", "open for"], rows, only={3})


def _score(score: Score | None) -> list[str]:
    if score is None:
        return [NONE] * len(_SCORES)
    return [
        share(score.precision),
        share(score.recall),
        NONE if score.f1 is None else f"{score.f1:.3f}",
        share(score.ordinary_share),
        length(score.detect_median),
        length(score.detect_p90),
    ]


def _table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    but: set[int] | None = None,
    only: set[int] | None = None,
) -> Table:
    right = only if only is not None else set(range(len(head))) - (but or set())
    return Table(tuple(head), tuple(tuple(row) for row in rows), frozenset(right))
