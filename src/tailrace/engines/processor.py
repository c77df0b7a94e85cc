"""One epoch through the kernel: decoded slices and decisions in, all that it changes out.

Shared by the engines: nothing here reads input, writes the store or talks to outputs. The order of
the steps is that of SEMANTICS 9 to 18: decisions about partitions, lateness by position, partials,
watermark, closed windows, incidents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tailrace.alerts import IncidentFold
from tailrace.engines.accounts import Tally, account, dead_rows, note, number_dead, place
from tailrace.engines.concluding import Conclusion, Found, Result
from tailrace.engines.contents import group_tables, with_news
from tailrace.engines.dispatch import incident_table as incident_rows
from tailrace.engines.dispatch import verdict_table
from tailrace.engines.running import Holding
from tailrace.engines.untimed import timed
from tailrace.engines.versions import NO_ROW, no_contents, use_versions
from tailrace.engines.watermark import advance, decide
from tailrace.kernel.lookups import Lookups
from tailrace.kernel.mapper import Mapper
from tailrace.kernel.reducers import reducer_of
from tailrace.kernel.time import FOREVER, NEVER
from tailrace.kernel.types import Piece, RuleCounts
from tailrace.plan.grouping import group_rules
from tailrace.plan.identity import notice_id
from tailrace.store.commit import Commit, Fold, GroupDelta

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from tailrace.engines.concluding import Told
    from tailrace.engines.epoch import EpochPlan
    from tailrace.engines.state import EngineState
    from tailrace.engines.versions import Contents
    from tailrace.formats.records import Decoded
    from tailrace.kernel.types import GroupPartials, RuleFirings
    from tailrace.plan.model import Group, Plan, Rule
    from tailrace.sources.types import Chunk


class Processor:
    """The state of a running pipeline and what an epoch does to it; for one thread at a time."""

    def __init__(
        self,
        plan: Plan,
        state: EngineState,
        salt: str,
        *,
        early_notices: bool,
        contents: Contents = no_contents,
    ) -> None:
        """Take a state that fits the plan (``adopt`` makes it fit).

        Partials and folds are loaded by the caller. ``contents`` gives versions of references.
        """
        self.plan = plan
        self.state = state
        self._salt = salt
        self._early_notices = early_notices
        starts = {rule.identity: state.rules[rule.identity].start for rule in plan.rules}
        self.groups: tuple[Group, ...] = group_rules(plan.rules, starts)
        self._starts = starts
        self.reducers = {g.identity: reducer_of(g, plan.bounds, salt) for g in self.groups}
        for group in self.groups:
            for rule in group.rules:
                full = state.rules[rule.identity].full
                if full is not None:
                    self.reducers[group.identity].full[rule.identity] = full
        for identity, panes in state.evicted.items():
            if identity in self.reducers:
                self.reducers[identity].bound.touched.update(
                    {int(pane): mask for pane, mask in panes.items()}
                )
        self._by_rule = {
            rule.identity: self.reducers[g.identity] for g in self.groups for rule in g.rules
        }
        self.lookups = Lookups()
        self._contents = contents
        use_versions(self.lookups, plan, state.references, contents)
        for reducer in self.reducers.values():
            reducer.lookups = self.lookups
        self.mapper = Mapper(plan, self.groups, salt, lookups=self.lookups)
        self._conclusion = Conclusion(plan, state)
        self._forgotten: dict[str, int] = {}
        self.told: dict[str, int] = {}
        """Early notices that went out, and the ends of their windows while these are open."""

    def soonest(self) -> int | None:
        """An end before which no open window has anything to say; None: none ever has."""
        after = self.state.frontier
        ends = [reducer.soonest(after, self._starts) for reducer in self.reducers.values()]
        return min((end for end in ends if end is not None), default=None)

    @property
    def folds(self) -> dict[str, IncidentFold]:
        """The incidents of each rule that alerts, by the rule's identity."""
        return self._conclusion.folds

    def holdings(self) -> dict[str, Holding]:
        """What is held, by group."""
        return {
            identity: Holding(len(r.keys), r.rows, r.nbytes, r.held)
            for identity, r in self.reducers.items()
        }

    def load_fold(self, rule: Rule, states: Sequence[str]) -> None:
        """Take back the stored states of a rule's keys."""
        self._conclusion.load(rule, states)

    @property
    def conclusion(self) -> Conclusion:
        """What is told of closed windows."""
        return self._conclusion

    def run(self, plan: EpochPlan, work: Sequence[tuple[Chunk, Decoded]]) -> Result:
        """Process one epoch; ``work`` are the plan's slices in order, read and decoded."""
        state = self.state
        pieces = self._begin(plan, work)
        mapped = self.mapper.map(pieces)
        read = [(chunk.records, decoded) for chunk, decoded in work]
        account(state, Tally.of(read, mapped), self.groups, self.plan.row_rules)
        note(state, plan.notes)
        for chunk, _ in work:
            place(state, chunk.slice, len(chunk.records))
        dead = number_dead(
            state,
            (dead_rows(chunk.slice, chunk.records, decoded) for chunk, decoded in work),
            self.plan.config.dead_letters.max_bytes,
        )
        for partition, maximum in mapped.after.items():
            state.partitions[partition].maximum = maximum
        deltas = {
            identity: self._reduce(identity, partials)
            for identity, partials in mapped.groups.items()
        }
        previous = state.frontier
        for decision in plan.after:
            decide(state, decision, self.plan.grace)
        advance(state, self.plan.grace)
        found = Found(
            closed=[
                (group, self.reducers[group.identity].keys, self._close(group, previous, plan))
                for group in self.groups
            ],
            fired=mapped.fired,
            archive=mapped.archive,
            dead=dead,
        )
        told = self._conclusion.tell(found, final=plan.final)
        if self._early_notices and not plan.final:
            self._notify(deltas, told)
        outbox, tables = told.dispatch.batches()
        state.next_seq += len(outbox)
        state.epoch = plan.epoch
        state.finished = state.finished or plan.final
        groups = tuple(self._delta(group, deltas.get(group.identity)) for group in self.groups)
        state.evicted = {
            identity: {str(pane): mask for pane, mask in reducer.bound.touched.items()}
            for identity, reducer in self.reducers.items()
            if reducer.bound.ever
        }
        dedup, floors = self._dedup()
        commit = Commit(
            epoch=plan.epoch,
            state=state.to_json(),
            groups=tuple(delta for delta in groups if delta is not None),
            folds=told.last_folds(),
            incidents=incident_rows(told.revisions),
            verdicts=verdict_table(told.verdicts),
            held=told.held,
            dead=dead,
            outbox=outbox,
            tables=tables,
            dedup=dedup,
            dedup_floors=floors,
        )
        return Result(
            commit,
            told.revisions,
            told.notices,
            told.verdicts,
            told.windows,
            told.fired,
            told.classified,
            mapped.events,
            told.archived,
        )

    def _begin(self, plan: EpochPlan, work: Sequence[tuple[Chunk, Decoded]]) -> list[Piece]:
        state = self.state
        # Now, not after the last epoch: its firings name keys by the numbers that they had then.
        for reducer in self.reducers.values():
            reducer.compact()
        for decision in plan.before:
            decide(state, decision, self.plan.grace)
        use_versions(self.lookups, self.plan, state.references, self._contents)
        if self.plan.config.on_error == "classify":
            work = timed(work, state.partitions)
        return [self._piece(chunk, decoded) for chunk, decoded in work]

    def _piece(self, chunk: Chunk, decoded: Decoded) -> Piece:
        partition = self.state.partitions[chunk.slice.partition]
        if partition.first is None and len(decoded.time):
            partition.first = int(decoded.time[0])
        positions = chunk.records.positions[decoded.rows]
        return Piece(
            chunk.slice.partition, chunk.slice.generation, decoded, positions, partition.maximum
        )

    # -- partials and windows ----------------------------------------------------------------------

    def _reduce(self, identity: str, partials: GroupPartials) -> tuple[GroupPartials, bool]:
        reducer = self.reducers[identity]
        _, _, evicted, changed = reducer.add(partials)
        self._lose(reducer.group, evicted, 0)
        return partials, changed

    def _lose(self, group: Group, evicted: int, forgotten: int) -> None:
        """Count events of keys beyond the bound, and keys that are forgotten."""
        for rule in group.rules if evicted or forgotten else ():
            account = self.state.counts.rules.setdefault(rule.identity, RuleCounts())
            account.evicted += evicted
            account.accepted -= evicted
            account.forgotten += forgotten

    def _close(self, group: Group, previous: int, plan: EpochPlan) -> list[RuleFirings]:
        until = FOREVER if plan.final else self.state.frontier
        if until <= previous:
            return []
        closed = self.reducers[group.identity].close(
            previous, until, self._starts, self.state.greatest_time(), _begun(self.state)
        )
        self._lose(group, closed.evicted, closed.forgotten)
        for identity, full in self.reducers[group.identity].full.items():
            self.state.rules[identity].full = full
        if closed.unmatched:
            note(self.state, {NO_ROW: closed.unmatched})
        if closed.left_out:
            notes = self.state.counts.notes
            notes["empty_windows"] = notes.get("empty_windows", 0) + closed.left_out
        for identity, failed in closed.failures.items():
            self.state.counts.rules.setdefault(identity, RuleCounts()).errors += failed
        return closed.firings

    def _notify(self, touched: Container[str], told: Told) -> None:
        self.told = {known: end for known, end in self.told.items() if end > self.state.frontier}
        for rule in self.plan.rules:
            if not (rule.alert and rule.early is not None and rule.early.ok and rule.for_ == 0):
                continue
            reducer = self._by_rule[rule.identity]
            if reducer.bound.ever or reducer.group.identity not in touched:
                continue
            hit = reducer.notices(rule, self.state.frontier)
            if hit is None or not len(hit.keys):
                continue
            fold = self.folds[rule.identity]
            end = int(hit.ends[0])
            start = end - rule.window.size
            if start < self._starts[rule.identity]:
                continue
            keys = [reducer.keys.values(number) for number in hit.keys.tolist()]
            wanted = [
                key
                for key in fold.may_notify(keys)
                if notice_id(rule.identity, key, start) not in self.told
            ]
            for key, notice in zip(wanted, told.dispatch.notices(rule, wanted, start), strict=True):
                self.told[notice.id] = end
                kept = fold.note(key, start, notice.id)
                told.folds.append(Fold(rule.identity, kept.place, kept.to_json()))
                told.notices.append(notice)

    def _delta(self, group: Group, added: tuple[GroupPartials, bool] | None) -> GroupDelta | None:
        """What the store keeps of a group: the panes that a window or ``explain`` can need."""
        reducer = self.reducers[group.identity]
        reached = FOREVER if self.state.finished else self.state.frontier
        reducer.forget(reached)
        kept = (
            self.state.greatest_time()
            if self.state.finished and self.plan.explain_retain
            else reached
        )
        low = reducer.needed_from(kept - self.plan.explain_retain)
        forget = low if self._forgotten.get(group.identity) != low else None
        self._forgotten[group.identity] = low
        if reducer.overgrown or (added is not None and added[1]):
            return self._whole(group)
        plain = with_news(reducer, None if added is None else added[0].plain)
        if plain is None:
            return GroupDelta(group.identity, forget_before=forget) if forget is not None else None
        plain = _from_pane(plain, low)
        sides = added[0].sides if added is not None else {}
        sides = {name: _from_pane(table, low) for name, table in sides.items()}
        return GroupDelta(group.identity, plain, sides, forget_before=forget)

    def _whole(self, group: Group) -> GroupDelta:
        plain, sides = group_tables(self.reducers[group.identity])
        return GroupDelta(group.identity, plain, sides, replace=True)

    def _dedup(self) -> tuple[pa.Table | None, dict[str, int]]:
        dedup = self.mapper.dedup
        if dedup is None:
            return None, {}
        maxima = {name: p.maximum for name, p in self.state.partitions.items()}
        fresh = dedup.fresh
        dedup.forget(maxima)
        return fresh, dedup.floors(maxima)


def _begun(state: EngineState) -> int:
    return NEVER if state.begun is None else state.begun


def _from_pane(table: pa.Table, low: int) -> pa.Table:
    if not table.num_rows:
        return table
    keep = table["pane"].to_numpy() >= low
    return table if bool(np.all(keep)) else table.filter(pa.array(keep))
