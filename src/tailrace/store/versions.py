"""Which versions of references a store keeps beside those in force: the last ones, for explain."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MOST_VERSIONS = 16
"""Earlier versions of one reference."""

MOST_BYTES = 64 << 20
"""Of all earlier versions together."""


def outdated_versions(
    there: Sequence[tuple[str, str, int]], keep: Mapping[str, str], news: Collection[str]
) -> set[tuple[str, str]]:
    """Names and versions that are kept no longer.

    ``there``: name, version and bytes of each, the newest first; ``keep``: the versions in force
    so far; ``news``: names of references that get another one. What a pipeline names no longer, in
    neither of these, goes.
    """
    outdated = set()
    numbers: Counter[str] = Counter()
    total = 0
    for name, version, size in there:
        if keep.get(name) == version:
            continue
        numbers[name] += 1
        total += size
        known = name in keep or name in news
        if not known or numbers[name] > MOST_VERSIONS or total > MOST_BYTES:
            outdated.add((name, version))
    return outdated
