"""Blocks of lines, one after another, in the memory of one block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.effects import Effects
from tailrace.generate.faults import Faults, FaultShares, faulty_lines
from tailrace.generate.plan import Plan
from tailrace.generate.profiles import Profile
from tailrace.generate.requests import Requesters, host_names
from tailrace.generate.rows import Layout, LineBuffer

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

BLOCK_ROWS = 16_384
"""About 3 MB, made in some 15 ms: real time has no long gaps while a block is made."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines: their bytes, when each arrives, what is wrong with each.

    ``truth``: a line about each of them, where there is a truth to tell; else empty.
    """

    lines: bytes
    arrivals_us: NDArray[np.int64]
    faults: Faults
    truth: bytes = b""


@dataclass(frozen=True, slots=True)
class Randomness:
    """Independent generators, so that an option changes only what it is about."""

    plan: Generator
    arrivals: Generator
    requests: Generator
    attacks: Generator
    faults: Generator
    layout: Generator

    @classmethod
    def of(cls, seed: int) -> Randomness:
        """The generators that belong to a seed."""
        return cls(
            *(np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(6))
        )


@dataclass(frozen=True, slots=True)
class Stream:
    """Everything settled that decides a run's bytes."""

    profile: Profile
    layout: Layout
    randomness: Randomness
    clients: int
    hosts: int
    plan: Plan
    shares: FaultShares

    def blocks(self) -> Iterator[Block]:
        """Make the run's blocks; to be called once, because it uses the generators up."""
        rng = self.randomness
        requesters = Requesters(self.profile, self.clients, self.hosts, rng.requests)
        effects = Effects(self.plan.episodes, self.profile, host_names(self.hosts), rng.attacks)
        buffer = LineBuffer(self.layout.template, BLOCK_ROWS)
        begin = 0
        while begin < self.plan.rows:
            rows = min(BLOCK_ROWS, self.plan.rows - begin)
            places = begin + np.arange(rows) + self.profile.jitter * rng.arrivals.random(rows)
            arrivals_us = self.plan.schedule.times_us(places)
            faults = self.shares.draw(rng.faults, rows)
            event_us = arrivals_us - self.shares.delays_us(rng.faults, faults)
            requests = requesters.draw(np.maximum(event_us, 0))
            effects.apply(requests)
            self.layout.fill(buffer.records[:rows], requests)
            lines = faulty_lines(buffer, faults, self.layout.wrong_values, rng.faults)
            yield Block(lines, arrivals_us, faults)
            begin += rows
