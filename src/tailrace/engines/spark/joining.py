"""The driver's half of an epoch: what all shards found becomes one result.

The order of the steps is the embedded processor's; instead of running the kernel it reads frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tailrace.engines.accounts import Tally, account, note, number_dead, place
from tailrace.engines.concluding import Conclusion, Found, Result
from tailrace.engines.dispatch import incident_table, verdict_table
from tailrace.engines.epoch import EpochPlan
from tailrace.engines.running import Holding
from tailrace.engines.spark.direct import LEFT, direct_outputs, drivers_plan
from tailrace.engines.spark.jobs import arrivals, standing
from tailrace.engines.spark.mapping import HOME, PLAN
from tailrace.engines.spark.reducing import CLOSED, decisions_of
from tailrace.engines.versions import NO_ROW
from tailrace.engines.watermark import advance, decide
from tailrace.errors import TailraceError
from tailrace.expr.nodes import Type
from tailrace.kernel.keys import DenseKeys
from tailrace.kernel.time import NEVER
from tailrace.kernel.types import JUDGED_AT, EventRows, RuleFirings
from tailrace.plan.grouping import group_rules
from tailrace.sources.types import Slice
from tailrace.store.commit import Commit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.alerts import IncidentFold
    from tailrace.engines.spark.frames import Frame
    from tailrace.engines.state import EngineState
    from tailrace.plan.model import Group, Plan, Rule


class Joining:
    """A pipeline whose kernel runs elsewhere: its small state, its incidents."""

    def __init__(self, plan: Plan, state: EngineState) -> None:
        """Take a state that fits the plan; folds are loaded by the caller."""
        self.plan, self.state = plan, state
        starts = {rule.identity: state.rules[rule.identity].start for rule in plan.rules}
        own = drivers_plan(plan, direct_outputs(plan))
        self.groups: tuple[Group, ...] = group_rules(own.rules, starts)
        self.starts = starts
        self._conclusion = Conclusion(own, state)
        self._holdings: dict[str, dict[int, Holding]] = {g.identity: {} for g in self.groups}
        self._soonest: int | None = state.frontier

    @property
    def folds(self) -> dict[str, IncidentFold]:
        """The incidents of each rule that alerts, by the rule's identity."""
        return self._conclusion.folds

    def load_fold(self, rule: Rule, states: Sequence[str]) -> None:
        """Take back the stored states of a rule's keys."""
        self._conclusion.load(rule, states)

    @property
    def conclusion(self) -> Conclusion:
        """What is told of closed windows."""
        return self._conclusion

    def holdings(self) -> dict[str, Holding]:
        """What is held, by group, over all shards, as of the last batch of this process."""
        return {identity: _sum(shards.values()) for identity, shards in self._holdings.items()}

    def soonest(self) -> int | None:
        """An end before which no open window has anything to say; None: none ever has.

        Before the first batch of this process the shards have not told: then it is at once.
        """
        return self._soonest

    def run(self, batch: int, frames: Sequence[Frame]) -> Result:
        """One batch, from the frames of all shards."""
        state, grace = self.state, self.plan.grace
        plans = [frame for frame in frames if frame.head["kind"] == PLAN]
        homes = [frame for frame in frames if frame.head["kind"] == HOME]
        closed = [frame for frame in frames if frame.head["kind"] == CLOSED]
        homes.sort(key=lambda f: (f.head["partition"], f.head["order"]))
        closed.sort(key=lambda f: int(f.head["shard"]))
        plan = self._plan(plans, homes)
        for decision in plan.before:
            decide(state, decision, grace)
        account(state, Tally(), self.groups, self.plan.row_rules)
        archived = [table for frame in homes if (table := self._account(frame)) is not None]
        note(state, plan.notes)
        dead = number_dead(
            state,
            (frame.tables.get("dead") for frame in homes),
            self.plan.config.dead_letters.max_bytes,
        )
        for decision in plan.after:
            decide(state, decision, grace)
        advance(state, grace)
        self._check(closed)
        self._counts(closed)
        ends = [frame.head["soonest"] for frame in closed]
        self._soonest = min((int(end) for end in ends if end is not None), default=None)
        found = Found(
            closed=[self._closed(group, closed) for group in self.groups],
            fired=self._fired(homes),
            archive=_events(archived),
            dead=dead,
        )
        told = self._conclusion.tell(found, final=plan.final)
        for frame in (*homes, *closed):
            for name, rows in frame.head["written"].items():
                state.written[name] = state.written.get(name, 0) + rows
            for name, table in frame.tables.items():
                if name.startswith(LEFT):
                    told.dispatch.left(name.split(" ", 2)[2], table)
        outbox, tables = told.dispatch.batches()
        state.next_seq += len(outbox)
        state.epoch = plan.epoch
        state.batch = batch
        state.finished = state.finished or plan.final
        commit = Commit(
            epoch=plan.epoch,
            state=state.to_json(),
            folds=told.last_folds(),
            incidents=incident_table(told.revisions),
            verdicts=verdict_table(told.verdicts),
            held=told.held,
            dead=dead,
            outbox=outbox,
            tables=tables,
            decisions=tuple(plan.decisions()),
        )
        events = sum(int(frame.head["tally"]["events"]) for frame in homes)
        return Result(
            commit,
            told.revisions,
            [],
            told.verdicts,
            told.windows,
            told.fired,
            told.classified,
            events,
            told.archived,
        )

    def _plan(self, plans: Sequence[Frame], homes: Sequence[Frame]) -> EpochPlan:
        """What the batch was: decisions of the plans, and those that its slices imply."""
        before = [one for frame in plans for one in decisions_of(frame.head["before"])]
        state = self.state
        decided = {one.subject for one in before}
        names = [str(frame.head["partition"]) for frame in homes]
        before += arrivals(state, [name for name in names if name not in decided])
        after = [one for frame in plans for one in decisions_of(frame.head["after"])]
        notes: dict[str, int] = {}
        for frame in (*plans, *homes):
            for code, count in frame.head["notes"].items():
                notes[code] = notes.get(code, 0) + count
        return EpochPlan(
            epoch=state.epoch + 1,
            before=tuple(before),
            slices=tuple(Slice(**frame.head["slice"]) for frame in homes),
            after=tuple(standing(after, set(names))),
            notes=notes,
        )

    def _account(self, frame: Frame) -> pa.Table | None:
        """Count a slice; its archived events, with the watermark of its partition before it."""
        tally = Tally.from_json(frame.head["tally"])
        account(self.state, tally, self.groups, self.plan.row_rules)
        piece = Slice(**frame.head["slice"])
        place(self.state, piece, tally.read)
        partition = self.state.partitions[piece.partition]
        archived = frame.tables.get("archive")
        if archived is not None and self.plan.marks and partition.maximum != NEVER:
            judged_at = np.maximum(
                archived[JUDGED_AT].to_numpy(), partition.maximum - self.plan.grace
            )
            place_ = archived.schema.get_field_index(JUDGED_AT)
            archived = archived.set_column(place_, JUDGED_AT, pa.array(judged_at))
        partition.maximum = max(partition.maximum, int(frame.head["maximum"]))
        if partition.first is None:
            partition.first = frame.head["first"]
        return archived

    def _check(self, closed: Sequence[Frame]) -> None:
        """Every shard that took part must have come to the watermark that the driver has."""
        for frame in closed:
            if frame.head["frontier"] != self.state.frontier:
                raise TailraceError(
                    f"shard {frame.head['shard']} of the checkpoint is at another watermark than"
                    " the store",
                    hint="checkpoint and store must be of one run: restore both from one copy, or"
                    " begin with new ones",
                )

    def _counts(self, closed: Sequence[Frame]) -> None:
        counts = self.state.counts
        for frame in closed:
            head = frame.head
            for group in self.groups:
                late = head["late"].get(group.identity, 0)
                evicted = head["evicted"].get(group.identity, 0)
                for rule in group.rules:
                    own = counts.rules[rule.identity]
                    own.late += late
                    own.evicted += evicted
                    own.accepted -= late + evicted
                    own.forgotten += head["forgotten"].get(group.identity, 0)
                held = head["holdings"].get(group.identity)
                if held is not None:
                    keys, rows, size, panes = held
                    panes = None if panes is None else (panes[0], panes[1])
                    self._holdings[group.identity][head["shard"]] = Holding(keys, rows, size, panes)
            for rule_identity, number in head["fired"].items():
                counts.rules[rule_identity].firings += number
            for source in (head["failures"], head["errors"]):
                for rule_identity, number in source.items():
                    counts.rules[rule_identity].errors += number
            told = {NO_ROW: head["no_row"], "empty_windows": head["left_out"]}
            note(self.state, {code: count for code, count in told.items() if count})
            for rule_identity, full in head["full"].items():
                self.state.rules[rule_identity].full = full

    def _closed(
        self, group: Group, closed: Sequence[Frame]
    ) -> tuple[Group, DenseKeys, list[RuleFirings]]:
        times = [place for place, key in enumerate(group.keys) if key.node.type is Type.TIME]
        keys = DenseKeys(times)
        found = []
        for rule in group.rules:
            tables = [f.tables[rule.identity] for f in closed if rule.identity in f.tables]
            if tables:
                found.append(_firings(rule, keys, pa.concat_tables(tables)))
        return group, keys, found

    def _fired(self, homes: Sequence[Frame]) -> dict[str, EventRows]:
        found: dict[str, EventRows] = {}
        for rule in self.plan.row_rules:
            name = f"fired {rule.identity}"
            rows = _events([frame.tables[name] for frame in homes if name in frame.tables])
            if rows is not None:
                found[rule.identity] = rows
        return found


