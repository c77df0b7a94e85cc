"""Leaky buckets, first sights, absences and sequences (semantics 21), for the events of one key.

The events are ordered by time, partition and position.
"""

from collections.abc import Iterator, Sequence

from tests.oracle.evaluate import absent
from tests.oracle.windows import Taken

from tailrace.config import ordered as written
from tailrace.testing.outcome import Instant, Value


def overflows(
    rule: written.Leaky, events: Sequence[Taken], max_distinct: int
) -> Iterator[tuple[int, int, bool]]:
    """When the bucket overflows, how many events were in it then, and if a value had no room."""
    level = count = 0
    before: int | None = None
    blind_until: int | None = None
    told: int | None = None
    inside: set[object] = set()
    full = False
    for event in events:
        if blind_until is not None and event.time < blind_until:
            continue
        level = max(0, level - (event.time - (event.time if before is None else before)))
        before = event.time
        if level == 0:
            count, inside, full = 0, set(), False
        if rule.distinct is not None:
            (value,) = event.own
            if absent(value) or value in inside:
                continue
            if len(inside) < max_distinct:
                inside.add(value)
            else:
                full = True
        level += rule.leak
        count += 1
        if level > rule.capacity * rule.leak:
            if told != event.time:
                yield event.time, count, full
            told = event.time
            level, count, inside, full = 0, 0, set(), False
            blind_until = event.time + rule.blackhole


def first_sights(
    rule: written.FirstSeen, events: Sequence[Taken], begun: int
) -> Iterator[tuple[int, Value]]:
    """When the key is new, and when it was last seen, if that is not too long ago."""
    learn = rule.within if rule.learn is None else rule.learn
    times = sorted({event.time for event in events})
    for place, time in enumerate(times):
        if (learn and time < begun + learn) or any(
            time - rule.within < each < time for each in times
        ):
            continue
        seen = times[place - 1] if place else None
        recent = seen is not None and time - seen < 2 * rule.within
        yield time, Instant(seen) if recent and seen is not None else None


def absences(rule: written.AbsentFor, events: Sequence[Taken]) -> Iterator[tuple[int, int, int]]:
    """The last event before each absence, and the absence's first and last instant."""
    times = sorted({event.time for event in events})
    for place, time in enumerate(times):
        last = time + rule.forget - 1
        if place + 1 < len(times):
            last = min(last, times[place + 1] - 1)
        if time + rule.after <= last:
            yield time, time + rule.after, last


def matches(  # noqa: C901 (one event after another)
    rule: written.Sequence, events: Sequence[Taken]
) -> Iterator[tuple[int, ...]]:
    """The times of the steps of each match."""
    length = len(rule.steps)
    # For each number of steps the match that came so far and began last, as times.
    open_: dict[int, tuple[int, ...]] = {}
    told: int | None = None
    for event in events:
        if rule.cancel is not None and event.own[length] is True:
            open_ = {}
            continue
        complete = False
        for step in range(length - 1, 0, -1):
            match = open_.get(step)
            if event.own[step] is not True or match is None:
                continue
            if event.time - match[0] > rule.within:
                continue
            longer = (*match, event.time)
            if step == length - 1:
                complete = True
                if told != event.time:
                    yield longer
                told = event.time
                break
            if step + 1 not in open_ or open_[step + 1][0] < longer[0]:
                open_[step + 1] = longer
        if complete:
            open_ = {}
        elif event.own[0] is True:
            open_[1] = (event.time,)


def named(rule: written.Sequence, match: tuple[int, ...]) -> dict[str, Value]:
    """The measures of a match."""
    return {f"{name}_at": Instant(at) for name, at in zip(rule.steps, match, strict=True)}
