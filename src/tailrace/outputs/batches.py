"""What waits in the outbox and is given to outputs: Arrow tables that say what they hold.

Rows are JSON text (column ``json``) for outputs that write text, or typed columns for those that
have columns. Who makes which is in ``rows`` and ``typed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Form(StrEnum):
    """How the rows of a batch are given."""

    ROWS = "rows"
    TYPED = "typed"


class Content(StrEnum):
    """What the rows of a batch are."""

    WINDOWS = "windows"
    INCIDENTS = "incidents"
    NOTICES = "notices"
    EVENTS = "events"
    ARCHIVE = "archive"

    @property
    def told(self) -> bool:
        """Whether it is news for people, which says when it was sent."""
        return self in (Content.INCIDENTS, Content.NOTICES, Content.EVENTS)


@dataclass(frozen=True, slots=True)
class OutboxBatch:
    """Rows for one output; ``seq`` grows from batch to batch of a store.

    ``rows`` was made by ``batch_table``. A batch of a ``seq`` always holds the same rows.
    """

    seq: int
    rows: pa.Table

    @property
    def form(self) -> Form:
        """Whether the rows are JSON text or typed columns."""
        return Form(self._word("form"))

    @property
    def content(self) -> Content:
        """What the rows are."""
        return Content(self._word("content"))

    @property
    def rule(self) -> str:
        """The name of the rule that all rows come from; empty if there isn't one."""
        return self._word("rule")

    def _word(self, name: str) -> str:
        words: Mapping[bytes, bytes] = self.rows.schema.metadata
        return words[f"tailrace.{name}".encode()].decode()


def batch_table(
    columns: Mapping[str, pa.Array], form: Form, content: Content, rule: str = ""
) -> pa.Table:
    """The table of a batch; what it holds travels in its schema's metadata."""
    words = {"form": form.value, "content": content.value, "rule": rule}
    metadata = {f"tailrace.{name}": word for name, word in words.items()}
    return pa.table(dict(columns)).replace_schema_metadata(metadata)
