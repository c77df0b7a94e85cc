"""References on servers under test: loaded at once, or watched until something has come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tailrace.config.references import Reference
from tailrace.engines.references.reading import load
from tailrace.engines.references.watching import Watcher
from tailrace.reference.build import Built

PATIENCE_SECONDS = 120.0

Row = dict[str, object]


def reference(**given: Any) -> Reference:
    return Reference.model_validate(given)


def rows(built: Built) -> list[Row]:
    found: list[Row] = built.snapshot.table.to_pylist()
    return found


def loaded(**given: Any) -> list[Row]:
    return rows(load("r", reference(**given)))


@contextmanager
def watching(**given: Any) -> Iterator[Watcher]:
    """A reference that was loaded and is watched."""
    watcher = Watcher("r", reference(**given))
    assert watcher.load() is not None, watcher.error
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stop()


def came(watcher: Watcher, wanted: list[Row]) -> bool:
    """Whether these rows come; what comes before them is of no interest."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        built = watcher.take()
        if built is not None and rows(built) == wanted:
            return True
        time.sleep(0.05)
    return False
