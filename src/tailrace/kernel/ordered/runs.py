"""Several parts of what a rule that sees events in order told, as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.kernel.types import RuleFirings

if TYPE_CHECKING:
    from collections.abc import Sequence


def joined(parts: Sequence[RuleFirings]) -> RuleFirings:
    """All firings of one rule in the order of their ends."""
    if len(parts) == 1:
        return parts[0]
    ends = np.concatenate([part.ends for part in parts])
    order = np.argsort(ends, kind="stable")
    values = pa.concat_tables([part.values for part in parts])
    lasts = [part.lasts for part in parts if part.lasts is not None]
    told = [part.told for part in parts if part.told is not None]
    open_ = [part.open for part in parts if part.open is not None]
    return RuleFirings(
        parts[0].rule,
        np.concatenate([part.keys for part in parts])[order],
        ends[order],
        values.take(order) if values.num_columns else values,
        np.concatenate([part.flags for part in parts])[order],
        np.concatenate(lasts)[order] if lasts else None,
        np.concatenate(told)[order] if told else None,
        np.concatenate(open_)[order] if open_ else None,
    )


def carried_on(firings: RuleFirings, known: int) -> RuleFirings:
    """Open runs up to the next row of their key, or the instant up to which all is told."""
    if firings.open is None or firings.lasts is None:
        return firings
    order = np.lexsort((firings.ends, firings.keys))
    keys, ends = firings.keys[order], firings.ends[order]
    following = np.full(len(order), known)
    same = keys[1:] == keys[:-1]
    following[:-1][same] = ends[1:][same] - 1
    until = np.empty(len(order), np.int64)
    until[order] = following
    return replace(firings, lasts=np.where(firings.open, until, firings.lasts))
