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


@dataclass(slots=True)
class Loaded:
    """References that were loaded for a plan and that nobody uses yet; see ``Keeper.accept``."""

    news: News = field(default_factory=News)
    watchers: dict[str, Watcher] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


class Keeper:
    """Used by the engine's thread; each reference has a thread of its own behind it."""

    def __init__(self) -> None:
        """Without references."""
        self._watchers: dict[str, Watcher] = {}
        self._rows: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._untold: list[Note] = []

    @property
    def waiting(self) -> bool:
        """Whether ``take`` would give something that was loaded."""
        return any(watcher.waiting for watcher in self._watchers.values())

    def prepare(self, references: Mapping[str, Reference], versions: Mapping[str, str]) -> Loaded:
        """Load those that are new or changed; what is in use isn't touched.

        ``versions``: those in force. TableError if one can't be loaded that has no version yet.
        """
        loaded = Loaded()
        problems: list[Problem] = []
        for name, config in references.items():
            known = self._watchers.get(name)
            if known is not None and known.config == config and name in versions:
                loaded.watchers[name] = known
                if name in self._rows:
                    loaded.rows[name] = self._rows[name]
                if name in self._told:
                    loaded.told[name] = self._told[name]
                continue
            loaded.watchers[name] = watcher = Watcher(name, config)
            built = watcher.load()
            if built is not None:
                _take(name, built, versions, loaded.rows, loaded.news)
            elif name in versions:
                _complain(watcher, loaded.told, loaded.news)
            elif watcher.error is not None:
                problems += watcher.error.problems
        if problems:
            raise TableError(problems=tuple(problems))
        return loaded

    def accept(self, loaded: Loaded) -> None:
        """Use what was loaded, whose versions are in force now, and leave all others.

        What is to be told of it comes with the next ``take`` or ``begin``.
        """
        for name, watcher in self._watchers.items():
            if loaded.watchers.get(name) is not watcher:
                watcher.stop()
        self._watchers, self._rows, self._told = loaded.watchers, loaded.rows, loaded.told
        self._untold += loaded.news.notes

    def begin(self, references: Mapping[str, Reference], versions: Mapping[str, str]) -> News:
        """Both at once: prepare, and accept what is in force as soon as the caller says so."""
        loaded = self.prepare(references, versions)
        self.accept(loaded)
        return News(loaded.news.snapshots, self._tell())

    def start(self) -> None:
        """From now on load them again by themselves."""
        for watcher in self._watchers.values():
            watcher.start()

    def take(self, versions: Mapping[str, str]) -> News:
        """What came since the last time; ``versions``: those in force."""
        news = News(notes=self._tell())
        for name, watcher in self._watchers.items():
            built = watcher.take()
            if built is not None:
                _take(name, built, versions, self._rows, news)
        return News(news.snapshots, [*news.notes, *self.failures().notes])

    def failures(self) -> News:
        """Only what failed since the last time; what was loaded waits."""
        news = News()
        for name, watcher in self._watchers.items():
            if watcher.error is not None:
                _complain(watcher, self._told, news)
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

    def _tell(self) -> list[Note]:
        untold, self._untold = self._untold, []
        return untold


def _take(
    name: str, built: Built, versions: Mapping[str, str], rows: dict[str, int], news: News
) -> None:
    snapshot = built.snapshot
    rows[name] = snapshot.rows
    if versions.get(name) == snapshot.version:
        return
    news.snapshots[name] = snapshot
    many = f"{snapshot.rows:,} row{'' if snapshot.rows == 1 else 's'}"
    text = f"reference {name}: version {snapshot.version}, {many}"
    news.notes.append(Note(LOADED, "", text))
    news.notes += [Note(LEFT_OUT, "", f"reference {name}: {said}") for said in built.notes]


def _complain(watcher: Watcher, told: dict[str, str], news: News) -> None:
    text = str(watcher.error)
    if told.get(watcher.name) != text:
        told[watcher.name] = text
        news.notes.append(Note(FAILED, "", f"{text}; what was loaded before stays in force"))
