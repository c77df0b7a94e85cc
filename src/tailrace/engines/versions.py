"""Which version of each reference is in force, as the state says, and its contents for the kernel.

Where contents are kept (the store, a job of Spark's) is the caller's business: ``Contents``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tailrace.kernel.lookups import Lookups
from tailrace.plan.references import shape_of
from tailrace.reference.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailrace.alerts.incidents import Revision
    from tailrace.engines.state import EngineState
    from tailrace.plan.model import Plan

NO_ROW = "windows_without_row"
"""The note of windows that looked for a row of a reference, and there was none."""

Contents = Callable[[str, str], Snapshot]
"""Gives a version of a reference by name and version."""


def no_contents(name: str, version: str) -> Snapshot:
    """For pipelines without references."""
    raise KeyError((name, version))


def use_versions(
    known: Lookups, plan: Plan, versions: Mapping[str, str], contents: Contents
) -> None:
    """Let the kernel look things up in these versions from now on."""
    for name, version in versions.items():
        config = plan.config.references.get(name)
        if config is None:
            continue
        now = known.indexes.get(name)
        if now is None or now.snapshot.version != version:
            shape, snapshot = shape_of(name, config), contents(name, version)
            if snapshot.fits(shape):
                known.use(shape, snapshot)


def reference_rows(snapshots: Mapping[str, Snapshot]) -> tuple[tuple[str, str, bytes], ...]:
    """Versions of references as the store keeps them."""
    return tuple((name, one.version, one.to_bytes()) for name, one in snapshots.items())


def stamp(state: EngineState, references: tuple[str, ...]) -> dict[str, str]:
    """The versions in force of the references that a rule looks things up in."""
    return {name: state.references[name] for name in references if name in state.references}


def stamped(revisions: Sequence[Revision], versions: Mapping[str, str]) -> list[Revision]:
    """Revisions that say what they looked things up in."""
    if not versions:
        return list(revisions)
    return [replace(revision, references=versions) for revision in revisions]
