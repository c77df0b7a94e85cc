"""What ordinary traffic looks like: the two profiles that there are.

Attacks are laid over it in `effects`; how draws are made is in `draws`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from numpy.random import Generator

from tailrace.generate.draws import (
    Addresses,
    Codes,
    even,
    even_ms,
    log_normal_ms,
    settled,
    skewed,
    unsettled,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Popularity: TypeAlias = Callable[[Generator, int, int], Codes]
"""Draws (generator, rows, size) positions below size."""
Habit: TypeAlias = Callable[[Generator, Addresses, Codes], Codes]
"""Draws (generator, clients, weighted table) a position for each row."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Values with their weights, and how times and popularity are spread."""

    rate: float
    """Events a second unless told otherwise."""
    jitter: float
    """How much of the time from one event to the next an event may move within, 0 to 1."""
    popularity: Popularity
    """Of clients and of hosts."""
    statuses: Mapping[int, float]
    methods: Mapping[str, float]
    countries: Mapping[str, float]
    country: Habit
    request_ms: Callable[[Generator, int], NDArray[np.int64]]
    request_time_decimals: int

    def failing(self, status_class: str) -> list[int]:
        """The profile's statuses in a class such as ``5xx``."""
        return [status for status in self.statuses if str(status)[0] == status_class[0]]


SERVERS = [f"s_v{number}" for number in range(11)]

REALISTIC = Profile(
    rate=100.0,
    jitter=1.0,
    popularity=skewed,
    statuses={
        200: 85.0,
        201: 3.0,
        204: 2.0,
        301: 0.5,
        304: 4.5,
        400: 0.8,
        401: 0.6,
        403: 0.5,
        404: 2.2,
        429: 0.3,
        500: 0.3,
        502: 0.1,
        503: 0.2,
    },
    methods={"GET": 78, "POST": 15, "PUT": 4, "HEAD": 2, "DELETE": 1},
    countries={
        "US": 26,
        "IR": 20,
        "FR": 14,
        "DE": 12,
        "GB": 9,
        "IN": 7,
        "NL": 5,
        "BR": 4,
        "JP": 2,
        "GE": 1,
    },
    country=settled,
    request_ms=log_normal_ms,
    request_time_decimals=3,
)

SEED = Profile(
    rate=2.0,
    jitter=0.0,
    popularity=even,
    statuses=dict.fromkeys((200, 204, 201, 400, 403, 429, 500, 503), 1),
    methods=dict.fromkeys(("POST", "GET", "PUT"), 1),
    countries=dict.fromkeys(("FR", "US", "IR", "EN", "GE"), 1),
    country=unsettled,
    request_ms=even_ms,
    request_time_decimals=2,
)

PROFILES = {"realistic": REALISTIC, "seed": SEED}
