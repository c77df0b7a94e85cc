"""Which attacks were found, by which rule, how soon; and which alerts nobody caused."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tailrace.cli.columns import aligned, moment
from tailrace.cli.running.news import Item, Kind
from tailrace.generate.attacks import KINDS

if TYPE_CHECKING:
    from tailrace.cli.demonstration.traffic import Traffic
    from tailrace.cli.running.display import Display, Level
    from tailrace.cli.running.moment import Moment, Summary
    from tailrace.generate.episodes import Episode
    from tailrace.outputs import Output

RULES = {
    "flood": "client_flood",
    "failing-host": "host_errors",
    "slow-host": "slow_host",
    "scanner": "scanner",
}
"""The rule that should find each kind of attack."""

AFTERMATH_US = 10_000_000
"""So long after its end an attack can still be in a window."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it was shown; ``at_us``: when, ``about_us``: the end of its window."""

    rule: str
    key: str
    at_us: int
    about_us: int
    word: str


@dataclass(slots=True)
class Finding:
    """What became of one attack."""

    episode: Episode
    first: Alert | None = None
    resolved_us: int | None = None


class Scored:
    """A display that passes on to another, tells of attacks as they begin and keeps the score."""

    def __init__(self, display: Display, traffic: Traffic) -> None:
        self._display = display
        self._traffic = traffic
        self._told = 0
        self.printed, self.logged = display.printed, display.logged
        self.alerts: list[Alert] = []
        self.ends: list[Alert] = []

    def start(self) -> None:
        """See ``Display``."""
        self._display.start()

    def terminal(self) -> Output:
        """See ``Display``."""
        return self._display.terminal()

    def news(self, items: Iterable[Item]) -> None:
        """See ``Display``; takes note of the time."""
        told = list(items)
        self._display.news(told)
        now_us = time.time_ns() // 1000
        for item in told:
            if item.kind is Kind.NOTICE:
                self.alerts.append(_alert(item, now_us, "early notice"))
            elif item.kind is Kind.INCIDENT and item.document["reason"] == "opened":
                self.alerts.append(_alert(item, now_us, "incident"))
            elif item.kind is Kind.INCIDENT and item.document["state"] == "resolved":
                self.ends.append(_alert(item, now_us, "resolved"))

    def say(self, lines: Sequence[str], level: Level = "info") -> None:
        """See ``Display``."""
        self._display.say(lines, level)

    def tick(self, now: Moment) -> None:
        """See ``Display``; tells of attacks that have begun."""
        if self._traffic.failure is not None:
            raise self._traffic.failure
        episodes = self._traffic.episodes()
        for episode in episodes[self._told :]:
            began = f"{moment(episode.start_us)}  attack    {episode.kind}"
            self._display.say([f"{began}  {_whom(episode)} begins"])
        self._told = len(episodes)
        self._display.tick(now)

    def stop(self) -> None:
        """See ``Display``."""
        self._display.stop()

    def summary(self, summary: Summary) -> None:
        """See ``Display``."""
        self._display.summary(summary)


def findings(
    episodes: Iterable[Episode], alerts: Sequence[Alert], ends: Sequence[Alert]
) -> tuple[list[Finding], list[Alert]]:
    """What became of each attack, and the alerts that none of them explains."""
    found = [Finding(episode) for episode in episodes]
    unexplained: list[Alert] = []
    for alert in alerts:
        causes = [finding for finding in found if _explains(finding.episode, alert)]
        for finding in causes:
            finding.first = finding.first or alert
        if not causes:
            unexplained.append(alert)
    for end in ends:
        for finding in found:
            if _explains(finding.episode, end) and finding.first is not None:
                finding.resolved_us = end.at_us
    return found, unexplained


def table(found: Sequence[Finding], unexplained: Sequence[Alert]) -> Iterator[str]:
    """The score, as lines."""
    hits = sum(finding.first is not None for finding in found)
    alarms = "false alarm" if len(unexplained) == 1 else "false alarms"
    yield f"{hits} of {len(found)} attacks found, {len(unexplained)} {alarms}"
    rows = [("attack", "by or on", "began", "found by", "after", "as", "resolved")]
    for finding in found:
        episode, first = finding.episode, finding.first
        began = (episode.kind, _whom(episode), _clock(episode.start_us))
        if first is None:
            rows.append((*began, "not found", "", "", ""))
            continue
        after = f"{(first.at_us - episode.start_us) / 1e6:.1f} s"
        end = "open" if finding.resolved_us is None else _clock(finding.resolved_us)
        rows.append((*began, first.rule, after, first.word, end))
    yield from aligned(rows, right=(4,))
    for alert in unexplained:
        yield f"  false alarm: {alert.rule} {alert.key} at {_clock(alert.at_us)}"


def _explains(episode: Episode, alert: Alert) -> bool:
    return (
        RULES[episode.kind] == alert.rule
        and episode.key == alert.key
        and episode.start_us <= alert.about_us <= episode.end_us + AFTERMATH_US
    )


def _alert(item: Item, now_us: int, word: str) -> Alert:
    document = item.document
    end = datetime.fromisoformat(document["window"]["end"])
    (key,) = document["key"].values()
    return Alert(document["rule"], str(key), now_us, int(end.timestamp() * 1_000_000), word)


def _whom(episode: Episode) -> str:
    return f"{KINDS[episode.kind].field}={episode.key}"


def _clock(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%H:%M:%S")
