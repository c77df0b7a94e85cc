"""Labels of events: the first with a condition that is true, and the codes of all that are."""

from dataclasses import dataclass

from tests.oracle.evaluate import FAILED, Row, evaluate

from tailrace.expr.nodes import Node


@dataclass(frozen=True)
class ClassifyRule:
    identity: str
    name: str
    labels: tuple[tuple[str, tuple[tuple[str, Node], ...]], ...]
    otherwise: str
    above: tuple[str, ...]
    """The fields of an event that the rule's rows have before its own."""


@dataclass(frozen=True)
class Labelled:
    label: str
    reasons: str | None
    failed: bool


def labelled(rule: ClassifyRule, row: Row) -> Labelled:
    chosen = None
    codes = []
    failed = False
    for label, conditions in rule.labels:
        for code, node in conditions:
            holds = evaluate(node, row)
            failed = failed or holds is FAILED
            if holds is True:
                codes.append(code)
                chosen = chosen or label
    return Labelled(chosen or rule.otherwise, ",".join(codes) or None, failed)
