"""The configuration of a click-bot detector (``application.conf``) as a pipeline file.

That detector counts events, clicks, views and categories of each address in windows of event time,
and writes ``stat_ADDRESS`` and ``bot_ADDRESS`` to Redis. A bot is whoever has more events, more
clicks for each view (divided as integers), or more categories than the limits, or no view at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal

from tailrace.cli.importing.hocon import Setting, Settings
from tailrace.config.units import LONGEST, render_duration
from tailrace.errors import Problem, TailraceError, Where

_SECOND = 1_000_000
_UNITS = {
    **dict.fromkeys(("us", "micro", "micros", "microsecond", "microseconds"), 1),
    **dict.fromkeys(("", "ms", "milli", "millis", "millisecond", "milliseconds"), 1_000),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), _SECOND),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60 * _SECOND),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3_600 * _SECOND),
    **dict.fromkeys(("d", "day", "days"), 86_400 * _SECOND),
}
_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)", re.ASCII)

DEFAULTS = {
    "redis.host": "localhost",
    "redis.port": "6379",
    "redis.ttl": "10 min",
    "kafka.host": "localhost:9092",
    "kafka.topic": "bot-logs",
    "kafka.group-id": "",
    "statisticsTtl": "",
    "watermark": "10 s",
    "batchInterval": "",
    "rules.window": "10 s",
    "rules.eventRate.limit": "10",
    "rules.clickViewRate.limit": "3",
    "rules.categoriesRate.limit": "10",
}
"""All settings that are known, with the detector's own values; without ``statisticsTtl``
statistics last as long as a window."""

_LEFT = {
    "kafka.group-id": "the store keeps how far the topic was read, not a group of consumers",
    "batchInterval": "windows are judged as soon as they are complete, not in batches",
}

_TEMPLATE = """\
# Made from {file} by `tailrace import`.
# An address is a bot in every window that meets one of the conditions; take out those that shall
# not count.
name: click-bots
source:
  kafka:
    brokers: {brokers}
    topics: [{topic}]
    start: latest  # of the first run; later ones go on where the last one ended
format: {{json: {{array_lines: true}}}}
time: {{field: unix_time, grace: {grace}}}
fields:
  ip: text
  type: text
  category_id: integer

rules:
  - alert: bots
    by: ip
    window: {window}
    # Whatever is no click is a view. Clicks are divided by views as integers: 7 // 2 is 3.
    when: >-
      count(*) > {events}
      or {views} = 0
      or {clicks} // nullif({views}, 0) > {ratio}
      or count(distinct category_id) > {categories}
    select: &measures
      events: count(*)
      clicks: {clicks}
      views: {views}
      categories: count(distinct category_id)
    to: [bots]
  - record: statistics
    by: ip
    window: {window}
    select: *measures
    to: [statistics]

outputs:
  bots:
    redis:
      url: &redis {redis}
      key: "bot_{{ip}}"
      value: &text >-
        ip: {{ip}}, event rate: {{events}}, clickRate: {{clicks}}, viewRate: {{views}},
        categories: {{categories}}
      ttl: {ttl}
    rows: windows
  statistics:
    redis:
      url: *redis
      key: "stat_{{ip}}"
      value: *text
      ttl: {statistics_ttl}
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """The pipeline file, and what of the configuration isn't in it."""

    text: str
    notes: tuple[Problem, ...]


def import_click_bots(settings: Settings, file: str) -> Imported:
    """The pipeline of a configuration; TailraceError with every value that is wrong."""
    if not settings.values.keys() & DEFAULTS.keys():
        raise TailraceError(
            "none of its settings is known",
            where=Where(file),
            hint=f"what is read: {', '.join(DEFAULTS)}",
        )
    reader = _Values(settings, file)
    window = reader.duration("rules.window")
    statistics = "statisticsTtl" if "statisticsTtl" in settings.values else "rules.window"
    text = _TEMPLATE.format(
        file=re.sub(r"[^\w./ -]", "_", file),
        brokers=reader.text("kafka.host"),
        topic=reader.text("kafka.topic"),
        grace=reader.duration("watermark"),
        window=window,
        events=reader.number("rules.eventRate.limit"),
        ratio=reader.number("rules.clickViewRate.limit"),
        categories=reader.number("rules.categoriesRate.limit"),
        clicks="count(*) filter (where type = 'click')",
        views="count(*) filter (where coalesce(type, '') != 'click')",
        redis=reader.address(),
        ttl=reader.duration("redis.ttl"),
        statistics_ttl=reader.duration(statistics),
    )
    if reader.problems:
        raise TailraceError(problems=tuple(reader.problems))
    return Imported(text, (*settings.notes, *_notes(settings, file)))


def _notes(settings: Settings, file: str) -> list[Problem]:
    notes = []
    for path, setting in settings.values.items():
        where = Where(file, setting.line)
        if path in _LEFT:
            notes.append(Problem(f"{path} is not needed: {_LEFT[path]}", where))
        elif path not in DEFAULTS:
            notes.append(Problem(f"{path} is not known, and was left out", where))
    return notes


class _Values:
    """Settings as a pipeline file writes them; what is wrong is collected."""

    def __init__(self, settings: Settings, file: str) -> None:
        self._settings, self._file = settings.values, file
        self.problems: list[Problem] = []

    def text(self, path: str) -> str:
        """A text, quoted."""
        given = self._given(path)
        if not given.text:
            self._wrong(path, given, "is empty", f"{path} = {DEFAULTS[path]}")
        return json.dumps(given.text, ensure_ascii=False)

    def number(self, path: str) -> str:
        """A whole number, 0 or more."""
        given = self._given(path)
        if not given.refers and re.fullmatch(r"\d{1,18}", given.text, re.ASCII) is None:
            self._wrong(path, given, "is not a whole number", f"{path} = {DEFAULTS[path]}")
        return given.text

    def duration(self, path: str) -> str:
        """A length of time above 0."""
        given = self._given(path)
        if given.refers:
            hint = "write the value itself: units there are not those of a pipeline file"
            self._wrong(path, given, "comes from the environment", hint)
            return ""
        found = _DURATION.fullmatch(given.text)
        micros = None
        if found is not None and found[2] in _UNITS:
            micros = Decimal(found[1]) * _UNITS[found[2]]
        if micros is None or not 0 < micros <= LONGEST or micros % 1_000:
            self._wrong(path, given, "is not a duration", "for example 10 s or 10 min")
            return ""
        return render_duration(int(micros))

    def address(self) -> str:
        """The address of the Redis server, quoted."""
        host, port = self._given("redis.host"), self.number("redis.port")
        if not host.refers and re.fullmatch(r"[A-Za-z0-9._-]+", host.text) is None:
            self._wrong("redis.host", host, "is not the name of a host", "for example localhost")
        return json.dumps(f"redis://{host.text}:{port}/0")

    def _given(self, path: str) -> Setting:
        return self._settings.get(path, Setting(DEFAULTS[path], 0))

    def _wrong(self, path: str, given: Setting, what: str, hint: str) -> None:
        where = Where(self._file, given.line or None)
        self.problems.append(Problem(f"{path} {what}: {given.text!r}", where, hint))
