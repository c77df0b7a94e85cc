"""How references stand, as lines of a status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tailrace.cli.columns import aligned, moment, number
from tailrace.cli.printable import one_line

if TYPE_CHECKING:
    from tailrace.engines.status import ReferenceStatus


def references(standings: Sequence[ReferenceStatus]) -> Iterator[str]:
    """A line for each reference."""
    rows = [("", "version", "rows", "loaded", "")]
    rows += [
        (
            one.name,
            one.version or "none yet",
            "-" if one.rows is None else number(one.rows),
            "-" if one.loaded_at is None else moment(one.loaded_at),
            one_line(one.place),
        )
        for one in standings
    ]
    if len(rows) > 1:
        yield from aligned(rows, right=(2,))


def references_in_trouble(standings: Sequence[ReferenceStatus]) -> Iterator[str]:
    """What a person should see to."""
    for one in standings:
        if one.error is not None:
            yield f"{one_line(one.error)} (version {one.version or 'none'} stays in force)"
