"""Whether the interfaces that are captured from are there and up.

The kernel takes a ring's interface up again by itself when it was down, not when it was removed and
another one of its name came: that has a number of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tailrace.sources.live.interfaces import numbers_up
from tailrace.sources.types import Note, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Watch:
    """What has become of some interfaces since they were looked at last.

    ``names`` empty: those of all interfaces, of which none is missed.
    """

    def __init__(self, names: Sequence[str], partition: str) -> None:
        self._names = tuple(names)
        self._partition = partition
        self._away: Mapping[str, int] = {}
        self._captured: Mapping[str, int] = {}
        self._now: Mapping[str, int] = {}

    def begin(self) -> None:
        """A ring was made: it captures from the interfaces that are there now, up or not."""
        self._now = self._captured = {n: i for n, (i, _) in numbers_up(self._names).items()}

    def look(self) -> tuple[Note, ...]:
        """Look at them; a note for each that went down, and for each that is up again."""
        found = numbers_up(self._names)
        self._now = {name: number for name, (number, _) in found.items()}
        down = [name for name in self._names if not found.get(name, (0, False))[1]]
        notes = [
            Note("interface_down", self._partition, f"{_why(name, found)}; {_LOST}")
            for name in down
            if name not in self._away
        ]
        notes += [
            Note("interface_up", self._partition, f"the interface {name} is up again")
            for name in self._away
            if name not in down
        ]
        since = time.time_ns() // 1000
        self._away = {name: self._away.get(name, since) for name in down}
        return tuple(notes)

    @property
    def all_away(self) -> bool:
        """Whether nothing can come: that is no confirmation that there is nothing."""
        return bool(self._names) and len(self._away) == len(self._names)

    @property
    def there(self) -> tuple[str, ...]:
        """The names of those that there are, up or not."""
        return tuple(self._now)

    @property
    def moved(self) -> bool:
        """Whether an interface is there that no ring captures from, by another number."""
        return any(self._captured.get(name) != number for name, number in self._now.items())

    def trouble(self) -> Trouble | None:
        """Who is down, since when."""
        away = self._away
        if not away:
            return None
        return Trouble(min(away.values()), f"not up: {', '.join(away)}; {_LOST}")


_LOST = "no packet of it is captured until it is up again"


def _why(name: str, found: Mapping[str, tuple[int, bool]]) -> str:
    return f"the interface {name} " + ("is down" if name in found else "is gone")
