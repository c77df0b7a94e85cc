"""What attacks do to rows: a share of them is the attack's own, and others meet its host.

Judged by event time, so that a delayed row shows what was going on when it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tailrace.generate.draws import MAX_REQUEST_MS
from tailrace.generate.episodes import Episode
from tailrace.generate.profiles import Profile
from tailrace.generate.requests import Requests

if TYPE_CHECKING:
    from numpy.random import Generator

Rows: TypeAlias = NDArray[np.bool_]
"""True for the rows that are meant."""

SCANNER_STATUSES = (404, 404, 404, 403)


class Effects:
    """The episodes of a run, laid over its rows block by block."""

    def __init__(
        self, episodes: Sequence[Episode], profile: Profile, hosts: Sequence[str], rng: Generator
    ) -> None:
        self._episodes = episodes
        self._profile = profile
        self._hosts = {name: position for position, name in enumerate(hosts)}
        self._rng = rng
        self._probes = 0
        self._apply: Mapping[str, Callable[[Episode, Requests, Rows, Rows], None]] = {
            "flood": self._flood,
            "scanner": self._scanner,
            "failing-host": self._failing_host,
            "slow-host": self._slow_host,
        }

    def apply(self, requests: Requests) -> None:
        """Change the rows whose event time lies within an episode."""
        times = requests.event_us
        first, last = times.min(), times.max()
        met = [one for one in self._episodes if one.start_us <= last and one.end_us > first]
        if not met:
            return
        during = [(times >= one.start_us) & (times < one.end_us) for one in met]
        rates = [one.attack.added_rate for one in met]
        # A row lies on a line of its own: the first unit of it is ordinary traffic, then comes a
        # stretch for each attack that goes on.
        edge = np.ones(len(times))
        length = edge + sum(rows * rate for rows, rate in zip(during, rates, strict=True))
        place = self._rng.random(len(times)) * length
        for episode, rows, rate in zip(met, during, rates, strict=True):
            next_edge = edge + rows * rate
            own = (place >= edge) & (place < next_edge)
            self._apply[episode.kind](episode, requests, own, rows)
            edge = next_edge

    def _flood(self, episode: Episode, requests: Requests, own: Rows, during: Rows) -> None:  # noqa: ARG002
        requests.client[own] = int(IPv4Address(episode.key))

    def _scanner(self, episode: Episode, requests: Requests, own: Rows, during: Rows) -> None:  # noqa: ARG002
        number = int(np.count_nonzero(own))
        requests.client[own] = int(IPv4Address(episode.key))
        requests.host[own] = self._rng.integers(0, len(self._hosts), number)
        requests.status[own] = self._rng.choice(SCANNER_STATUSES, number)
        requests.probe[own] = np.arange(self._probes, self._probes + number)
        self._probes += number

    def _failing_host(self, episode: Episode, requests: Requests, own: Rows, during: Rows) -> None:
        asked = self._ask(episode, requests, own, during)
        failing = asked & (self._rng.random(len(asked)) < episode.attack.share)
        status = episode.attack.status
        codes = self._profile.failing(status) if status.endswith("xx") else [int(status)]
        requests.status[failing] = self._rng.choice(codes, np.count_nonzero(failing))

    def _slow_host(self, episode: Episode, requests: Requests, own: Rows, during: Rows) -> None:
        asked = self._ask(episode, requests, own, during)
        slow_ms = requests.request_ms[asked] * episode.attack.factor
        requests.request_ms[asked] = np.clip(slow_ms, 1, MAX_REQUEST_MS)

    def _ask(self, episode: Episode, requests: Requests, own: Rows, during: Rows) -> Rows:
        """Send an attack's own rows to its host; return all rows of that host meanwhile."""
        host = self._hosts[episode.key]
        requests.host[own] = host
        asked: Rows = during & (requests.host == host)
        return asked
