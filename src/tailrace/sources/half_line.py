"""Tells of a followed file that stands still with a last line that has no end.

Such a line is no record, as more of it may come (rule 1); a writer that never ends it would let it
wait for ever, with nobody the wiser.
"""

from __future__ import annotations

PATIENCE_SECONDS = 10.0
"""How long a file must not grow: writers may take a while for a line."""


class HalfLine:
    """Watches the end of one file after another."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._place: tuple[int, int] | None = None
        self._since = 0.0
        self._told = False

    def look(self, path: str, position: int, begun: int, now: float) -> str | None:
        """What to tell of a file at its end, once; None if nothing is to be told.

        ``position`` and ``begun``: the bytes of whole lines, and those after them.
        """
        place = (position, begun)
        if place != self._place:
            self._place, self._since, self._told = place, now, False
        if not begun or self._told or now - self._since < PATIENCE_SECONDS:
            return None
        self._told = True
        return (
            f"{path}: its last {begun} bytes have no line end, and are no record before it comes;"
            " a file that is complete is read whole without `follow: true`"
        )
