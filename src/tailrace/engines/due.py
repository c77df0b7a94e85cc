"""When something happens next if no event comes: until then the watermark need not be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailrace.engines.epoch import Decision
    from tailrace.engines.running import Running


def next_due(processor: Running) -> int | None:
    """An event time (microseconds) before which a watermark that moves on changes nothing.

    No window that closes before has anything to say, no incident's or verdict's timer ends, no
    archived event waits for it. None: nothing will happen without events.
    """
    conclusion = processor.conclusion
    timers = [fold.soonest for fold in processor.folds.values()]
    timers += [conclusion.verdicts.soonest, conclusion.held.soonest]
    return min((at for at in (processor.soonest(), *timers) if at is not None), default=None)


def stirs(processor: Running, clock: Decision) -> bool:
    """Whether anything happens up to a clock's watermark; otherwise nobody need know of it."""
    due = next_due(processor)
    return due is not None and clock.value is not None and due <= clock.value
