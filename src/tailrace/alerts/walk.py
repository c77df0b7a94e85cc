"""One key's way through its new firings: from what was remembered to what is to be remembered.

The work is done once a stretch of consecutive windows or once a revision, never once a firing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tailrace.alerts.consecutive import keys_of, long_enough, ordered, without_gap
from tailrace.alerts.incidents import Firings, IncidentRule, Reason, Revision
from tailrace.alerts.revisions import Wording
from tailrace.alerts.states import Cooldown, Firing, Life, Noticed, Pending
from tailrace.plan.identity import Key, Scalar, incident_fingerprint


class Part(NamedTuple):
    """One key's firings: their indexes from ``start`` to ``stop``, the first and the last end.

    ``number`` is the key's dense id; ``unbroken``: nothing between them resolves an incident.
    """

    number: int
    start: int
    stop: int
    first: int
    last: int
    unbroken: bool


class Walk:
    """The firings of one call of the fold, ordered and cut into stretches.

    ``revisions`` and ``unconfirmed`` collect what happens on the way.
    """

    def __init__(self, rule: IncidentRule, wording: Wording, firings: Firings) -> None:
        self._rule = rule
        self._wording = wording
        self._firings = firings
        self._ordered = found = ordered(firings.keys, firings.ends, firings.lasts)
        self._ends, self._lasts = found.ends, found.lasts
        self._reach = rule.every + rule.keep_firing_for
        self._runs = without_gap(found, rule.every)
        self._openable = long_enough(self._runs, found, rule.for_) if rule.for_ else self._runs
        self._spans = without_gap(found, self._reach) if rule.keep_firing_for else self._runs
        self.revisions: list[Revision] = []
        self.unconfirmed: list[str] = []

    def parts(self) -> Iterator[Part]:
        """The firings of one key after another."""
        found = self._ordered
        starts = np.asarray(keys_of(found).starts)
        stops = np.append(starts[1:], len(found.ends))
        spans = np.searchsorted(self._spans.starts, stops)
        columns = (
            found.keys[starts],
            starts,
            stops,
            found.ends[starts],
            found.lasts[stops - 1],
            np.diff(spans, prepend=0) == 1,
        )
        return map(Part, *(column.tolist() for column in columns))

    def along(self, part: Part, key: Key, life: Life | None) -> Life | None:
        """The life of a key after its firings."""
        if (
            type(life) is Firing
            and part.unbroken
            and part.first <= life.last + self._reach
            and (life.update_due is None or part.last < life.update_due)
        ):
            # Nothing happens, as for most keys of a flood.
            return self._prolonged(life, part.stop - 1, part.last)
        return self._step_by_step(part.start, part.stop, key, life)

    def _step_by_step(self, at: int, stop: int, key: Key, life: Life | None) -> Life | None:
        rule = self._rule
        while at < stop:
            match life:
                case Firing():
                    if int(self._ends[at]) > life.last + self._reach:
                        life = resolve(rule, self._wording, key, life, self.revisions)
                    else:
                        life, at = self._carry_on(key, life, at)
                case Cooldown(until):
                    at += int(self._lasts[at:stop].searchsorted(until))
                    if at < stop:
                        life, at = self._wait(key, None, at, stop, until)
                case Noticed(end, notice):
                    if int(self._ends[at]) > end:
                        self.unconfirmed.append(notice)
                        life = None
                    else:
                        end = int(self._ends[at])
                        life = self._open(key, at, end, end, (notice,))
                        at += end == self._lasts[at]
                case _:
                    life, at = self._wait(key, life, at, stop)
        return life

    def _wait(
        self, key: Key, life: Pending | None, at: int, stop: int, floor: int | None = None
    ) -> tuple[Life, int]:
        """Look for the next firing that opens an incident; none leaves the key pending.

        What fires before ``floor`` doesn't count.
        """
        rule = self._rule
        end = int(self._ends[at])
        if floor is not None and end < floor:
            end = floor
        since = life.since if life is not None and end == life.last + rule.every else end
        last = self._runs.last(at)
        if int(self._lasts[last]) - since >= rule.for_:
            opened = at + int(self._lasts[at : last + 1].searchsorted(since + rule.for_))
            instant = max(int(self._ends[opened]), since + rule.for_)
            following = opened + (instant == int(self._lasts[opened]))
            return self._open(key, opened, instant, since, ()), following
        following = self._openable.first_from(last + 1)
        if following < stop:
            return self._wait(key, None, following, stop)
        if last < stop - 1:
            since = int(self._ends[self._runs.first(stop - 1)])
        return Pending(since, int(self._lasts[stop - 1])), stop

    def _open(self, key: Key, at: int, end: int, since: int, notices: tuple[str, ...]) -> Firing:
        """An incident opens at the window that ends at ``end``, of the firing at the index."""
        rule = self._rule
        measures, flags = self._window(at)
        start = rule.start(since, measures)
        life = Firing(
            fingerprint=incident_fingerprint(rule.pipeline, rule.identity, key, start),
            since=since,
            opened_at=end,
            last=end,
            revision=0,
            update_due=end + rule.update_every if rule.update_every else None,
            measures=measures,
            flags=flags,
            notices=notices,
        )
        self.revisions.append(self._wording.revision(key, life, Reason.OPENED, end))
        return life

    def _carry_on(self, key: Key, life: Firing, at: int) -> tuple[Firing, int]:
        """Follow the incident to the last firing before it is resolved, with its updates."""
        last = self._spans.last(at)
        due = life.update_due
        while due is not None and due <= int(self._lasts[last]):
            at += int(self._lasts[at : last + 1].searchsorted(due))
            end = max(int(self._ends[at]), due)
            period = self._rule.update_every
            due = life.opened_at + ((end - life.opened_at) // period + 1) * period
            life = self._prolonged(life, at, end)
            life = life._replace(revision=life.revision + 1, update_due=due)
            self.revisions.append(self._wording.revision(key, life, Reason.UPDATED, end))
        end = int(self._lasts[last])
        if end > life.last:
            life = self._prolonged(life, last, end)
        return life, last + 1

    def _prolonged(self, life: Firing, at: int, end: int) -> Firing:
        """The incident after the firing at the index ``at``, whose window ends at ``end``."""
        fingerprint, since, opened_at, _, revision, due, _, _, notices = life
        measures, flags = self._window(at)
        return Firing(fingerprint, since, opened_at, end, revision, due, measures, flags, notices)

    def _window(self, at: int) -> tuple[dict[str, Scalar], int]:
        row = self._ordered.row(at)
        flags = self._firings.flags
        return self._firings.measures(row), 0 if flags is None else int(flags[row])


def resolve(
    rule: IncidentRule, wording: Wording, key: Key, life: Firing, revisions: list[Revision]
) -> Cooldown | None:
    """Resolve an incident because its time has passed; what remains is its cooldown, if any."""
    at = life.last + rule.every + rule.keep_firing_for
    life = life._replace(revision=life.revision + 1)
    revisions.append(wording.revision(key, life, Reason.RESOLVED, at, at))
    return Cooldown(at + rule.cooldown) if rule.cooldown else None
