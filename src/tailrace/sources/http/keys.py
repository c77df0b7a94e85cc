"""The keys by which senders repeat bodies, kept for a while, also over restarts.

A line of JSON for each, written with the body's bytes and before its epoch is planned. A key counts
once the bytes before ``end`` are committed; one whose bytes never were is forgotten at the start.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

KEPT_SECONDS = 24 * 3600
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    """A key, the digest of its body, the position after the body, and when it came (epoch s)."""

    key: str
    digest: str
    end: int
    at: float


class KeyFile:
    """The file with the keys."""

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        """Touch nothing yet."""
        self._path = path
        self._clock = clock
        self._lines = 0

    def load(self, position: int) -> list[Known]:
        """Return what counts at a committed position; the file then holds just that."""
        since = self._clock() - KEPT_SECONDS
        found: dict[str, Known] = {}
        try:
            with open(self._path, encoding="utf-8") as file:
                for line in file:
                    known = _read(line)
                    if known is not None and known.end <= position and known.at >= since:
                        found.pop(known.key, None)
                        found[known.key] = known
        except FileNotFoundError:
            return []
        kept = list(found.values())[-MOST:]
        self._write(kept)
        return kept

    def append(self, added: Iterable[Known]) -> None:
        """Write and sync; OSError, and nothing is added, if that fails."""
        text = "".join(_line(known) for known in added)
        if not text:
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = at = os.fstat(file).st_size
            try:
                view = memoryview(text.encode())
                while view:
                    written = os.pwrite(file, view, at)
                    view, at = view[written:], at + written
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)
        self._lines += text.count("\n")

    @property
    def long(self) -> bool:
        """Whether it holds far more lines than are kept."""
        return self._lines > 2 * MOST

    def _write(self, kept: list[Known]) -> None:
        fresh = f"{self._path}.new"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write("".join(_line(known) for known in kept).encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        self._lines = len(kept)


def _line(known: Known) -> str:
    return json.dumps(asdict(known)) + "\n"


def _read(line: str) -> Known | None:
    """A line as it was written; None for one that a crash cut off."""
    try:
        return Known(**json.loads(line))
    except (ValueError, TypeError):
        return None
