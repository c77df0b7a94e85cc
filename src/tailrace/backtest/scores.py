"""How right a rule was, in counts, and the shares that follow from them.

- precision: of the keys that were accused, those that did wrong; of the incidents, those in an
  episode
- recall: of the keys that did wrong, those that were accused; of the episodes, those with an
  incident
- ordinary: of the keys in the data that did nothing wrong, those that were accused
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """Counts, from which shares follow; None where there is nothing to divide by.

    ``detect_median`` and ``detect_p90``: microseconds from an episode's start to the first incident
    in it, over the episodes found. ``ordinary``: None where the data's keys aren't known.
    ``keyed``: it is about keys, not about all together.
    """

    accused: int
    accused_rightly: int
    guilty: int
    incidents: int
    incidents_rightly: int
    episodes: int
    episodes_found: int
    ordinary: int | None
    ordinary_accused: int
    keyed: bool
    detect_median: int | None
    detect_p90: int | None

    @property
    def precision(self) -> float | None:
        """Of the keys accused, the share that did wrong; without a key that of the incidents."""
        if not self.keyed:
            return self.precision_by_incident
        return _share(self.accused_rightly, self.accused)

    @property
    def recall(self) -> float | None:
        """Of the keys that did wrong, the share accused; without a key that of the episodes."""
        if not self.keyed:
            return self.recall_by_episode
        return _share(self.accused_rightly, self.guilty)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        precision, recall = self.precision, self.recall
        if precision is None or recall is None or not precision + recall:
            return None if recall is None else 0.0
        return 2 * precision * recall / (precision + recall)

    @property
    def precision_by_incident(self) -> float | None:
        """Of the incidents, the share in an episode."""
        return _share(self.incidents_rightly, self.incidents)

    @property
    def recall_by_episode(self) -> float | None:
        """Of the episodes, the share with an incident."""
        return _share(self.episodes_found, self.episodes)

    @property
    def ordinary_share(self) -> float | None:
        """Of the ordinary keys, the share accused."""
        return None if self.ordinary is None else _share(self.ordinary_accused, self.ordinary)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
