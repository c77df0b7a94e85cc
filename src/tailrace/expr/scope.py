"""What an expression may refer to where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tailrace.expr.nodes import Type


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields with their types, and whether the expression sees one event or a whole window.

    ``aggregates`` False: one event; every column may be named, aggregates are errors.
    ``aggregates`` True: a window; outside aggregates only the key fields ``keys`` (None: there are
    none) may be named, inside them every column.
    """

    columns: Mapping[str, Type]
    aggregates: bool = False
    keys: frozenset[str] | None = None
