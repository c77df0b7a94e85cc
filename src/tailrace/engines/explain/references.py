"""What a rule looks things up in while it is explained: the versions that are in force now.

A window was judged by the version of its own time; that one may be kept no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.engines.references.reading import load
from tailrace.reference.snapshot import Snapshot

if TYPE_CHECKING:
    from tailrace.engines.explain.kept import Ask
    from tailrace.engines.state import EngineState
    from tailrace.kernel.reducer import GroupReducer
    from tailrace.plan.model import Plan, Rule


def use_kept(ask: Ask, rule: Rule, state: EngineState, reducer: GroupReducer) -> None:
    """Let windows look things up in the versions that the store keeps."""
    for join in rule.joins:
        version = state.references.get(join.reference.table)
        if version is None:
            continue
        # Names and versions are words of ours: letters, digits and '_'.
        rows = ask(
            "select payload from tailrace_references"
            f" where name = '{join.reference.table}' and version = '{version}'"
        )["payload"].to_pylist()
        snapshot = Snapshot.from_bytes(version, rows[0]) if rows else None
        if snapshot is not None and snapshot.fits(join.reference.shape):
            reducer.lookups.use(join.reference.shape, snapshot)


def loaded_now(plan: Plan, rule: Rule) -> dict[str, Snapshot]:
    """The references of a rule as they are at this moment; TableError if one can't be loaded."""
    configs = plan.config.references
    return {name: load(name, configs[name]).snapshot for name in rule.references}
