"""What waits in the outbox and is given to outputs: Arrow tables that say what they hold.

Rows are JSON text (column ``json``) for outputs that write text, or typed columns for those that
have columns. Who makes which is in ``rows`` and ``typed``. Rows for a server carry ids, times and
texts as well, which ``addressing`` adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

import pyarrow as pa

INSTANT = pa.timestamp("us", "UTC")

ID = "tailrace.id"
TIME = "tailrace.time"
_TEXT = "tailrace.text."


def text_column(option: str) -> str:
    """The column of the texts that the template ``option`` of an output makes."""
    return _TEXT + option


class Form(StrEnum):
    """How the rows of a batch are given."""

    ROWS = "rows"
    TYPED = "typed"


class Content(StrEnum):
    """What the rows of a batch are."""

    WINDOWS = "windows"
    INCIDENTS = "incidents"
    NOTICES = "notices"
    VERDICTS = "verdicts"
    EVENTS = "events"
    ARCHIVE = "archive"
    DEAD_LETTERS = "dead_letters"

    @property
    def told(self) -> bool:
        """Whether it is news for people, which says when it was sent."""
        return self in (Content.INCIDENTS, Content.NOTICES, Content.EVENTS, Content.VERDICTS)


@dataclass(frozen=True, slots=True)
class Later:
    """Rows of a batch that are made when they are needed, by whichever thread needs them.

    ``make`` gives those from a place on, no more than so many.
    """

    make: Callable[[int, int], pa.Table]
    length: int

    def __len__(self) -> int:
        """The number of rows."""
        return self.length


Rows: TypeAlias = pa.Table | Later


def made(rows: Rows) -> pa.Table:
    """The rows of a batch."""
    return rows.make(0, rows.length) if isinstance(rows, Later) else rows


@dataclass(frozen=True)
class OutboxBatch:
    """Rows for one output; ``seq`` grows from batch to batch of a store.

    ``given``: the rows, made by ``batch_table``, or to be made by it. A batch of a ``seq`` always
    holds the same rows. ``size`` is the number of bytes that it takes in the store.
    """

    seq: int
    given: Rows
    size: int = 0

    @cached_property
    def rows(self) -> pa.Table:
        """All rows."""
        return made(self.given)

    def pieces(self, most: int) -> Iterator[OutboxBatch]:
        """The same rows, no more than ``most`` in each; what is yet to be made is made by it."""
        for start in range(0, len(self.given), most):
            if isinstance(self.given, Later):
                yield OutboxBatch(self.seq, self.given.make(start, most))
            else:
                yield OutboxBatch(self.seq, self.given.slice(start, most))

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

    @property
    def json(self) -> list[str]:
        """The rows as JSON text."""
        texts: list[str] = self.rows.column("json").to_pylist()
        return texts

    @property
    def ids(self) -> list[str]:
        """The rows' ids, if they are addressed."""
        ids: list[str] = self.rows.column(ID).to_pylist()
        return ids

    @property
    def times(self) -> pa.ChunkedArray:
        """The rows' event times (timestamp[us, UTC]; null where there is none), if addressed.

        A window's is its end, an incident's the instant of the revision, a notice's the window's
        start.
        """
        return self.rows.column(TIME)

    def texts(self, option: str) -> list[str] | None:
        """What the template ``option`` made for each row; None if the output has no such one."""
        name = text_column(option)
        if name not in self.rows.column_names:
            return None
        made: list[str] = self.rows.column(name).to_pylist()
        return made

    @property
    def values(self) -> pa.Table:
        """The rows without what addressing added."""
        own = [ID, TIME]
        return self.rows.drop_columns(
            [n for n in self.rows.column_names if n in own or n.startswith(_TEXT)]
        )

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
