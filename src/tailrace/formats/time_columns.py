"""Whole columns of texts into microseconds UTC; what ``times`` does for one text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tailrace.formats import times
from tailrace.formats.columns import Memory, Typed, patch
from tailrace.formats.spec import TimeForm


def time_column(texts: pa.StringArray, form: TimeForm, zone: str, year: int | None) -> Typed:
    """A string array as int64 microseconds UTC."""
    tz = times.zone_of(zone)
    memory = Memory.of(texts)
    known = np.zeros(len(texts), np.int64)
    plain = np.zeros(len(texts), np.bool_)
    return patch(texts, memory.valid, plain, known, lambda text: times.time(text, form, tz, year))
