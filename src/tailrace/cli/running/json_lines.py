"""A run as JSON lines: ``type`` says what each is, the rest is what an output would get of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from tailrace.errors import OutputError
from tailrace.outputs import Receipt
from tailrace.outputs.batches import Content, OutboxBatch

if TYPE_CHECKING:
    from tailrace.cli.running.display import Level
    from tailrace.cli.running.moment import Moment, Summary
    from tailrace.cli.running.news import Item
    from tailrace.outputs import Output, State

_TYPES = {
    Content.WINDOWS: "window",
    Content.ARCHIVE: "archived",
    Content.DEAD_LETTERS: "dead_letter",
}
"""What only terminal outputs tell; all else is news."""


class JsonLines:
    """Writes an object for each thing that happens, and one at the end."""

    printed = False
    logged = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._ascii = self._stream.isatty()

    def start(self) -> None:
        """See ``Display``."""

    def terminal(self) -> Output:
        """See ``Display``: rows of windows and of the archive become objects, too."""
        return _Rows(self)

    def news(self, items: Iterable[Item]) -> None:
        """See ``Display``; all are told."""
        self.write({"type": item.kind.value, **item.document} for item in items)

    def say(self, lines: Sequence[str], level: Level = "info") -> None:
        """See ``Display``."""
        self.write({"type": "message", "level": level, "text": text} for text in lines)

    def tick(self, now: Moment) -> None:
        """See ``Display``."""

    def stop(self) -> None:
        """See ``Display``."""

    def summary(self, summary: Summary) -> None:
        """See ``Display``."""
        self.write([{"type": "summary", **summary.to_json()}])

    def write(self, documents: Iterable[Mapping[str, object]]) -> None:
        """Write objects, one a line."""
        text = "".join(
            json.dumps(document, ensure_ascii=self._ascii, separators=(",", ":")) + "\n"
            for document in documents
        )
        if text:
            self._stream.write(text)
            self._stream.flush()


class _Rows:
    """An output of kind terminal among JSON lines. State: the last batch written."""

    remote = False

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines
        self._seq = -1

    def open(self, saved: State | None) -> State:
        """See ``Output.open``."""
        self._seq = -1 if saved is None else int(str(saved["seq"]))
        return {"seq": self._seq}

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``."""
        kind = _TYPES.get(batch.content)
        if batch.seq > self._seq:
            if kind is not None:
                self._write(kind, batch)
            self._seq = batch.seq
        return Receipt({"seq": self._seq})

    def close(self) -> None:
        """See ``Output.close``."""

    def _write(self, kind: str, batch: OutboxBatch) -> None:
        told = {"type": kind, "rule": batch.rule} if batch.rule else {"type": kind}
        rows = batch.rows.column("json").to_pylist()
        try:
            self._lines.write({**told, **json.loads(row)} for row in rows)
        except OSError as error:
            raise OutputError(f"standard output can't be written: {error.strerror}") from error
