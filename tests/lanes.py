"""Which tests may run side by side: how `pytest -n 2` deals them out to its workers.

What starts servers is one lane, which one worker runs from its beginning to its end: in the whole
run, the servers of one folder run at a time. Every other file is a lane of its own.
"""

from pathlib import PurePath

import pytest
from xdist.scheduler import LoadScopeScheduling

ON_SERVERS = ("services", "browser")
ORDER = (*ON_SERVERS, "conformance", "property", "cli", "docs", "crash", "unit")
"""Folders of `tests`, last those with many small files: they are dealt out evenly at the end."""


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # it ships no types
    """Gives a worker that has nothing left to do the next lane."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def lane(nodeid: str) -> str:
    return "servers" if folder(nodeid) in ON_SERVERS else nodeid.partition("::")[0]


def folder(nodeid: str) -> str:
    """Return the folder of `tests` that holds the file of a test."""
    parts = PurePath(nodeid.partition("::")[0]).parts
    return parts[1] if len(parts) > 2 and parts[0] == "tests" else "elsewhere"


def put_in_order(items: list[pytest.Item]) -> None:
    """Sort tests by their folders; within one they stay as they were."""
    places = {name: place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(folder(item.nodeid), len(ORDER)))
