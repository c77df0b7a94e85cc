"""All references of a running pipeline: what came since the last look, what a person is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.engines.references.watching import Watcher
from tailrace.engines.status import ReferenceStatus
from tailrace.errors import Problem, TableError
from tailrace.sources.types import Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailrace.config.references import Reference
    from tailrace.reference.build import Built
    from tailrace.reference.snapshot import Snapshot

FAILED = "reference_failed"
LOADED = "reference_loaded"
LEFT_OUT = "reference_rows_left_out"


@dataclass(slots=True)
class News:
    """Versions that were loaded, and what a person should know."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.snapshots or self.notes)


class Keeper:
    """Used by the engine's thread; each reference has a thread of its own behind it."""

    def __init__(self) -> None:
        """Without references."""
        self._watchers: dict[str, Watcher] = {}
        self._versions: dict[str, str] = {}
        self._rows: dict[str, int] = {}
        self._told: dict[str, str] = {}

    def begin(self, references: Mapping[str, Reference], versions: Mapping[str, str]) -> News:
        """Load those that are new or changed, and leave those that aren't named.

        ``versions``: those in force. TableError, and nothing has changed, if one can't be loaded
        that has no version yet.
        """
        news = News()
        problems: list[Problem] = []
        fresh: dict[str, Watcher] = {}
        for name, config in references.items():
            known = self._watchers.get(name)
            if known is not None and known.config == config:
                fresh[name] = known
                continue
            fresh[name] = watcher = Watcher(name, config)
            built = watcher.load()
            if built is not None:
                self._take(name, built, versions, news)
            elif name in versions:
                self._complain(watcher, news)
            elif watcher.error is not None:
                problems += watcher.error.problems
        if problems:
            raise TableError(problems=tuple(problems))
        for name, watcher in self._watchers.items():
            if fresh.get(name) is not watcher:
                watcher.stop()
        self._watchers = fresh
        return news

    def start(self) -> None:
        """From now on load them again by themselves."""
        for watcher in self._watchers.values():
            watcher.start()

    def take(self, versions: Mapping[str, str]) -> News:
        """What came since the last time; ``versions``: those in force."""
        news = News()
        for name, watcher in self._watchers.items():
            built = watcher.take()
            if built is not None:
                self._take(name, built, versions, news)
            if watcher.error is not None:
                self._complain(watcher, news)
            else:
                self._told.pop(name, None)
        return news

    def standings(self, versions: Mapping[str, str]) -> tuple[ReferenceStatus, ...]:
        """How each reference stands."""
        return tuple(
            ReferenceStatus(
                name,
                watcher.config.place.told,
                versions.get(name),
                self._rows.get(name),
                None if watcher.loaded_at is None else int(watcher.loaded_at * 1_000_000),
                None if watcher.error is None else str(watcher.error),
            )
            for name, watcher in self._watchers.items()
        )

    def close(self) -> None:
        """Let all threads end."""
        for watcher in self._watchers.values():
            watcher.stop()
        self._watchers = {}

    def _take(self, name: str, built: Built, versions: Mapping[str, str], news: News) -> None:
        snapshot = built.snapshot
        self._rows[name] = snapshot.rows
        if versions.get(name) == snapshot.version:
            return
        news.snapshots[name] = snapshot
        text = f"reference {name}: version {snapshot.version}, {snapshot.rows} rows"
        news.notes.append(Note(LOADED, "", text))
        news.notes += [Note(LEFT_OUT, "", f"reference {name}: {said}") for said in built.notes]

    def _complain(self, watcher: Watcher, news: News) -> None:
        text = str(watcher.error)
        if self._told.get(watcher.name) != text:
            self._told[watcher.name] = text
            news.notes.append(Note(FAILED, "", f"{text}; what was loaded before stays in force"))
