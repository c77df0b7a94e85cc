"""What a rule that labels events means, and how it is compiled.

Its label and reasons are fields of the event for whatever comes after it in the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.expr.nodes import Type
from tailrace.expr.render import render
from tailrace.plan.identity import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tailrace.config import Classify
    from tailrace.config.base import Model
    from tailrace.expr.nodes import Node
    from tailrace.plan.problems import Path, Problems

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


def meaning_below(meaning: str, rule: Model, above: Sequence[Classification]) -> str:
    """What events mean to a rule: of the classifications above it those whose fields it names.

    Wherever in its text it names them, so that a rule may count as changed without being so.
    """
    text = rule.model_dump_json(by_alias=True)
    used = [
        one.identity
        for one in above
        if re.search(rf"\b({one.name}|{one.reasons})\b", text, re.IGNORECASE)
    ]
    return digest(meaning, *used) if used else meaning
