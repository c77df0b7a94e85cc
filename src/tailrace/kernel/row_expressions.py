"""Expressions over events in a form that NumPy computes for a whole batch.

What depends on one text field alone is a part: it has one value for each distinct text, which
``batch_columns`` asks a statement for. What is left combines parts and columns of numbers. Whatever
else an expression needs (two texts compared, times, what is looked up) is left to a statement over
the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.evaluate import evaluate
from tailrace.expr.nodes import Aggregate, Column, Lookup, Node, Type
from tailrace.expr.parts import rebuilt, walk
from tailrace.expr.values import DTYPES, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = (Type.BOOLEAN, Type.INTEGER, Type.DOUBLE)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression: what ``node`` is for each distinct text of the field ``column``."""

    column: str
    node: Node


@dataclass(frozen=True, slots=True)
class RowExpression:
    """An expression; ``node`` has a column in place of each of its ``parts``, by their names.

    ``numbers``: the events' own columns in it, none of them a text or a time.
    """

    node: Node
    parts: tuple[tuple[str, Part], ...]
    numbers: tuple[str, ...]


class _UnfitError(Exception):
    """The expression doesn't have this form."""


def row_expression(node: Node) -> RowExpression | None:
    """The expression in this form, if it has one."""
    parts: dict[Part, str] = {}
    try:
        rest = _rest(node, parts)
    except _UnfitError:
        return None
    columns = {each.name: each.type for each in _columns(rest)}
    nothing = {name: Values(np.empty(0, DTYPES[type_])) for name, type_ in columns.items()}
    try:
        evaluate(rest, nothing, 0)
    except ValueError:  # a function that only statements have
        return None
    own = sorted(columns.keys() - set(parts.values()))
    return RowExpression(rest, tuple((name, part) for part, name in parts.items()), tuple(own))


def _rest(node: Node, parts: dict[Part, str]) -> Node:
    """The node with columns for its parts, which are added."""
    if node.type in _NUMBERS:
        column = _only_text(node)
        if column is not None:
            name = parts.setdefault(Part(column, node), f"_part {len(parts)}")
            return Column(type=node.type, name=name)
    elif node.type is not Type.NULL:
        raise _UnfitError
    if isinstance(node, (Lookup, Aggregate)):
        raise _UnfitError
    return rebuilt(node, lambda below: _rest(below, parts))


def _only_text(node: Node) -> str | None:
    """The one text field that a node reads, if it reads nothing else."""
    columns = {(column.name, column.type, type(column)) for column in _columns(node)}
    if len(columns) != 1:
        return None
    name, type_, kind = columns.pop()
    return name if type_ is Type.TEXT and kind is Column else None


def _columns(node: Node) -> Iterator[Column | Lookup]:
    """All columns below a node, some of them more than once."""
    return (each for each in walk(node) if isinstance(each, (Column, Lookup)))
