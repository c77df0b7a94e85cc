"""What a rule that labels events means, and how it is compiled.

Its label and reasons are fields of the event for whatever comes after it in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.expr.lookups import lookups
from tailrace.expr.nodes import Type
from tailrace.expr.parts import columns
from tailrace.expr.render import render
from tailrace.plan.identity import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tailrace.config import Classify
    from tailrace.expr.nodes import Node
    from tailrace.plan.problems import Path, Problems
    from tailrace.plan.references import Reference

    Condition = Callable[[Path, str], Node | None]


@dataclass(frozen=True, slots=True)
class Label:
    """A label, and its conditions by their codes."""

    name: str
    conditions: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Classification:
    """A rule that gives each event the first label that has a condition that holds.

    ``reasons``: the field with the codes. ``columns``: the fields of the rows that it sends, its
    own two among them. ``to_label``: outputs by label.
    """

    identity: str
    name: str
    reasons: str
    labels: tuple[Label, ...]
    otherwise: str
    columns: Mapping[str, Type]
    to: tuple[str, ...]
    to_label: Mapping[str, tuple[str, ...]]

    @property
    def nodes(self) -> Iterator[Node]:
        """All conditions, in the file's order."""
        return (node for label in self.labels for _, node in label.conditions)

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs that get some of the events, each once."""
        named = (*self.to, *(name for to in self.to_label.values() for name in to))
        return tuple(dict.fromkeys(named))

    def meaning_also(self, *parts: str) -> Classification:
        """The rule under an identity that depends on these parts, too."""
        return replace(self, identity=digest(self.identity, *parts))


def compile_classify(
    rule: Classify,
    path: Path,
    meaning: str,
    columns: Mapping[str, Type],
    condition: Condition,
    problems: Problems,
) -> Classification | None:
    """The rule as it runs; None, with a note of each problem, if something is wrong.

    ``columns``: the fields of events above the rule. ``condition`` makes an expression of a text.
    """
    right = True
    for name in (rule.name, rule.reasons):
        other = next((known for known in columns if known.lower() == name.lower()), None)
        if other is not None:
            message = f"the rule adds a field {name!r}, and there is one already"
            problems.add((*path, "classify"), message, "name the rule, and so the field, otherwise")
            right = False
            break
    labels = []
    for label, texts in rule.labels.items():
        found = {c: condition((*path, "labels", label, c), text) for c, text in texts.items()}
        conditions = tuple((code, node) for code, node in found.items() if node is not None)
        right = right and len(conditions) == len(texts)
        labels.append(Label(label, conditions))
    if not right:
        return None
    told = (
        f"{label.name}: {code} = {render(node)}"
        for label in labels
        for code, node in label.conditions
    )
    return Classification(
        identity=digest(meaning, "classify", rule.name, *told, rule.else_),
        name=rule.name,
        reasons=rule.reasons,
        labels=tuple(labels),
        otherwise=rule.else_,
        columns={**columns, rule.name: Type.TEXT, rule.reasons: Type.TEXT},
        to=tuple(rule.to),
        to_label={label: tuple(to) for label, to in rule.to_label.items()},
    )


def labels_read(
    nodes: Iterable[Node | None],
    matched: Mapping[str, Reference],
    above: Iterable[Classification],
) -> tuple[str, ...]:
    """The identities of the classifications whose fields a rule reads: they are part of it.

    ``nodes``: all that it computes from events; ``matched``: the references that events are matched
    with, which may read a label for it.
    """
    read: set[str] = set()
    for node in nodes:
        if node is not None:
            read.update(columns(node))
            for lookup in lookups(node):
                found = matched.get(lookup.reference)
                for part in (found.match or ()) if found is not None else ():
                    read.update(columns(part))
    return tuple(one.identity for one in above if one.name in read or one.reasons in read)
