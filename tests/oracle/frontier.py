"""Partitions and the watermark (semantics 9 to 11), one decision after another.

`None` stands for minus infinity: a partition without events, a watermark that has not begun.
"""

from dataclasses import dataclass, field


@dataclass
class Partition:
    maximum: int | None = None
    first: int | None = None
    live: bool = True


@dataclass
class Frontier:
    grace: int
    partitions: dict[str, Partition] = field(default_factory=dict)
    reached: int | None = None
    """G: the running maximum of the least (maximum - grace) over live partitions."""
    since_idle: int = 0
    begun: int | None = None
    """When event time began: the least first event's time, once there is a watermark."""

    def saw(self, partition: str, time: int) -> None:
        seen = self.partitions[partition]
        seen.maximum = time if seen.maximum is None else max(seen.maximum, time)

    def threshold(self, partition: str) -> int | None:
        """M - grace of the partition's events so far."""
        maximum = self.partitions[partition].maximum
        return None if maximum is None else maximum - self.grace

    def advance(self) -> None:
        live = [each for each in self.partitions.values() if each.live]
        if any(each.maximum is None for each in live):
            return
        least = [each.maximum - self.grace for each in live if each.maximum is not None]
        if least:
            self._reach(min(least))
        elif self.maximum is not None:
            self._reach(self.maximum + self.since_idle - self.grace)

    def read(self, partition: str, time: int) -> None:
        """An event was read."""
        seen = self.partitions[partition]
        seen.first = time if seen.first is None else seen.first
        self.saw(partition, time)

    def _reach(self, time: int) -> None:
        if self.reached is None:
            self.begin()
        self.reached = time if self.reached is None else max(self.reached, time)

    def begin(self) -> None:
        if self.begun is None:
            firsts = [each.first for each in self.partitions.values() if each.first is not None]
            self.begun = min(firsts, default=None)

    def idle(self, partition: str) -> None:
        self.partitions[partition].live = False
        self.since_idle = 0

    def comes(self, partition: str) -> None:
        """It appears or returns, and starts at the watermark."""
        seen = self.partitions.setdefault(partition, Partition())
        seen.live = True
        if self.reached is not None:
            self.saw(partition, self.reached + self.grace)

    @property
    def maximum(self) -> int | None:
        found = [e.maximum for e in self.partitions.values() if e.maximum is not None]
        return max(found, default=None)
