"""What rows of one output look like: their contents, columns and types, before there are any.

Servers' tables and index templates are made from it, and compared with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.outputs.batches import Content
from tailrace.outputs.typed import typed_schema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of rows that an output gets.

    ``rule`` is the rule's name, empty for the archive and for dead letters; rows of labelled
    events are as those of the archive. ``keys`` and ``values``
    are the types of what differs from rule to rule: the key fields and measures of windows; the
    archive's fields are ``values``. ``time``: the archive's column that holds the event time.
    """

    content: Content
    rule: str = ""
    keys: Mapping[str, pa.DataType] = field(default_factory=dict)
    values: Mapping[str, pa.DataType] = field(default_factory=dict)
    time: str | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns of the rows as ``typed`` makes them."""
        return typed_schema(self.content, self.keys, self.values)
