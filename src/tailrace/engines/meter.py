"""How fast records come: the rate over the last seconds."""

from __future__ import annotations

from collections import deque

SPAN_SECONDS = 5.0


class Meter:
    """Is told now and then how many there were in all; ``at`` are monotonic seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def observe(self, total: int, at: float) -> None:
        """Take note of the number in all, now."""
        self._marks.append((at, total))
        while len(self._marks) > 2 and self._marks[1][0] <= at - SPAN_SECONDS:
            self._marks.popleft()

    @property
    def per_second(self) -> float:
        """The rate; 0 before there is anything to compare."""
        if len(self._marks) < 2:
            return 0.0
        (first, before), (last, now) = self._marks[0], self._marks[-1]
        return (now - before) / (last - first) if last > first else 0.0
