"""What holds of every outcome, whatever a case expects."""

from tailrace.testing.case import Case, End, Reload
from tailrace.testing.compare import unconfirmed
from tailrace.testing.outcome import Outcome


def account(case: Case, outcome: Outcome) -> None:
    """Semantics 6: every record and event is counted once; 19: early notices are confirmed."""
    counts = outcome.counts
    assert counts.read == counts.events + counts.dead + counts.blank
    assert len(outcome.dead) == counts.dead
    reloaded = any(isinstance(step, Reload) for step in case.steps)
    for rule, each in outcome.rules.items():
        judged = each.filtered + each.late + each.evicted + each.accepted
        assert judged <= counts.events if reloaded else judged == counts.events, rule
    assert len({notice.id for notice in outcome.notices}) == len(outcome.notices)
    ended = any(isinstance(step, End) for step in case.steps)
    if ended and not reloaded:
        # A key that is evicted after its notice never gets the incident.
        open_ = [each for each in unconfirmed(outcome) if not outcome.rules[each.rule].evicted]
        assert open_ == []
