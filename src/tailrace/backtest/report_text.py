"""A report as lines for a terminal. Text from logs in it is as it is: who prints it escapes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.backtest.comparing import key_words
from tailrace.backtest.words import (
    NONE,
    account,
    by_day,
    clock,
    count,
    key,
    length,
    per_time,
    share,
    span,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tailrace.backtest.comparing import Difference
    from tailrace.backtest.history import Incident
    from tailrace.backtest.report import Report, SweepReport
    from tailrace.backtest.scores import Score

    Align = Callable[[Sequence[Sequence[str]], frozenset[int]], list[str]]

MOST_ROWS = 10
"""Keys, episodes and incidents that are listed one by one."""

_RIGHTLY = {True: "yes", False: "no", None: NONE}
_BLOCKS = " ▁▂▃▄▅▆▇█"
_SCORES = ("precision", "recall", "F1", "ordinary", "detected", "p90")


def report_lines(report: Report, align: Align) -> Iterator[str]:
    """The report; ``align`` puts rows of cells under each other, some columns to the right."""
    given = report.input
    yield f"Backtest of {report.pipeline} over {', '.join(given.names)}"
    if given.begins is None:
        yield f"{account(report)}: there was nothing to judge"
    else:
        assert given.ends is not None  # noqa: S101 - there are events
        took = f"{length(given.ends - given.begins)} of events in {given.seconds:.1f} s"
        yield f"{clock(given.begins)} to {clock(given.ends)}: {account(report)}; {took}"
    yield from _rules(report, align)
    yield from _spark(report, align)
    yield from _keys(report, align)
    yield from _outcomes(report, align)
    for sweep in report.sweeps:
        yield from _sweep(sweep, align)
    if report.against is not None:
        yield from _against(report, report.against, align)


def _rules(report: Report, align: Align) -> Iterator[str]:
    scored = any(rule.score for rule in report.rules)
    rate = "a day" if by_day(report) else "an hour"
    head = ["rule", "alerts", rate, "keys", "firings", "median", "longest", "open"]
    rows = [[*head, *(_SCORES if scored else ())]]
    for rule in report.rules:
        cells = [rule.name, count(rule.alerts), per_time(rule.alerts, report)]
        if rule.judges_events:
            cells += [NONE] * 5
        else:
            cells += [count(rule.keys), count(rule.firings), length(rule.median_duration)]
            cells += [length(rule.longest_duration), count(rule.still_open)]
        rows.append([*cells, *(_score(rule.score) if scored else ())])
    if scored:
        total = sum(rule.alerts for rule in report.rules)
        cells = ["all", count(total), per_time(total, report), count(report.accused)]
        rows.append([*cells, "", "", "", "", *_score(report.score)])
    yield ""
    yield from align(rows, frozenset(range(1, len(rows[0]))))
    errors = {rule.name: rule.errors for rule in report.rules if rule.errors}
    for name, number in errors.items():
        yield f"  {name}: {number:,} operations failed in its expressions (null, so not true)"


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


def _spark(report: Report, align: Align) -> Iterator[str]:
    buckets = report.buckets
    if buckets is None or buckets.number < 2:
        return
    rows = [[rule.name, f"|{sparkline(rule.per_bucket)}|"] for rule in report.rules if rule.alerts]
    if rows:
        most = max(max(rule.per_bucket) for rule in report.rules if rule.alerts)
        yield ""
        yield f"Alerts by {span(buckets)} from {clock(buckets.start)}, at most {most:,}:"
        yield from align(rows, frozenset())


def sparkline(values: Sequence[int]) -> str:
    """A character for each value; anything above zero can be seen."""
    most = max(values, default=0)
    if not most:
        return " " * len(values)
    return "".join(_BLOCKS[-(-value * (len(_BLOCKS) - 1) // most)] for value in values)


def _keys(report: Report, align: Align) -> Iterator[str]:
    if not report.top:
        return
    shown = report.top[:MOST_ROWS]
    judged = any(each.guilty is not None for each in shown)
    rows = [["key", "incidents", "open for", "first", *(["rightly"] if judged else []), "rules"]]
    rows += [
        [
            key(each.fields, each.values),
            count(each.incidents),
            length(each.firing),
            clock(each.first),
            *([_RIGHTLY[each.guilty]] if judged else []),
            ", ".join(each.rules),
        ]
        for each in shown
    ]
    yield ""
    yield f"Keys with the most incidents ({len(shown):,} of {report.accused:,}):"
    yield from align(rows, frozenset({1, 2}))


def _outcomes(report: Report, align: Align) -> Iterator[str]:
    if not report.outcomes or report.score is None:
        return
    score = report.score
    missed = [outcome for outcome in report.outcomes if outcome.rule is None]
    yield ""
    yield (
        f"{score.episodes_found:,} of {score.episodes:,} episodes found;"
        f" {score.incidents_rightly:,} of {score.incidents:,} incidents are in one;"
        f" {score.ordinary_accused:,} ordinary keys accused"
    )
    few = len(report.outcomes) <= MOST_ROWS
    listed = report.outcomes if few else missed[:MOST_ROWS]
    if not listed:
        return
    rows = [["episode", "key", "from", "found by", "after"]]
    for outcome in listed:
        episode = outcome.episode
        names = tuple(name for name, _ in episode.subject)
        values = tuple(value for _, value in episode.subject)
        rows.append(
            [
                episode.kind or NONE,
                key(names, values),
                clock(episode.start),
                outcome.rule or "nobody",
                length(outcome.after),
            ]
        )
    if not few:
        yield f"Not found ({len(listed):,} of {len(missed):,}):"
    yield from align(rows, frozenset({4}))


def _sweep(sweep: SweepReport, align: Align) -> Iterator[str]:
    scored = any(point.score for point in sweep.points)
    head = ["threshold", "", "incidents", "keys", "firings", "median"]
    rows = [[*head, *(_SCORES if scored else ())]]
    for place, point in enumerate(sweep.points):
        mark = [*(["now"] if point.current else []), *(["best"] if place == sweep.best else [])]
        cells = [point.value, " ".join(mark), count(point.alerts), count(point.keys)]
        cells += [count(point.firings), length(point.median_duration)]
        rows.append([*cells, *(_score(point.score) if scored else ())])
    yield ""
    yield f"{sweep.rule} with other thresholds than in {sweep.comparison}:"
    yield from align(rows, frozenset({0, *range(2, len(rows[0]))}))


def _against(report: Report, found: Difference, align: Align) -> Iterator[str]:
    yield ""
    yield f"{report.pipeline} (here) against {found.pipeline} (there):"
    rows = [["key", "both", "only here", "only there"]]
    for each in found.keys:
        names = ", ".join(each.fields)
        numbers = (each.both, len(each.only_here), len(each.only_there))
        rows.append([names, *(count(number) for number in numbers)])
    numbers = (found.equal + len(found.changed), len(found.only_here), len(found.only_there))
    rows.append(["incidents", *(count(number) for number in numbers)])
    yield from align(rows, frozenset({1, 2, 3}))
    if found.changed:
        yield f"  {len(found.changed):,} of the incidents of both have other times"
    if report.against_score is not None:
        rows = [["", *_SCORES], ["here", *_score(report.score)]]
        rows.append(["there", *_score(report.against_score)])
        yield from align(rows, frozenset(range(1, len(rows[0]))))
    for side, incidents in (("here", found.only_here), ("there", found.only_there)):
        if incidents:
            shown = incidents[:MOST_ROWS]
            yield f"Incidents only {side} ({len(shown):,} of {len(incidents):,}):"
            yield from align([_incident(each) for each in shown], frozenset())


def _incident(incident: Incident) -> list[str]:
    name = key(tuple(incident.key), key_words(incident))
    return [incident.rule, name, clock(incident.opened_at), length(incident.duration)]