def _firings(rule: Rule, keys: DenseKeys, table: pa.Table) -> RuleFirings:
    """Closed windows of all shards, by ascending end."""
    order = np.argsort(table["end"].to_numpy(), kind="stable")
    table = table.take(pa.array(order))
    numbers = keys.number(table["code"], [table[f"k{i}"] for i in range(len(rule.keys))])
    values = {name: table[f"v{i}"] for i, name in enumerate(rule.columns)}
    return RuleFirings(
        rule,
        numbers,
        table["end"].to_numpy(),
        pa.table(values) if values else pa.table({}),
        table["flags"].to_numpy(),
        table["last"].to_numpy() if "last" in table.column_names else None,
        table["told"].to_numpy() if "told" in table.column_names else None,
        table["open"].to_numpy() if "open" in table.column_names else None,
    )


def _events(tables: Sequence[pa.Table]) -> EventRows | None:
    return EventRows(pa.concat_tables(tables)) if tables else None


def _sum(parts: Any) -> Holding:  # noqa: ANN401 - a view of Holding
    found: list[Holding] = list(parts)
    panes = [one.panes for one in found if one.panes is not None]
    return Holding(
        sum(one.keys for one in found),
        sum(one.rows for one in found),
        sum(one.bytes for one in found),
        (min(p[0] for p in panes), max(p[1] for p in panes)) if panes else None,
    )
