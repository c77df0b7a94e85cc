"""What passes between the mapper, the reducer and the engines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from tailrace.formats.records import Decoded
    from tailrace.plan.model import Rule


JUDGED_AT = "_judged_at"
"""Column of archived events, int64 microseconds: when it is looked up whether their key is listed.

That is the event's time, of a late one the watermark of its own partition before it.
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """The decoded events of one slice, and where its partition stood.

    ``before`` is the partition's maximum event time before the slice (``time.NEVER`` if none).
    ``positions`` are those of the events' records.
    """

    partition: str
    generation: int
    decoded: Decoded
    positions: NDArray[np.int64]
    before: int


@dataclass(frozen=True, slots=True)
class GroupPartials:
    """The partials of one group from one batch.

    ``plain``: Arrow table with ``code`` (text), the key fields ``k0..``, ``pane`` (int64), ``n``
    (int64, accepted events) and one column for each plain partial; a (key, pane) is in it once.
    Texts of codes and keys may be dictionaries.
    ``sides``: for each sided partial a table with ``code``, ``pane``, ``item`` (int64) and ``n``
    (int64). ``late``: events that passed the filter but came late; ``passed``: events that passed
    the filter, late ones too.
    """

    plain: pa.Table
    sides: dict[str, pa.Table]
    passed: int
    late: int


@dataclass(frozen=True, slots=True)
class EventRows:
    """Events that fired a per-event rule, or go to the archive.

    All fields, and ``_partition``, ``_generation``, ``_position`` (int64) and ``_time`` (int64
    microseconds) beside them.
    """

    table: pa.Table


@dataclass(frozen=True, slots=True)
class Judged:
    """How many events a per-event rule looked at, and on how many its own operations failed.

    ``labels``: of a classification, how many events got which label.
    """

    passed: int
    failed: int
    labels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the mapper made of a batch.

    ``after``: the maximum event time of each partition after it. ``errors_by_pane``, where asked
    for instead of ``errors``: by rule, each pane's failures and those that late events have too.
    """

    events: int
    duplicates: int
    groups: dict[str, GroupPartials]
    errors: dict[str, int]
    derive_errors: dict[str, int]
    judged: dict[str, Judged]
    fired: dict[str, EventRows]
    archive: EventRows | None
    after: dict[str, int]
    errors_by_pane: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleFirings:
    """Closed windows of one rule that its condition holds for, by ascending end.

    ``keys``: dense key numbers; ``ends``: int64 microseconds; ``values``: Arrow table with the
    rule's columns, row by row; ``flags``: one byte a row, bits of ``FLAG_*``. Of a rule that sees
    events in order a row is a run: its condition holds from ``ends`` to ``lasts``, both included,
    and only those that are ``told`` are firings of their own with a row for outputs; the others
    carry one on. A run that is ``open`` goes on after ``lasts``, up to the next row of its key:
    that carries it on, or only tells that it has ended before (``lasts`` is before ``ends`` then).
    """

    rule: Rule
    keys: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: pa.Table
    flags: NDArray[np.uint8]
    lasts: NDArray[np.int64] | None = None
    told: NDArray[np.bool_] | None = None
    open: NDArray[np.bool_] | None = None

    @property
    def rows(self) -> RuleFirings:
        """Those that have a row for outputs."""
        if self.told is None or self.told.all():
            return self
        told = self.take(np.flatnonzero(self.told))
        return replace(told, lasts=None, told=None, open=None)

    def take(self, chosen: NDArray[np.int64]) -> RuleFirings:
        """Some of the rows."""
        return RuleFirings(
            self.rule,
            self.keys[chosen],
            self.ends[chosen],
            self.values.take(chosen) if self.values.num_columns else self.values,
            self.flags[chosen],
            None if self.lasts is None else self.lasts[chosen],
            None if self.told is None else self.told[chosen],
            None if self.open is None else self.open[chosen],
        )

    @property
    def starts(self) -> NDArray[np.int64]:
        """The starts of the rows' windows."""
        return self.ends - self.size

    @property
    def size(self) -> int | NDArray[np.int64]:
        """The size of the rows' windows, or of each of them."""
        ordered = self.rule.ordered
        if ordered is None or ordered.start_from is None or not len(self.ends):
            return self.rule.window.size
        sizes: NDArray[np.int64] = self.ends - self.values[ordered.start_from].to_numpy()
        return sizes


@dataclass(slots=True)
class RuleCounts:
    """The account of one rule: at all times events = filtered + late + evicted + accepted.

    ``labels``: of a classification, the accepted events by label. ``forgotten``: keys that a rule
    which sees events in order had no place for any more.
    """

    events: int = 0
    filtered: int = 0
    late: int = 0
    evicted: int = 0
    accepted: int = 0
    errors: int = 0
    firings: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0


@dataclass(slots=True)
class Counts:
    """The account of a pipeline: ``read == events + dead + blank`` at every moment.

    ``rules`` by rule identity.
    """

    read: int = 0
    bytes: int = 0
    events: int = 0
    dead: int = 0
    blank: int = 0
    duplicates: int = 0
    dead_by_code: dict[str, int] = field(default_factory=dict)
    derive_errors: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    rules: dict[str, RuleCounts] = field(default_factory=dict)


FLAG_EVICTED = 1
"""Some keys of the window's hash bucket were evicted (``limits.max_keys``)."""

FLAG_SATURATED = 2
"""A distinct count reached ``limits.max_distinct``."""

FLAG_NAMES = {FLAG_EVICTED: "keys_evicted", FLAG_SATURATED: "distinct_saturated"}
