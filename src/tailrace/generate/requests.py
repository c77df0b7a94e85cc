"""Ordinary requests: columns of drawn values, one row a request.

`effects` changes the columns where there is an attack; layouts turn them into bytes and add what
no attack is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.draws import Addresses, Codes, pick, weighted_table
from tailrace.generate.profiles import Profile

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

FIRST_CLIENT = int(IPv4Address("154.85.126.0"))
ORDINARY = -1
"""The `probe` of a request that is no scanner's."""

PATHS = (
    "/",
    "/api/v1/products?page=1",
    "/api/v1/products?page=2",
    "/api/v1/search?q=shoes",
    "/api/v1/cart",
    "/static/app.js",
    "/static/app.css",
    "/static/logo.svg",
    "/api/v1/login",
    "/api/v1/orders",
    "/products/1001",
    "/products/1002",
    "/products/1017",
    "/products/2040",
    "/favicon.ico",
    "/robots.txt",
    "/health",
    "/api/v1/reviews?product=1001",
    "/about",
    "/help/returns",
)


def host_name(number: int) -> str:
    """A host's name."""
    return f"api_{number}.example.com"


def host_names(hosts: int) -> list[str]:
    """The hosts' names, by position."""
    return [host_name(number) for number in range(hosts)]


@dataclass(slots=True)
class Requests:
    """Columns of one block of rows; codes are positions in the profile's values."""

    event_us: NDArray[np.int64]
    client: Addresses
    host: Codes
    method: Codes
    status: NDArray[np.int64]
    request_ms: NDArray[np.int64]
    path: Codes
    probe: NDArray[np.int64]
    """Number of the path that a scanner tried, ORDINARY for all others."""


class Requesters:
    """Clients that ask hosts for pages as a profile says."""

    def __init__(self, profile: Profile, clients: int, hosts: int, rng: Generator) -> None:
        self._profile = profile
        self._rng = rng
        # The most popular ones are not the first ones.
        self._clients = (rng.permutation(clients) + FIRST_CLIENT).astype(np.uint32)
        self._hosts = rng.permutation(hosts)
        self._statuses = np.array(list(profile.statuses))
        self._status_table = weighted_table(list(profile.statuses.values()))
        self._method_table = weighted_table(list(profile.methods.values()))
        self._path_table = weighted_table([1 / rank for rank in range(1, len(PATHS) + 1)])

    def draw(self, event_us: NDArray[np.int64]) -> Requests:
        """Draw a request for each event time."""
        rng, profile, rows = self._rng, self._profile, len(event_us)
        return Requests(
            event_us=event_us,
            client=self._clients[profile.popularity(rng, rows, len(self._clients))],
            host=self._hosts[profile.popularity(rng, rows, len(self._hosts))],
            method=pick(rng, rows, self._method_table),
            status=self._statuses[pick(rng, rows, self._status_table)],
            request_ms=profile.request_ms(rng, rows),
            path=pick(rng, rows, self._path_table),
            probe=np.full(rows, ORDINARY),
        )
