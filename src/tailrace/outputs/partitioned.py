"""Rows in folders by event time, as Hive has them: ``date=2026-01-31/hour=07``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

By: TypeAlias = Literal["day", "hour"]
"""How much event time a folder has."""

NO_TIME = "__HIVE_DEFAULT_PARTITION__"
"""The folder of rows without an event time: what readers of such folders take for null."""
_UNIT = {"day": 86_400_000_000, "hour": 3_600_000_000}


def by_time(rows: pa.Table, times: pa.ChunkedArray, by: By) -> Iterator[tuple[Path, pa.Table]]:
    """Each folder with the rows that go there, in their order; ``times``: timestamps or null."""
    known = times.is_valid().to_numpy()
    instants = pc.fill_null(times.cast(pa.int64()), 0).to_numpy()
    units = instants // _UNIT[by]
    for unit in np.unique(units[known]).tolist():
        yield _folder(unit, by), rows.filter(pa.array(known & (units == unit)))
    if not known.all():
        yield Path(f"date={NO_TIME}"), rows.filter(pa.array(~known))


def _folder(unit: int, by: By) -> Path:
    text = str(np.datetime64(unit * _UNIT[by] // 1_000_000, "s"))
    date, _, clock = text.partition("T")
    folder = Path(f"date={date}")
    return folder if by == "day" else folder / f"hour={clock[:2]}"
