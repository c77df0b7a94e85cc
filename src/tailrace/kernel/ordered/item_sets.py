"""Sets of items that are kept as sets, and stored as text."""

from __future__ import annotations

import numpy as np

_STORED = np.dtype(">i8")


def stored(items: set[int] | None) -> str | None:
    """Items, which are 64-bit hashes, as text: 16 hex digits for each, in ascending order."""
    if not items:
        return None
    ordered = np.sort(np.fromiter(items, np.int64, len(items)))
    return ordered.astype(_STORED).tobytes().hex()


def restored(text: str | None) -> set[int] | None:
    """The items that ``stored`` gave a text of."""
    return None if text is None else set(np.frombuffer(bytes.fromhex(text), _STORED).tolist())
