"""What a rule looked things up in: the versions that were in force when its windows were judged.

Which those were is in the store's log of decisions, their contents as long as the store keeps
them; of what isn't known there, today's are taken, and that is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tailrace.engines.epoch import DecisionKind
from tailrace.engines.references.reading import load
from tailrace.reference.snapshot import Snapshot

if TYPE_CHECKING:
    from tailrace.engines.explain.kept import Ask
    from tailrace.kernel.reducer import GroupReducer
    from tailrace.plan.model import Plan, Rule


class VersionsThen:
    """The versions of references over time, as a store knows them (``ask`` None: nothing)."""

    def __init__(self, plan: Plan, ask: Ask | None) -> None:
        """Read the decisions; contents are read when they are needed."""
        self._plan, self._ask = plan, ask
        self._changes: dict[str, list[tuple[int | None, str]]] = {}
        self._contents: dict[tuple[str, str], Snapshot | None] = {}
        self._today: dict[str, Snapshot] = {}
        self.notes: dict[str, None] = {}
        if ask is not None and plan.config.references:
            kind = DecisionKind.REFERENCE.value
            bodies = ask(
                f"select body from tailrace_decisions where kind = '{kind}' order by epoch, ordinal"
            )["body"].to_pylist()
            for body in map(json.loads, bodies):
                changes = self._changes.setdefault(body["subject"], [])
                changes.append((body.get("value"), body["version"]))

    def use(self, rule: Rule, reducer: GroupReducer, end: int) -> None:
        """Let a window that ends at ``end`` look things up in what it was judged by."""
        for join in rule.joins:
            snapshot = self._at(join.reference.table, end)
            if snapshot.fits(join.reference.shape):
                reducer.lookups.use(join.reference.shape, snapshot)

    def snapshots(self, rule: Rule, end: int) -> dict[str, Snapshot]:
        """All that a rule looks things up in, as it was for windows that end at ``end``.

        TableError if one isn't known and can't be loaded now.
        """
        return {name: self._at(name, end) for name in rule.references}

    def _at(self, name: str, end: int) -> Snapshot:
        changes = self._changes.get(name, [])
        version = next((v for at, v in reversed(changes) if at is None or at < end), None)
        if version is None and changes:
            version = changes[0][1]
        found = None if version is None else self._content(name, version)
        if found is not None:
            if version != changes[-1][1]:
                self.notes[f"{name}: version {version}, which was in force then"] = None
            return found
        if name not in self._today:
            self._today[name] = load(name, self._plan.config.references[name]).snapshot
        today = self._today[name]
        if version is not None and version != today.version:
            self.notes[
                f"{name}: version {version}, which was in force then, is not kept any more;"
                f" this is judged by {today.version}, as it is now"
            ] = None
        return today

    def _content(self, name: str, version: str) -> Snapshot | None:
        if self._ask is not None and (name, version) not in self._contents:
            # Names and versions are words of ours: letters, digits, '_' and '-'.
            rows = self._ask(
                "select payload from tailrace_references"
                f" where name = '{name}' and version = '{version}'"
            )["payload"].to_pylist()
            found = Snapshot.from_bytes(version, rows[0]) if rows else None
            self._contents[name, version] = found
        return self._contents.get((name, version))
