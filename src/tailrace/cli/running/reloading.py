"""Taking up a changed pipeline file while it runs: what may change, and what did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.cli.printable import one_line
from tailrace.engines.running import Reloaded
from tailrace.engines.spark import support
from tailrace.errors import PipelineError, Problem
from tailrace.plan.compile import check_file

if TYPE_CHECKING:
    from tailrace.config import Loaded
    from tailrace.config import Output as OutputConfig
    from tailrace.outputs import Output
    from tailrace.plan.model import AnyRule, Plan

FIXED = ("name", "source", "format", "store", "outbox", "web")
"""Sections that need a new start."""

AGAIN = "stop the pipeline and start it again"

_OTHERS = (
    *("time", "fields", "derive", "references", "allow", "dedup", "limits"),
    *("archive", "dead_letters", "explain"),
)


@dataclass
class Reloading:
    """Reads the file again when asked to. ``plan`` is the one that runs.

    ``on_spark``: what that engine lacks is refused, and its settings can't change.
    """

    path: Path
    sets: Sequence[str]
    plan: Plan
    make_outputs: Callable[[Plan, set[str]], dict[str, Output]]
    on_spark: bool = False
    _taken: Plan | None = field(default=None, init=False)

    def load(self) -> Reloaded:
        """The changed pipeline; PipelineError if it is wrong or changes what it may not."""
        loaded, plan = check_file(self.path, sets=self.sets)
        problems = tuple(_refused(self.plan, plan, loaded))
        if self.on_spark:
            problems += support.problems(loaded.config, loaded.positions)
            problems += tuple(_fixed(("spark",), self.plan, plan, loaded))
        if problems:
            raise PipelineError(problems=problems)
        outputs = self.make_outputs(plan, set(plan.config.outputs) - set(self.plan.config.outputs))
        self._taken = plan
        return Reloaded(plan, outputs)

    def taken_up(self, running: Plan) -> list[str]:
        """What has changed since the last call, if ``running`` is the plan that was loaded."""
        if self._taken is None or running is not self._taken:
            return []
        before, self.plan, self._taken = self.plan, running, None
        return list(changes(before, running))


def changes(old: Plan, new: Plan) -> Iterator[str]:
    """What a new file changes, a line each; the first says whether anything is changed."""
    found = [*_rules(old, new), *_outputs(old, new), *_sections(old, new, _OTHERS)]
    if not found:
        yield "the pipeline file was read again; nothing changed"
        return
    yield "the changed pipeline file is taken up:"
    yield from (f"  {one_line(change)}" for change in found)


def changes_since(old: Plan, new: Plan, *, finished: bool) -> Iterator[str]:
    """What a file changes that isn't as the store's last run had it, a line each.

    ``finished``: the input was read to its end, so that a rule which begins now sees nothing.
    """
    rules = list(_rules(old, new))
    found = [*rules, *_outputs(old, new), *_sections(old, new, (*_OTHERS, *FIXED))]
    if not found:
        return
    yield "the pipeline file has changed since the last run with this store:"
    yield from (f"  {one_line(change)}" for change in found)
    if finished and rules:
        yield "  all input was read before, and changed rules see nothing of it; to run them over"
        yield "  it, name a new store with --store"


def _fixed(sections: Sequence[str], old: Plan, new: Plan, loaded: Loaded) -> Iterator[Problem]:
    for section in sections:
        if getattr(old.config, section) != getattr(new.config, section):
            where = loaded.positions.where_key((section,))
            yield Problem(f"'{section}' can't change while the pipeline runs", where, AGAIN)


def _refused(old: Plan, new: Plan, loaded: Loaded) -> Iterator[Problem]:
    yield from _fixed(FIXED, old, new, loaded)
    if old.config.limits.max_record_bytes != new.config.limits.max_record_bytes:
        where = loaded.positions.where_key(("limits", "max_record_bytes"))
        yield Problem("'max_record_bytes' can't change while the pipeline runs", where, AGAIN)
    for name, output in new.config.outputs.items():
        before = old.config.outputs.get(name)
        if before is not None and not _same_target(before, output):
            where = loaded.positions.where_key(("outputs", name))
            message = f"the output '{name}' can't lead elsewhere while the pipeline runs"
            yield Problem(message, where, f"give it another name, or {AGAIN}")


def _same_target(old: OutputConfig, new: OutputConfig) -> bool:
    return (old.target, old.zone) == (new.target, new.zone)


def _rules(old: Plan, new: Plan) -> Iterator[str]:
    before = {rule.name: rule for rule in old.every_rule}
    after = {rule.name: rule for rule in new.every_rule}
    for name, rule in after.items():
        if name not in before:
            yield f"rule {name} is new: it begins with the events from now on"
        elif before[name].identity != rule.identity:
            yield f"rule {name} means something else: it begins anew"
        elif told := _told_otherwise(before[name], rule):
            yield f"rule {name}: {', '.join(told)} changed"
    for name in before:
        if name not in after:
            yield f"rule {name} is gone: its incidents are resolved"


def _told_otherwise(old: AnyRule, new: AnyRule) -> list[str]:
    names = ("labels", "annotations", "to", "to_label")
    return [name for name in names if getattr(old, name, None) != getattr(new, name, None)]


def _outputs(old: Plan, new: Plan) -> Iterator[str]:
    before, after = old.config.outputs, new.config.outputs
    for name, output in after.items():
        if name not in before:
            yield f"output {name} is new"
        elif before[name] != output:
            yield f"output {name} changed"
    for name in before:
        if name not in after:
            yield f"output {name} is gone"


def _sections(old: Plan, new: Plan, names: Sequence[str]) -> Iterator[str]:
    for section in names:
        if getattr(old.config, section) != getattr(new.config, section):
            yield f"{section} changed"
