"""The page: what is on it, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.backtest.html.bars import alerts_over_time
from tailrace.backtest.html.colours import colour, legend
from tailrace.backtest.html.curves import sweep_plots
from tailrace.backtest.html.markup import Markup, joined, tag
from tailrace.backtest.html.measured import measured
from tailrace.backtest.html.style import STYLE
from tailrace.backtest.html.timeline import timeline
from tailrace.backtest.tables import (
    Table,
    incidents_table,
    keys_table,
    outcomes_table,
    rules_table,
    scores_table,
    sides_table,
    sweep_table,
)
from tailrace.backtest.words import account, clock, count, found_episodes, length, share, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.backtest.comparing import Difference
    from tailrace.backtest.report import Report

MOST_ROWS = 200
"""Episodes and incidents that are listed one by one."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report_html(report: Report) -> str:
    """The whole page; nothing in it is fetched, nothing runs."""
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", f"Backtest of {report.pipeline}"),
        tag("style", Markup(STYLE)),
    )
    body = tag("body", *_body(report))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _body(report: Report) -> Iterator[Markup]:
    given = report.input
    yield tag("h1", f"Backtest of {report.pipeline}")
    yield tag("p", ", ".join(given.names), class_="soft")
    when = f"{clock(given.begins)} to {clock(given.ends)}: " if given.begins is not None else ""
    yield tag("p", when + account(report), class_="soft")
    yield tag("div", *_tiles(report), class_="tiles")
    rules = legend((colour(place), rule.name) for place, rule in enumerate(report.rules))
    bars = alerts_over_time(report)
    if bars is not None and report.buckets is not None:
        yield tag("h2", f"Alerts by {span(report.buckets)}")
        yield joined(rules, bars)
    yield tag("h2", "Rules")
    yield _table(rules_table(report))
    for series in report.series:
        drawn = measured(series)
        if drawn is not None:
            yield tag("h2", f"{series.measure} by {length(series.size)}")
            yield drawn
    lanes = timeline(report)
    if lanes is not None:
        yield tag("h2", "Incidents by key")
        known = [("truth", "what really happened")] if report.outcomes else []
        entries = [(colour(place), rule.name) for place, rule in enumerate(report.rules)]
        yield joined(legend([*known, *entries]), lanes)
    for sweep in report.sweeps:
        yield tag("h2", f"{sweep.rule}: other thresholds than in {sweep.comparison}")
        yield sweep_plots(sweep)
        yield _table(sweep_table(sweep))
    if report.against is not None:
        yield from _against(report, report.against)
    if report.score is not None and report.outcomes:
        yield tag("h2", "What really happened")
        yield tag("p", found_episodes(report.score))
        outcomes = sorted(report.outcomes, key=lambda outcome: outcome.rule is not None)
        yield _table(outcomes_table(outcomes[:MOST_ROWS]))
        yield _more(len(outcomes))
    if report.top:
        yield tag("h2", "Keys with the most incidents")
        yield _table(keys_table(report, report.top))
        yield _more(report.accused, len(report.top))


def _tiles(report: Report) -> Iterator[Markup]:
    facts = [(count(sum(rule.alerts for rule in report.rules)), "alerts")]
    if any(rule.fields for rule in report.rules):
        facts.append((count(report.accused), "keys accused"))
    score = report.score
    if score is not None:
        facts += [
            (share(score.precision), "precision by key"),
            (share(score.recall_by_episode), "episodes found"),
            (share(score.ordinary_share), "of ordinary keys accused"),
            (length(score.detect_median), "median time to detect"),
        ]
    for value, name in facts:
        yield tag("div", tag("b", value), tag("span", name, class_="soft"), class_="tile")


def _against(report: Report, found: Difference) -> Iterator[Markup]:
    yield tag("h2", f"{report.pipeline} (here) against {found.pipeline} (there)")
    yield _table(sides_table(found))
    if report.against_score is not None:
        yield _table(scores_table(report))
    if found.changed:
        yield tag("p", f"{count(len(found.changed))} incidents of both have other times.")
    for side, incidents in (("here", found.only_here), ("there", found.only_there)):
        if incidents:
            yield tag("p", f"Incidents only {side}:")
            yield _table(incidents_table(incidents[:MOST_ROWS]))
            yield _more(len(incidents))


def _more(number: int, shown: int = MOST_ROWS) -> Markup:
    left = number - shown
    return tag("p", f"{count(left)} more are not shown.", class_="soft") if left > 0 else joined()


def _table(table: Table) -> Markup:
    def cells(name: str, row: tuple[str, ...]) -> Markup:
        parts = (
            tag(name, cell, class_="right" if place in table.right else None)
            for place, cell in enumerate(row)
        )
        return tag("tr", *parts)

    head = tag("thead", cells("th", table.head))
    body = tag("tbody", *(cells("td", row) for row in table.rows))
    tall = " tall" if len(table.rows) > 15 else ""
    return tag("div", tag("table", head, body), class_=f"scroll{tall}")
