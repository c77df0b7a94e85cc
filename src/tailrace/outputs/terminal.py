"""Lines for people on standard output; what they look like is in ``lines``."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from tailrace.errors import OutputError
from tailrace.outputs.batches import OutboxBatch
from tailrace.outputs.lines import Style, line
from tailrace.outputs.output import Receipt, State


class Terminal:
    """Prints a line for each row. State: the last batch printed.

    What was printed can't be taken back: lines not confirmed before a crash are printed again.
    """

    remote = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._style = Style(colour=self._stream.isatty() and not os.environ.get("NO_COLOR"))
        self._seq = -1

    def open(self, saved: State | None) -> State:
        """See ``Output.open``."""
        self._seq = -1 if saved is None else int(str(saved["seq"]))
        return self._state()

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``."""
        if batch.seq > self._seq:
            content, rule = batch.content, batch.rule
            lines = [
                line(json.loads(text), content, rule, self._style) + "\n"
                for text in batch.rows.column("json").to_pylist()
            ]
            self._print("".join(lines))
            self._seq = batch.seq
        return Receipt(self._state())

    def close(self) -> None:
        """See ``Output.close``: the stream isn't ours to close."""

    def _state(self) -> State:
        return {"seq": self._seq}

    def _print(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        # A terminal of another encoding sees escapes for what it lacks.
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            self._stream.write(shown)
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise OutputError(f"standard output can't be written: {error}") from error
