"""A report as lines for a terminal. Text from logs in it is as it is: who prints it escapes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from tailrace.backtest.words import account, clock, found_episodes, length, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tailrace.backtest.comparing import Difference
    from tailrace.backtest.report import Report

    Align = Callable[[Sequence[Sequence[str]], frozenset[int]], list[str]]

MOST_ROWS = 10
"""Keys, episodes and incidents that are listed one by one."""

_BLOCKS = " ▁▂▃▄▅▆▇█"


def report_lines(report: Report, align: Align) -> Iterator[str]:
    """The report; ``align`` puts rows of cells under each other, some columns to the right."""

    def lines(table: Table) -> list[str]:
        return align([table.head, *table.rows], table.right)

    given = report.input
    yield f"Backtest of {report.pipeline} over {', '.join(given.names)}"
    if given.begins is None or given.ends is None:
        yield f"{account(report)}: there was nothing to judge"
    else:
        took = f"{length(given.ends - given.begins)} of events in {given.seconds:.1f} s"
        yield f"{clock(given.begins)} to {clock(given.ends)}: {account(report)}; {took}"
    yield ""
    if not report.rules:
        yield "  no rule of this pipeline alerts"
    else:
        yield from lines(rules_table(report))
    for rule in report.rules:
        if rule.errors:
            yield f"  {rule.name}: {rule.errors:,} operations failed in its expressions"
    yield from _spark(report, align)
    if report.top:
        shown = report.top[:MOST_ROWS]
        yield from ("", f"Keys with the most incidents ({len(shown):,} of {report.accused:,}):")
        yield from lines(keys_table(report, shown))
    yield from _outcomes(report, lines)
    for sweep in report.sweeps:
        yield from ("", f"{sweep.rule} with other thresholds than in {sweep.comparison}:")
        yield from lines(sweep_table(sweep))
    if report.against is not None:
        yield from _against(report, report.against, lines)


def sparkline(values: Sequence[int]) -> str:
    """A character for each value; anything above zero can be seen."""
    most = max(values, default=0)
    if not most:
        return " " * len(values)
    return "".join(_BLOCKS[-(-value * (len(_BLOCKS) - 1) // most)] for value in values)


def _spark(report: Report, align: Align) -> Iterator[str]:
    buckets = report.buckets
    alerting = [rule for rule in report.rules if rule.alerts]
    if buckets is None or buckets.number < 2 or not alerting:
        return
    most = max(max(rule.per_bucket) for rule in alerting)
    yield ""
    yield f"Alerts by {span(buckets)} from {clock(buckets.start)}, at most {most:,}:"
    rows = [[rule.name, f"|{sparkline(rule.per_bucket)}|"] for rule in alerting]
    yield from align(rows, frozenset())


def _outcomes(report: Report, lines: Callable[[Table], list[str]]) -> Iterator[str]:
    if not report.outcomes or report.score is None:
        return
    yield from ("", found_episodes(report.score))
    listed = report.outcomes
    if len(listed) > MOST_ROWS:
        missed = tuple(outcome for outcome in report.outcomes if outcome.rule is None)
        listed = missed[:MOST_ROWS]
        if listed:
            yield f"Not found ({len(listed):,} of {len(missed):,}):"
    if listed:
        yield from lines(outcomes_table(listed))


def _against(
    report: Report, found: Difference, lines: Callable[[Table], list[str]]
) -> Iterator[str]:
    yield from ("", f"{report.pipeline} (here) against {found.pipeline} (there):")
    yield from lines(sides_table(found))
    if found.changed:
        yield f"  {len(found.changed):,} of the incidents of both have other times"
    if report.against_score is not None:
        yield from lines(scores_table(report))
    for side, incidents in (("here", found.only_here), ("there", found.only_there)):
        if incidents:
            shown = incidents[:MOST_ROWS]
            yield f"Incidents only {side} ({len(shown):,} of {len(incidents):,}):"
            yield from lines(incidents_table(shown))
