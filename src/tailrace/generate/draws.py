"""Random draws, vectorised: choices by weight, by popularity, response times.

Which values and weights are drawn from is said in `profiles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.random import Generator

Codes: TypeAlias = NDArray[np.int64]
"""Positions in a table of values, one a row."""

Addresses: TypeAlias = NDArray[np.uint32]
"""IPv4 addresses, one a row."""

_TABLE_SIZE = 1 << 16
MAX_REQUEST_MS = 59_999
"""Longer requests would have been cut off by the server."""


def weighted_table(weights: Sequence[float]) -> Codes:
    """65,536 positions in proportion to `weights`: a uniform 16-bit number picks one of them."""
    edges = np.rint(np.cumsum([0.0, *weights]) / sum(weights) * _TABLE_SIZE).astype(np.int64)
    return np.repeat(np.arange(len(weights)), np.diff(edges))


def pick(rng: Generator, rows: int, table: Codes) -> Codes:
    """Choose `rows` positions from a `weighted_table`."""
    return table.take(rng.integers(0, _TABLE_SIZE, rows, dtype=np.uint16))


def settled(rng: Generator, client: Addresses, table: Codes) -> Codes:  # noqa: ARG001
    """Choose a position from a `weighted_table` for each client, always the same."""
    return table.take((client * np.uint32(0x9E3779B1)) >> np.uint32(16))


def unsettled(rng: Generator, client: Addresses, table: Codes) -> Codes:
    """Choose a position from a `weighted_table` for each row, whoever the client is."""
    return pick(rng, len(client), table)


def even(rng: Generator, rows: int, size: int) -> Codes:
    """Positions below `size`, each as likely as another."""
    return rng.integers(0, size, rows)


def skewed(rng: Generator, rows: int, size: int) -> Codes:
    """Positions below `size`, the k-th about as likely as k to the power of -0.8 (Zipf-like).

    Inverts the integral of that density, which needs no table of `size` weights.
    """
    fifth_root = 1.0 + ((size + 1.0) ** 0.2 - 1.0) * rng.random(rows)
    square = fifth_root * fifth_root
    ranks: Codes = (square * square * fifth_root).astype(np.int64) - 1
    return ranks.clip(max=size - 1)


def log_normal_ms(rng: Generator, rows: int) -> NDArray[np.int64]:
    """Request times in ms: median 80, one in a hundred above 650."""
    times_ms = np.exp(rng.standard_normal(rows, dtype=np.float32) * 0.9) * 80.0
    whole_ms: NDArray[np.int64] = times_ms.astype(np.int64)
    return whole_ms.clip(1, MAX_REQUEST_MS)


def even_ms(rng: Generator, rows: int) -> NDArray[np.int64]:
    """Request times in ms: whole hundredths of a second from 0.01 to 1.01 s."""
    return rng.integers(1, 102, rows) * 10
