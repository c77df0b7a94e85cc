"""What passes between sources, formats and the kernel: records, and what decoding gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


UNTIMED = -(2**62)
"""In place of an event's time that only whoever knows the partition can say; before every time."""
UNKNOWN_ARRIVAL = 2**62 - 1
"""The arrival of a Kafka message without a timestamp: no event is ahead of it."""


@dataclass(frozen=True, slots=True)
class Records:
    r"""A run of records of one partition, in order, over one contiguous buffer without a copy.

    ``data``: bytes, which may be reused once the records are decoded.
    ``offsets``: int32, n + 1 values; record i is ``data[offsets[i]:offsets[i + 1]]`` and includes
    its line end (``\n``, perhaps ``\r`` before it) where the source has lines.
    ``positions``: int64, n values ascending, the place of each record in its partition's current
    generation (decompressed byte, or Kafka offset).
    ``arrival``: int64 microseconds of each record's arrival where the source knows it, else None.
    ``oversize``: bool, n values, true where a line was longer than ``max_record_bytes``: the record
    is then the first ``max_record_bytes`` bytes of it, without a line end; None when no record is.
    ``header``: the generation's first record where the source knows it (files: if it ends within
    the first KiB), for CSV whose header names the columns; not needed where ``positions`` begin
    with 0.
    ``beside``: what the source has of each record beside its bytes (a Kafka message's key, offset,
    ...), as far as the pipeline declares it: the text by name, n values, null where there is none.
    None where records have nothing beside them.
    """

    data: pa.Buffer
    offsets: NDArray[np.int32]
    positions: NDArray[np.int64]
    arrival: NDArray[np.int64] | None = None
    oversize: NDArray[np.bool_] | None = None
    header: bytes | None = None
    beside: Mapping[str, pa.StringArray] | None = None

    def __len__(self) -> int:
        """The number of records."""
        return len(self.positions)


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Records that did not become events: parallel columns, by ascending row of ``Records``.

    ``code`` is one of the closed list in ``tailrace.formats.codes``; ``field`` is the declared
    field at fault or None.
    """

    rows: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    fields: tuple[str | None, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding gives: ``len(records) == events.num_rows + len(dead.rows) + blank``.

    ``events``: Arrow table, one column for each declared field, named as declared, in declared
    order (text: string, integer: int64, double: float64, boolean: bool, time: timestamp[us, UTC]),
    each column one chunk. ``time``: int64 microseconds UTC of each event, or ``UNTIMED``; ``rows``:
    int32 row number of each event, ascending. ``words``: columns of ``events``, once more, by their
    distinct texts, where somebody made that of these very events (``kernel.words``).
    """

    events: pa.Table
    time: NDArray[np.int64]
    rows: NDArray[np.int32]
    dead: DeadLetters
    blank: int
    words: Mapping[str, pa.DictionaryArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TypedRecords(Records):
    """Records that came typed, so that what decoding gives is known already.

    Only those that became dead letters have bytes.
    """

    decoded: Decoded | None = None
