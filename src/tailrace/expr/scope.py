"""What an expression may refer to where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tailrace.expr.nodes import Type


@dataclass(frozen=True, slots=True)
class Referable:
    """What expressions may look up in a reference: its columns with their types.

    ``single`` False: several rows may match, and only ``known(...)`` can be asked. ``refusal``: why
    nothing can be looked up where a window is seen, None if it can; ``unmatched``: because the
    window's key hasn't what rows are found by.
    """

    columns: Mapping[str, Type]
    single: bool = True
    refusal: str | None = None
    unmatched: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields with their types, and whether the expression sees one event or a whole window.

    ``aggregates`` False: one event; every column may be named, aggregates are errors.
    ``aggregates`` True: a window; outside aggregates only the key fields ``keys`` (None: there are
    none) may be named, inside them every column. ``references``: those that may be looked up in.
    """

    columns: Mapping[str, Type]
    aggregates: bool = False
    keys: frozenset[str] | None = None
    references: Mapping[str, Referable] = field(default_factory=dict)
