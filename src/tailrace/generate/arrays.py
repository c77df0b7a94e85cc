"""One JSON array instead of JSON lines: an object a line, as `botgen.py` writes its files."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import IO, Self


class ArraySink:
    """Takes lines as a file does and writes them as one array, whole once it is left.

    The first line begins with ``[``, each but the last ends with a comma, the last with ``]``.
    """

    def __init__(self, file: AbstractContextManager[IO[bytes]]) -> None:
        self._closing = ExitStack()
        self._file = self._closing.enter_context(file)
        self._before = b"["

    def write(self, lines: memoryview) -> int:
        """Write whole lines; return their bytes."""
        self._all(self._before + bytes(lines).removesuffix(b"\n").replace(b"\n", b",\n"))
        self._before = b",\n"
        return len(lines)

    def flush(self) -> None:
        """Let them go on."""
        self._file.flush()

    def __enter__(self) -> Self:
        """Write."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the array and close the file."""
        with self._closing:
            self._all(b"[]\n" if self._before == b"[" else b"]\n")
            self._file.flush()

    def _all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
