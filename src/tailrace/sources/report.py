"""What a poll says of partitions: who appeared, who is at its end, who has ended, what to note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tailrace.sources.chain import Chain
from tailrace.sources.types import Chunk, Note, Poll


class Reportable(Protocol):
    """A partition of files as seen from here."""

    @property
    def chain(self) -> Chain:
        """Its name and notes."""
        ...

    @property
    def seen(self) -> bool:
        """Whether there is, or was, something of it."""
        ...

    @property
    def at_end(self) -> bool:
        """Whether its end was confirmed just now."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it is completely read, and bounded."""
        ...


class Report:
    """Remembers what was said, so that each thing is said once."""

    def __init__(self) -> None:
        self._appeared: set[str] = set()
        self._ended: set[str] = set()

    def poll(self, chunks: Sequence[Chunk], parts: Sequence[Reportable]) -> Poll:
        """Return a poll's findings."""
        appeared: list[str] = []
        ended: list[str] = []
        notes: list[Note] = []
        for part in parts:
            name = part.chain.name
            if part.seen and name not in self._appeared:
                appeared.append(name)
            if part.ended and part.seen and name not in self._ended:
                ended.append(name)
            if part.chain.notes:
                notes += part.chain.notes
                part.chain.notes.clear()
        self._appeared.update(appeared)
        self._ended.update(ended)
        at_end = [part.chain.name for part in parts if part.at_end and part.seen]
        return Poll(tuple(chunks), tuple(appeared), tuple(at_end), tuple(ended), tuple(notes))
