"""Incidents as bars along time, a lane for each key, over the episodes that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.backtest.comparing import key_words
from tailrace.backtest.html.axes import (
    RIGHT,
    WIDTH,
    Scale,
    moment,
    plot,
    time_ticks,
    x_axis,
)
from tailrace.backtest.html.colours import colour
from tailrace.backtest.html.markup import Markup, joined, tag
from tailrace.backtest.words import clock, key, length

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailrace.backtest.history import Incident
    from tailrace.backtest.report import Buckets, Report

MOST_LANES = 24
_LANE, _TOP, _NAMES, _LETTERS = 22, 8, 220, 30

Lane = tuple[tuple[str, str], ...]


def timeline(report: Report) -> Markup | None:
    """The plot; None without a key to give a lane to."""
    buckets = report.buckets
    lanes = _lanes(report)
    if buckets is None or not lanes:
        return None
    begin, end = buckets.start, buckets.start + buckets.number * buckets.width
    x = Scale(begin, end, _NAMES, WIDTH - RIGHT)
    bottom = _TOP + len(lanes) * _LANE
    ticks, pattern = time_ticks(begin, end)
    places = {lane: _TOP + place * _LANE for place, lane in enumerate(lanes)}
    return plot(
        bottom + 28,
        "Incidents by key",
        x_axis([(x(tick), moment(tick, pattern)) for tick in ticks], _TOP, bottom),
        joined(*_names(places)),
        joined(*_episodes(report, places, x, buckets)),
        joined(*_incidents(report, places, x)),
    )


def _lanes(report: Report) -> list[Lane]:
    """Keys that did wrong first, then those accused most often."""
    guilty = [outcome.episode.subject for outcome in report.outcomes]
    accused = [tuple(zip(top.fields, top.values, strict=True)) for top in report.top]
    known = {subject for lane in accused for subject in (lane, tuple(sorted(lane)))}
    found = [lane for lane in accused if tuple(sorted(lane)) in set(guilty)]
    others = [lane for lane in accused if lane not in set(found)]
    missed = [subject for subject in guilty if subject not in known]
    wanted = list(dict.fromkeys((*found[: MOST_LANES // 2], *missed, *others, *found)))
    return wanted[:MOST_LANES]


def _names(places: Mapping[Lane, float]) -> Iterator[Markup]:
    for lane, top in places.items():
        name = key([field for field, _ in lane], [value for _, value in lane])
        short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
        middle = top + _LANE / 2 + 4
        yield tag(
            "text",
            tag("title", name),
            short,
            x=_NAMES - 10,
            y=middle,
            text_anchor="end",
            class_="name",
        )


def _episodes(
    report: Report, places: Mapping[Lane, float], x: Scale, buckets: Buckets
) -> Iterator[Markup]:
    begin, end = buckets.start, buckets.start + buckets.number * buckets.width
    for outcome in report.outcomes:
        episode = outcome.episode
        lane = next((lane for lane in places if tuple(sorted(lane)) == episode.subject), None)
        if lane is None:
            continue
        low = begin if episode.start is None else max(begin, episode.start)
        high = end if episode.end is None else min(end, episode.end)
        if high < low:
            continue
        found = f"found by {outcome.rule}, {length(outcome.after)} after its start"
        told = f"{episode.kind or 'episode'}: {found if outcome.rule else 'not found'}"
        yield _bar(x, low, high, places[lane] + 1, _LANE - 2, "truth", told)


def _incidents(report: Report, places: Mapping[Lane, float], x: Scale) -> Iterator[Markup]:
    """A bar each; of a key that several rules accuse, one rule's bars are below another's."""
    colours = {rule.name: colour(number) for number, rule in enumerate(report.rules)}
    by_lane: dict[float, list[Incident]] = {}
    for incident in report.incidents:
        lane = tuple(zip(incident.key, key_words(incident), strict=True))
        top = places.get(lane, places.get(tuple(sorted(lane))))
        if top is not None:
            by_lane.setdefault(top, []).append(incident)
    for top, incidents in by_lane.items():
        rules = sorted({incident.rule for incident in incidents}, key=list(colours).index)
        height = max(2.0, (_LANE - 8) / len(rules) - 1) if len(rules) > 1 else _LANE - 12
        for incident in incidents:
            begin, end = incident.opened_at, incident.ended_at
            below = (
                5 + rules.index(incident.rule) * (_LANE - 8) / len(rules) if len(rules) > 1 else 6
            )
            class_ = f"mark {colours[incident.rule]}"
            yield _bar(x, begin, end, top + below, height, class_, _told(incident))


def _told(incident: Incident) -> str:
    end = "open at the end" if incident.resolved_at is None else length(incident.duration)
    return f"{incident.rule}: {clock(incident.opened_at)}, {end}"


def _bar(
    x: Scale, begin: int, end: int, top: float, height: float, class_: str, told: str
) -> Markup:
    left = min(max(x(begin), x.begin), x.end)
    right = min(max(x(end), left + 2), x.end + 2)
    return tag(
        "rect",
        tag("title", told),
        x=left,
        y=top,
        width=right - left,
        height=height,
        rx=2,
        class_=class_,
    )
