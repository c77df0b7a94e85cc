"""Which panes lost keys, as far as rules that look back from any instant need to know it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def sparse(touched: Mapping[int, int], reach: int) -> dict[int, int]:
    """As few marks as tell the same of every instant; ``touched`` as in ``Bound``.

    An instant is told of a mark in its own pane and in the ``reach`` panes before it. So a mark
    says nothing new if the one before it reaches up to the one after it.
    """
    panes: dict[int, list[int]] = defaultdict(list)
    for pane in sorted(touched):
        left = touched[pane]
        while left:
            lowest = left & -left
            panes[lowest].append(pane)
            left ^= lowest
    found: dict[int, int] = {}
    for bucket, mine in panes.items():
        last = None
        for place, pane in enumerate(mine):
            following = mine[place + 1] if place + 1 < len(mine) else None
            if last is not None and following is not None and following - last <= reach + 1:
                continue
            last = pane
            found[pane] = found.get(pane, 0) | bucket
    return dict(sorted(found.items()))
