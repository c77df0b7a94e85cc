"""The names that outputs' templates may use, by what the rows are; and the check that they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tailrace.config.targets.redis import RedisOutput
from tailrace.plan.templates import parse

if TYPE_CHECKING:
    from tailrace.config import Output, PipelineConfig
    from tailrace.plan.classify import Classification
    from tailrace.plan.model import EventRule, Rule
    from tailrace.plan.problems import Problems
    from tailrace.plan.verdicts import VerdictList

_WINDOW = ("rule", "pipeline", "start", "end", "id")
_INCIDENT = (*_WINDOW, "state", "reason", "fingerprint")
_EVENT = ("rule", "pipeline", "time", "id", "partition", "position")
_ARCHIVE = ("pipeline", "time", "id", "partition", "position")
_VERDICT = (
    *("pipeline", "verdict", "id", "state", "since", "until", "at", "firings", "listings"),
    *("reasons", "comment"),
)
_SAME = ("pipeline", "verdict", "id")
"""Names that say the same in all rows of a key of a list of verdicts."""
_DEAD = ("id", "pipeline", "partition", "generation", "position", "code", "field", "reason", "raw")


def check_row_templates(
    problems: Problems,
    config: PipelineConfig,
    rules: Iterable[Rule],
    event_rules: Iterable[EventRule],
    columns: Iterable[str],
    lists: Iterable[VerdictList] = (),
    classifications: Iterable[Classification] = (),
) -> None:
    """Note every name in an output's template that some of its rows don't have."""
    rules, event_rules, columns = tuple(rules), tuple(event_rules), tuple(columns)
    lists, classifications = tuple(lists), tuple(classifications)
    for name, output in config.outputs.items():
        templates = tuple(output.target.places)
        if not templates:
            continue
        classified = ((*c.columns, *_EVENT) for c in classifications if name in c.outputs)
        others = _known(name, output, config, rules, event_rules, columns, lists)
        for known in (*classified, *others):
            before = len(problems.found)
            for place, text in templates:
                problems.template(("outputs", name, output.kind, *place), text, known)
            if len(problems.found) > before:
                break
        else:
            _members(problems, name, output, lists)


def _members(problems: Problems, name: str, output: Output, lists: tuple[VerdictList, ...]) -> None:
    """A member of a set is removed as it was added: all rows of a key must have the same."""
    target = output.target
    if not isinstance(target, RedisOutput) or target.type != "set":
        return
    for wanted in lists:
        keys = [key for key, _ in wanted.keys]
        names = [] if target.value is None else parse(target.value).names
        if name in wanted.to and not (set(keys) & set(names) and {*keys, *_SAME}.issuperset(names)):
            place = ("outputs", name, output.kind, *(("value",) if target.value else ()))
            problems.add(
                place,
                f"a set of the verdicts {wanted.name!r} needs a 'value' of the key's fields alone:"
                " a key that is no longer listed is removed as it was added",
                f'value: "{" ".join(f"{{{key}}}" for key in keys)}"',
            )
            return


def _known(
    name: str,
    output: Output,
    config: PipelineConfig,
    rules: tuple[Rule, ...],
    event_rules: tuple[EventRule, ...],
    columns: tuple[str, ...],
    lists: tuple[VerdictList, ...],
) -> Iterator[tuple[str, ...]]:
    for rule in rules:
        if name in rule.to:
            windows = not rule.alert or output.rows == "windows"
            own = (*(key.name for key in rule.keys), *rule.columns)
            yield (*own, *_WINDOW) if windows else (*own, *rule.labels, *_INCIDENT)
    for event_rule in event_rules:
        if name in event_rule.to:
            yield (*columns, *_EVENT)
    if config.archive is not None and name in config.archive.to:
        yield (*columns, *config.archive.verdicts, *_ARCHIVE)
    for wanted in lists:
        if name in wanted.to:
            shared = [set(rule.columns) for rule in rules if rule.identity in wanted.rules]
            measures = set.intersection(*shared) if shared else set()
            yield (*(key for key, _ in wanted.keys), *measures, *_VERDICT)
    if name in config.dead_letters.to:
        yield _DEAD
