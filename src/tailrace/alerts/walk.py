"""One key's way through its new firings: from what was remembered to what is to be remembered.

The work is done once a stretch of consecutive windows or once a revision, never once a firing.
"""

from __future__ import annotations

from dataclasses import replace

from tailrace.alerts.consecutive import Ordered, long_enough, without_gap
from tailrace.alerts.incidents import Firings, IncidentRule, Reason, Revision
from tailrace.alerts.revisions import Wording
from tailrace.alerts.states import Cooldown, Firing, Life, Noticed, Pending
from tailrace.plan.identity import Key, Scalar, incident_fingerprint


class Walk:
    """The firings of one call of the fold, ordered and cut into stretches.

    ``revisions`` and ``unconfirmed`` collect what happens on the way.
    """

    def __init__(
        self, rule: IncidentRule, wording: Wording, firings: Firings, ordered: Ordered
    ) -> None:
        self._rule = rule
        self._wording = wording
        self._firings = firings
        self._ordered = ordered
        self._ends = ordered.ends
        self._runs = without_gap(ordered, rule.every)
        self._openable = long_enough(self._runs, ordered, rule.for_) if rule.for_ else self._runs
        self._spans = (
            without_gap(ordered, rule.every + rule.keep_firing_for)
            if rule.keep_firing_for
            else self._runs
        )
        self.revisions: list[Revision] = []
        self.unconfirmed: list[str] = []

    def key(self, key: Key, life: Life | None, start: int, stop: int) -> Life | None:
        """The life of ``key`` after its firings, which are those from ``start`` to ``stop``."""
        rule = self._rule
        at = start
        while at < stop:
            match life:
                case Firing():
                    resolved_at = life.last + rule.every + rule.keep_firing_for
                    if int(self._ends[at]) > resolved_at:
                        life = resolve(rule, self._wording, key, life, self.revisions)
                    else:
                        life, at = self._carry_on(key, life, at)
                case Cooldown(until):
                    at += int(self._ends[at:stop].searchsorted(until))
                    if at < stop:
                        life = None
                case Noticed(end, notice):
                    if int(self._ends[at]) > end:
                        self.unconfirmed.append(notice)
                        life = None
                    else:
                        life = self._open(key, at, int(self._ends[at]), (notice,))
                        at += 1
                case _:
                    life, at = self._wait(key, life, at, stop)
        return life

    def _wait(self, key: Key, life: Pending | None, at: int, stop: int) -> tuple[Life, int]:
        """Look for the next firing that opens an incident; none leaves the key pending."""
        rule = self._rule
        end = int(self._ends[at])
        since = life.since if life is not None and end == life.last + rule.every else end
        last = self._runs.last(at)
        if int(self._ends[last]) - since >= rule.for_:
            # Rounded up to whole windows.
            opened = at + max(0, -((end - since - rule.for_) // rule.every))
            return self._open(key, opened, since, ()), opened + 1
        following = self._openable.first_from(last + 1)
        if following < stop:
            return self._wait(key, None, following, stop)
        if last < stop - 1:
            since = int(self._ends[self._runs.first(stop - 1)])
        return Pending(since, int(self._ends[stop - 1])), stop

    def _open(self, key: Key, at: int, since: int, notices: tuple[str, ...]) -> Firing:
        rule = self._rule
        end = int(self._ends[at])
        measures, flags = self._window(at)
        life = Firing(
            fingerprint=incident_fingerprint(rule.pipeline, rule.identity, key, since - rule.size),
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
        while due is not None and due <= int(self._ends[last]):
            at += int(self._ends[at : last + 1].searchsorted(due))
            end = int(self._ends[at])
            period = self._rule.update_every
            due = life.opened_at + ((end - life.opened_at) // period + 1) * period
            measures, flags = self._window(at)
            life = replace(
                life,
                last=end,
                revision=life.revision + 1,
                update_due=due,
                measures=measures,
                flags=flags,
            )
            self.revisions.append(self._wording.revision(key, life, Reason.UPDATED, end))
        end = int(self._ends[last])
        if end > life.last:
            measures, flags = self._window(last)
            life = replace(life, last=end, measures=measures, flags=flags)
        return life, last + 1

    def _window(self, at: int) -> tuple[dict[str, Scalar], int]:
        row = self._ordered.row(at)
        flags = self._firings.flags
        return self._firings.measures(row), 0 if flags is None else int(flags[row])


def resolve(
    rule: IncidentRule, wording: Wording, key: Key, life: Firing, revisions: list[Revision]
) -> Cooldown | None:
    """Resolve an incident because its time has passed; what remains is its cooldown, if any."""
    at = life.last + rule.every + rule.keep_firing_for
    life = replace(life, revision=life.revision + 1)
    revisions.append(wording.revision(key, life, Reason.RESOLVED, at, at))
    return Cooldown(at + rule.cooldown) if rule.cooldown else None
