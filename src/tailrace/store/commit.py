"""What one epoch changes in the store, applied in a single transaction (SEMANTICS 23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from tailrace.outputs.batches import Rows

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GroupDelta:
    """Rows of one group's partials.

    ``plain`` and ``sides`` (by partial name) are appended; with ``replace`` they are all that the
    group holds. Panes before ``forget_before`` are dropped, if given.
    """

    identity: str
    plain: pa.Table | None = None
    sides: Mapping[str, pa.Table] = field(default_factory=dict)
    replace: bool = False
    forget_before: int | None = None


@dataclass(frozen=True, slots=True)
class HeldDelta:
    """Archived events that wait from now on, and up to which instant those went that waited.

    ``anew``: those that come later may have other columns; none is left.
    """

    rows: pa.Table | None
    until: int
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """The state of one rule (identity) and key (its place) between windows; None removes it."""

    rule: str
    place: str
    body: str | None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row (of batch ``seq``, by number and id) that an output will never take, and why.

    ``body`` is for people; ``payload`` is the row as a batch, as the outbox holds batches.
    """

    seq: int
    row: int
    id: str | None
    reason: str
    body: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """An output has confirmed all up to ``seq``; ``body``: its own state (a file's length).

    ``rows``: how many it has taken in all; ``refused``: those that it didn't since the last time.
    """

    output: str
    seq: int
    rows: int
    body: Json
    refused: tuple[RefusedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that an epoch changes.

    ``state`` is the whole small state (positions, partitions, watermark, counts) as JSON.
    ``incidents`` rows fit table ``incidents``, ``dead`` rows table ``dead_letters``; ``outbox``
    holds (seq, output, rows); ``tables`` rows for outputs of kind table; ``pipeline`` the text of a
    pipeline that is taken up and ``decisions`` what was decided with it; ``dedup`` rows for
    ``tailrace_dedup`` and the least time still needed by partition.
    """

    epoch: int
    state: Json
    groups: tuple[GroupDelta, ...] = ()
    folds: tuple[Fold, ...] = ()
    incidents: pa.Table | None = None
    dead: pa.Table | None = None
    outbox: tuple[tuple[int, str, Rows], ...] = ()
    tables: tuple[tuple[str, pa.Table], ...] = ()
    delivered: tuple[Delivered, ...] = ()
    pipeline: str | None = None
    decisions: tuple[tuple[str, Json], ...] = ()
    dedup: pa.Table | None = None
    dedup_floors: Mapping[str, int] = field(default_factory=dict)
    verdicts: pa.Table | None = None
    """Rows for the table ``verdicts``: what is known now of keys that are listed or were."""
    retained_from: int | None = None
    """Incidents that are resolved, and verdicts that are over, since before this instant go."""
    held: HeldDelta | None = None
    resent: tuple[tuple[str, int, int], ...] = ()
    """Refused rows (output, seq, row) that are in the outbox once more."""
    references: tuple[tuple[str, str, bytes], ...] = ()
    """New versions of references (name, version, contents)."""
    kept_references: Mapping[str, str] | None = None
    """Of others these, by name, stay, and the last ones before (``versions``); None: all."""
    mended: pa.Table | None = None
    """Dead letters that were looked at again: ``id``, ``code``, ``field``, ``reason``, and whether
    they are events now (``replayed``)."""
