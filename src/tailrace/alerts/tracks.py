"""The keys that the fold follows, and which of them are due when the watermark moves on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from tailrace.alerts.states import Life
from tailrace.plan.identity import Key


@dataclass(slots=True, eq=False)
class Track:
    """One key: its life now, and what it was before the call of the fold numbered ``turn``.

    ``standing`` is the instant under which the timers have it.
    """

    key: Key
    life: Life | None = None
    before: Life | None = None
    turn: int = 0
    standing: int | None = None


class Timers:
    """A calendar: instants, each with its tracks.

    A track stands under one instant, at its deadline or before it, for deadlines mostly move on.
    Who finds a track due looks at its real deadline and puts it again. Tracks share few instants,
    because windows end at the same ones: a list for each is cheaper than a heap of tracks.
    """

    def __init__(self) -> None:
        self._instants: list[int] = []
        self._tracks: dict[int, list[Track]] = {}

    def put(self, track: Track, deadline: int) -> None:
        """The track is due at ``deadline``, or earlier where it stands already."""
        if track.standing is not None and track.standing <= deadline:
            return
        track.standing = deadline
        tracks = self._tracks.get(deadline)
        if tracks is None:
            self._tracks[deadline] = [track]
            heappush(self._instants, deadline)
        else:
            tracks.append(track)

    @property
    def soonest(self) -> int | None:
        """No track is due before; None: none ever is."""
        return self._instants[0] if self._instants else None

    def due(self, watermark: int) -> Iterator[Track]:
        """Take out the tracks due at ``watermark``; those put meanwhile and due are among them."""
        while self._instants and self._instants[0] <= watermark:
            instant = heappop(self._instants)
            for track in self._tracks.pop(instant):
                if track.standing == instant:
                    track.standing = None
                    yield track
