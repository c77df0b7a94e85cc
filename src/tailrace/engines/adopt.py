"""Taking up a changed pipeline: a changed rule is a new rule (SEMANTICS 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.engines.concluding import Result, first_rules, judged_until
from tailrace.engines.dispatch import Dispatch, incident_table, verdict_table
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.versions import reference_rows, stamp, stamped
from tailrace.kernel.time import FOREVER
from tailrace.store.commit import Commit, Fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailrace.alerts.incidents import Revision
    from tailrace.alerts.verdicts import Change
    from tailrace.engines.running import Running
    from tailrace.plan.model import Plan
    from tailrace.reference.snapshot import Snapshot


def adopt(processor: Running, plan: Plan, snapshots: Mapping[str, Snapshot]) -> Result:
    """Change the state so that it fits ``plan``; the commit that says so.

    Incidents of removed rules resolve with reason ``rule_removed`` and go where the rule's alerts
    went, as far as those outputs are still there. New rules start after all events read so far:
    what they count is complete. Who is on a list that was removed, or is allowed by it now, is
    lifted. Archived events that wait are judged before, by what is known, and archived as far as
    the outputs are still there. References that the plan doesn't name are forgotten; ``snapshots``:
    those that were loaded for it, in force at once.
    """
    state, old = processor.state, processor.plan
    wanted = {rule.identity for rule in plan.every_rule}
    known = set(state.rules)
    dispatch = Dispatch(plan, state.next_seq)
    archived, held = processor.conclusion.judge_held()
    if archived is not None:
        dispatch.archive_of(old, archived)
    revisions: list[Revision] = []
    folds: list[Fold] = []
    for rule in old.rules:
        if rule.identity in wanted or not rule.alert:
            continue
        removed = processor.folds[rule.identity].remove(
            state.frontier, judged_until(rule, state.frontier)
        )
        told = stamped(removed.revisions, stamp(state, rule.references))
        revisions.extend(told)
        dispatch.revisions(rule, told)
        folds.extend(Fold(rule.identity, place, None) for place in removed.forgotten)
    lists = {one.identity: one for one in plan.verdicts}
    changes: list[Change] = []
    for listing in old.verdicts:
        if listing.identity not in lists:
            lifted = processor.conclusion.verdicts.remove(listing)
            changes.extend(lifted.changes)
            dispatch.verdicts(listing, lifted.changes)
            folds.extend(lifted.folds)
        else:
            settled = processor.conclusion.verdicts.settle(listing, lists[listing.identity])
            changes.extend(settled.changes)
            dispatch.verdicts(settled.list, settled.changes)
            folds.extend(settled.folds)
    for identity in known - wanted:
        del state.rules[identity]
        state.counts.rules.pop(identity, None)
    first_rules(plan, state)
    # What was remembered stands for other fields now: an event must not be lost by that.
    forgotten = plan.dedup is None or (old.dedup is not None and old.dedup.by != plan.dedup.by)
    decided = [
        Decision(DecisionKind.RULE_START, identity, state.rules[identity].start)
        for identity in sorted(wanted - known)
    ]
    decided += [
        Decision(DecisionKind.REFERENCE, name, state.reached, snapshot.version)
        for name, snapshot in snapshots.items()
        if state.references.get(name) != snapshot.version
    ]
    names = plan.config.references
    kept = {name: version for name, version in state.references.items() if name in names}
    state.references = kept | {name: one.version for name, one in snapshots.items()}
    outbox, tables = dispatch.batches()
    state.next_seq += len(outbox)
    state.epoch += 1
    commit = Commit(
        epoch=state.epoch,
        state=state.to_json(),
        folds=tuple(folds),
        incidents=incident_table(revisions),
        verdicts=verdict_table(changes),
        held=held,
        outbox=outbox,
        tables=tables,
        pipeline=plan.text,
        dedup_floors=dict.fromkeys(state.partitions, FOREVER) if forgotten else {},
        decisions=tuple((d.kind.value, d.body) for d in decided),
        references=reference_rows(snapshots),
        kept_references=kept,
    )
    return Result(commit, revisions, verdicts=changes, archived=archived)
