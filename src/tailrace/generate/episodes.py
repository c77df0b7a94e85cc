"""Episodes: attacks with their times and subjects settled, as the labels tell them.

Attacks that were not asked for one by one are placed here too, from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.generate.attacks import KINDS, Attack
from tailrace.generate.options import iso_utc

if TYPE_CHECKING:
    from numpy.random import Generator

DrawKey = Callable[[str], str]
"""Draws a client's address or a host's name, by subject."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What an attack of a given run is about, and when: ``[start_us, end_us)`` in event time."""

    attack: Attack
    key: str
    start_us: int
    end_us: int

    @property
    def kind(self) -> str:
        """The attack's kind."""
        return self.attack.kind

    def until(self, end_us: int) -> Episode | None:
        """The episode as seen in traffic that ends at `end_us`; None if it had not begun."""
        return replace(self, end_us=min(self.end_us, end_us)) if self.start_us < end_us else None

    def as_json(self) -> dict[str, str | float]:
        """The episode as a label: kind, key, the key's field, ISO times, settings."""
        kind = KINDS[self.kind]
        return {
            "kind": self.kind,
            "field": kind.field,
            "key": self.key,
            "start": iso_utc(self.start_us),
            "end": iso_utc(self.end_us),
            "rate": self.attack.added_rate,
            **{name: getattr(self.attack, name) for name in kind.settings},
        }


def settle(attacks: Collection[Attack], start_us: int, draw_key: DrawKey) -> list[Episode]:
    """Give each attack its times and its subject; in order of their start.

    Subjects that the seed chooses differ from each other, as far as a few tries can find such.
    """
    taken = {attack.key for attack in attacks}
    episodes = []
    for attack in attacks:
        key = attack.key
        if key is None:
            tries = [draw_key(attack.subject) for _ in range(20)]
            key = next((tried for tried in tries if tried not in taken), tries[0])
            taken.add(key)
        begin_us = start_us + attack.offset_us
        episodes.append(Episode(attack, key, begin_us, begin_us + attack.duration_us))
    return sorted(episodes, key=lambda episode: episode.start_us)


@dataclass(frozen=True, slots=True)
class Placement:
    """Random attacks before their run's length is known: each has an equal part to itself.

    Kinds come in turns, so that as many attacks as there are kinds show them all.
    """

    kinds: tuple[str, ...]
    rates: tuple[float, ...]
    begins: tuple[float, ...]
    """Where in its part an attack begins, 0 to 1."""
    lengths: tuple[float, ...]
    """How much of its part an attack fills, 0 to 1."""

    @classmethod
    def draw(cls, number: int, kinds: Collection[str], rng: Generator) -> Placement:
        """Draw `number` attacks of the given kinds."""
        turns = -(-number // len(kinds))
        order = [kind for _ in range(turns) for kind in rng.permutation(list(kinds)).tolist()]
        order = order[:number]
        rates = [round(KINDS[kind].rate * rng.uniform(0.5, 2.0), 2) for kind in order]
        lengths = rng.uniform(0.2, 0.5, number)
        begins = rng.uniform(0.0, 1.0, number) * (1 - lengths)
        return cls(tuple(order), tuple(rates), tuple(begins.tolist()), tuple(lengths.tolist()))

    @property
    def added(self) -> float:
        """Requests that the attacks add, as a multiple of what is ordinary in the whole run."""
        if not self.kinds:
            return 0.0
        pairs = zip(self.rates, self.lengths, strict=True)
        return sum(rate * length for rate, length in pairs) / len(self.kinds)

    def within(self, span_us: float) -> list[Attack]:
        """The attacks of a run that is `span_us` long."""
        part_us = span_us / max(1, len(self.kinds))
        return [
            Attack(
                kind,
                offset_us=int((turn + self.begins[turn]) * part_us),
                duration_us=max(1, int(self.lengths[turn] * part_us)),
                rate=self.rates[turn],
            )
            for turn, kind in enumerate(self.kinds)
        ]
