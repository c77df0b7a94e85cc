"""The reducer on a worker: one shard's panes, its windows, and their stored form as blobs.

Nothing here knows Spark: state is a set of named blobs, behind ``Blobs``. Every shard hears of all
slices' times and of all decisions, and so has the same watermark as the driver (SEMANTICS 9, 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from tailrace.engines.contents import codes_of, group_tables, load_tables, with_news
from tailrace.engines.dispatch import Dispatch
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.spark.direct import Written, travels, writer_of
from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.jobs import Job, arrivals, standing
from tailrace.engines.spark.mapping import HOME, PLAN, SLICE
from tailrace.engines.spark.shards import owner, shard_of_bucket
from tailrace.engines.state import EngineState, Liveness, PartitionState
from tailrace.engines.watermark import advance, decide
from tailrace.kernel import time as event_time
from tailrace.kernel.elsewhere import panes_of, stretches
from tailrace.kernel.judging import ARROW_TYPES
from tailrace.kernel.reducers import reducer_of
from tailrace.kernel.time import FOREVER, NEVER
from tailrace.kernel.types import GroupPartials
from tailrace.plan.grouping import group_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tailrace.kernel.reducer import GroupReducer
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.model import Group

HEADER = "header"
"""The blob that says how far the shard is and which others belong to it."""

CLOSED = "closed"
"""What a shard tells the driver of a batch: closed windows that fired, counts, what it holds."""

MOST_BLOBS = 16
"""So many batches' rows of a group are kept apart before they are written anew as one."""


class Blobs(Protocol):
    """Named bytes that a batch changes all or not at all."""

    def get(self, name: str) -> bytes | None:
        """One blob, None without it."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Write one."""
        ...

    def drop(self, name: str) -> None:
        """Remove one that is there."""
        ...


class ShardReducer:
    """One shard of one job, as far as a batch."""

    def __init__(self, job: Job, shard: int) -> None:
        """Without state, before the first batch."""
        self.job, self.shard = job, shard
        self.batch = -1
        self.state = EngineState()
        self.groups = group_rules(job.plan.rules, job.starts)
        self.reducers = {g.identity: reducer_of(g, job.plan.bounds, job.salt) for g in self.groups}
        known = job.lookups()
        mine = shard_of_bucket(job.shards) == shard
        for reducer in self.reducers.values():
            reducer.lookups, reducer.share = known, mine
        self._stored: dict[str, dict[str, int]] = {group.identity: {} for group in self.groups}
        """Each group's blobs by name, with the greatest pane of each."""
        self._mine = owner(job.shards) == shard

    # -- stored form -------------------------------------------------------------------------------

    @classmethod
    def load(cls, job: Job, shard: int, header: Mapping[str, Any], blobs: Blobs) -> ShardReducer:
        """Read what ``run`` left; groups that the plan no longer has are dropped."""
        found = cls(job, shard)
        found.batch = header["batch"]
        state = found.state
        state.frontier, state.finished = header["frontier"], header["finished"]
        state.begun = header["begun"]
        for name, (maximum, liveness, first) in header["partitions"].items():
            state.partitions[name] = PartitionState(maximum, Liveness(liveness), first=first)
        for identity, stored in header["groups"].items():
            if identity not in found.reducers:
                for name in stored["blobs"]:
                    blobs.drop(name)
                continue
            found._load_group(identity, stored, blobs)
        return found

    def _load_group(self, identity: str, stored: Mapping[str, Any], blobs: Blobs) -> None:
        reducer = self.reducers[identity]
        self._stored[identity] = dict(stored["blobs"])
        for name in stored["blobs"]:
            data = blobs.get(name)
            assert data is not None, name  # noqa: S101 - the header names what is there
            tables = dict(Frame.unpack(data).tables)
            plain = tables.pop("")
            # A rule that went may have left sides that nobody has any use for.
            wanted = {
                one.name: tables[one.name] for one in reducer.group.sides if one.name in tables
            }
            load_tables(reducer, plain, wanted)
        reducer.forget(FOREVER if self.state.finished else self.state.frontier)
        known = {rule.identity for rule in reducer.group.rules}
        reducer.elsewhere = panes_of(stored.get("elsewhere", ()))
        reducer.full.update({r: full for r, full in stored["full"].items() if r in known})
        reducer.bound.touched.update({int(p): mask for p, mask in stored["touched"].items()})

    def header(self) -> bytes:
        """The blob ``HEADER``."""
        head = {
            "batch": self.batch,
            "frontier": self.state.frontier,
            "finished": self.state.finished,
            "partitions": {
                name: (p.maximum, p.liveness.value, p.first)
                for name, p in self.state.partitions.items()
            },
            "begun": self.state.begun,
            "groups": {
                identity: {
                    "blobs": self._stored[identity],
                    "full": reducer.full,
                    "elsewhere": stretches(reducer.elsewhere),
                    "touched": {str(p): mask for p, mask in reducer.bound.touched.items()},
                }
                for identity, reducer in self.reducers.items()
            },
        }
        return Frame(head).pack()

    # -- a batch -----------------------------------------------------------------------------------

    def run(self, batch: int, payloads: Iterable[bytes], blobs: Blobs) -> Iterator[bytes]:
        """Take a batch's frames; changes state and blobs; gives frames for the driver."""
        plans: list[Frame] = []
        slices: list[Frame] = []
        homes: list[Frame] = []
        for payload in payloads:
            frame = Frame.unpack(payload)
            kind = frame.head["kind"]
            if kind == HOME:
                homes.append(frame)
                yield bytes(payload)
            elif kind == PLAN:
                plans.append(frame)
                if self.shard == 0:
                    yield bytes(payload)
            else:
                assert kind == SLICE, kind  # noqa: S101 - there is no other
                slices.append(frame)
        slices.sort(key=lambda f: (f.head["partition"], f.head["order"]))
        yield self._process(batch, plans, slices, homes, blobs).pack()

    def _process(
        self,
        batch: int,
        plans: Sequence[Frame],
        slices: Sequence[Frame],
        homes: Sequence[Frame],
        blobs: Blobs,
    ) -> Frame:
        state, grace = self.state, self.job.plan.grace
        # A clock that leads may be among the first decisions: what it closes is closed here.
        previous = state.frontier
        for reducer in self.reducers.values():
            reducer.compact()
        for plan in plans:
            for decision in decisions_of(plan.head["before"]):
                decide(state, decision, grace)
        for decision in arrivals(state, [frame.head["partition"] for frame in slices]):
            decide(state, decision, grace)
        parts: dict[str, list[Mapping[str, pa.Table]]] = {}
        late = dict.fromkeys(self.reducers, 0)
        horizons: dict[tuple[str, int], int] = {}
        for frame in slices:
            partition = state.partitions[frame.head["partition"]]
            horizon = NEVER if partition.maximum == NEVER else partition.maximum - grace
            horizons[frame.head["partition"], frame.head["order"]] = horizon
            for group in self.groups:
                panes = panes_of(frame.head["panes"].get(group.identity, ()))
                self.reducers[group.identity].hear(panes, horizon)
                tables = _tables(frame, group.identity)
                if tables:
                    kept, dropped = in_time(group, tables, horizon)
                    late[group.identity] += dropped
                    parts.setdefault(group.identity, []).append(kept)
            partition.maximum = max(partition.maximum, frame.head["maximum"])
            if partition.first is None:
                partition.first = frame.head["first"]
        added = {identity: joined(tables) for identity, tables in parts.items()}
        evicted, changed = self._add(added)
        planned = [one for plan in plans for one in decisions_of(plan.head["after"])]
        after = standing(planned, {frame.head["partition"] for frame in slices})
        for decision in after:
            decide(state, decision, grace)
        advance(state, grace)
        final = any(decision.kind is DecisionKind.FINAL for decision in after)
        closed = self._close(previous, evicted, final=final)
        state.finished = state.finished or final
        self.batch = batch
        self._store(batch, added, changed, blobs)
        blobs.put(HEADER, self.header())
        head = {
            "kind": CLOSED,
            "job": self.job.number,
            "shard": self.shard,
            "late": late,
            "evicted": evicted,
            "frontier": state.frontier,
            "soonest": self._soonest(),
            "errors": self._errors(homes, horizons),
            "holdings": {
                identity: (len(r.keys), r.rows, r.nbytes, r.held)
                for identity, r in self.reducers.items()
            },
        }
        return Frame({**head, **closed.head}, closed.tables)

    def _add(self, added: Mapping[str, Mapping[str, pa.Table]]) -> tuple[dict[str, int], set[str]]:
        """Add the partials in time; events evicted, by group, and whose rows changed."""
        evicted: dict[str, int] = {}
        changed: set[str] = set()
        for identity, tables in added.items():
            sides = {name: table for name, table in tables.items() if name}
            partials = GroupPartials(tables[""], sides, 0, 0)
            _, _, gone, rewritten = self.reducers[identity].add(partials)
            if gone:
                evicted[identity] = gone
            if rewritten:
                changed.add(identity)
        return evicted, changed

    def _close(self, previous: int, evicted: dict[str, int], *, final: bool) -> Frame:
        """Judge what is complete now; adds to the events ``evicted`` of each group."""
        until = FOREVER if final else self.state.frontier
        failures: dict[str, int] = {}
        tables: dict[str, pa.Table] = {}
        fired: dict[str, int] = {}
        forgotten: dict[str, int] = {}
        left_out = no_row = 0
        dispatch = Dispatch(self.job.plan, 0, self.job.versions) if self.job.direct else None
        for group in self.groups if until > previous else ():
            if not group.keys and not self._mine:
                continue
            reducer = self.reducers[group.identity]
            begun = NEVER if self.state.begun is None else self.state.begun
            greatest = self.state.greatest_time()
            closed = reducer.close(previous, until, self.job.starts, greatest, begun)
            left_out += closed.left_out
            no_row += closed.unmatched
            if closed.evicted:
                evicted[group.identity] = evicted.get(group.identity, 0) + closed.evicted
            if closed.forgotten:
                forgotten[group.identity] = closed.forgotten
            failures.update({rule: n for rule, n in closed.failures.items() if n})
            for firings in closed.firings:
                rule = firings.rule
                if dispatch is not None and not rule.alert:
                    dispatch.windows(firings, reducer.keys)
                if travels(rule, self.job.direct):
                    tables[rule.identity] = fired_table(reducer, firings)
                else:
                    fired[rule.identity] = len(firings.rows.keys)
        full = {rule: end for r in self.reducers.values() for rule, end in r.full.items()}
        written = writer_of(self.job).write(dispatch) if dispatch is not None else Written()
        head = {
            "failures": failures,
            "left_out": left_out,
            "no_row": no_row,
            "forgotten": forgotten,
            "full": full,
            "fired": fired,
            "written": written.rows,
        }
        return Frame(head, tables | written.tables())

    def _soonest(self) -> int | None:
        ends = [
            self.reducers[group.identity].soonest(self.state.frontier, self.job.starts)
            for group in self.groups
            if group.keys or self._mine
        ]
        return min((end for end in ends if end is not None), default=None)

    def _errors(
        self, homes: Sequence[Frame], horizons: Mapping[tuple[str, int], int]
    ) -> dict[str, int]:
        """Failures of rules on events of the slices that came home here (SEMANTICS 5)."""
        widths = {rule.identity: group.width for group in self.groups for rule in group.rules}
        found: dict[str, int] = {}
        for home in homes:
            horizon = horizons[home.head["partition"], home.head["order"]]
            for rule, rows in home.head["errors"].items():
                width = widths[rule]
                for pane, all_events, late_too in rows:
                    is_late = (pane + 1) * width <= horizon
                    found[rule] = found.get(rule, 0) + (late_too if is_late else all_events)
        return found

    def _store(
        self,
        batch: int,
        added: Mapping[str, Mapping[str, pa.Table]],
        changed: set[str],
        blobs: Blobs,
    ) -> None:
        """Write what the batch added, and forget what no window can need any more."""
        reached = FOREVER if self.state.finished else self.state.frontier
        for identity, reducer in self.reducers.items():
            stored = self._stored[identity]
            low = reducer.needed_from(reached)
            reducer.forget(reached)
            for name in [name for name, last in stored.items() if last < low]:
                blobs.drop(name)
                del stored[name]
            tables = dict(added.get(identity, {}))
            plain = with_news(reducer, tables.get(""))
            if plain is not None:
                tables[""] = plain
            more = plain is not None and plain.num_rows > 0
            if identity in changed or reducer.overgrown or (more and len(stored) >= MOST_BLOBS):
                for name in stored:
                    blobs.drop(name)
                stored.clear()
                plain, sides = group_tables(reducer)
                tables = {"": plain, **sides} if plain is not None else {}
                more = plain is not None
            if not more:
                continue
            last = int(tables[""]["pane"].to_numpy().max())
            if last >= low:
                name = f"{identity} {batch}"
                blobs.put(name, Frame({}, tables).pack())
                stored[name] = last


def in_time(
    group: Group, tables: Mapping[str, pa.Table], horizon: int
) -> tuple[Mapping[str, pa.Table], int]:
    """A slice's partials without the panes that are late by ``horizon``, and events dropped."""
    plain = tables[""]
    late = event_time.late_mask(
        plain["pane"].to_numpy(), group.width, np.full(plain.num_rows, horizon)
    )
    if not late.any():
        return tables, 0
    kept = {}
    for name, table in tables.items():
        mask = event_time.late_mask(
            table["pane"].to_numpy(), group.width, np.full(table.num_rows, horizon)
        )
        kept[name] = table.filter(pa.array(~mask))
    return kept, int(plain["n"].to_numpy()[late].sum())


def joined(parts: Sequence[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """The tables of several slices, by name."""
    names = dict.fromkeys(name for tables in parts for name in tables)
    return {name: pa.concat_tables([t[name] for t in parts if name in t]) for name in names}


def fired_table(reducer: GroupReducer, firings: RuleFirings) -> pa.Table:
    """Closed windows as a table that means the same in another process."""
    keys = firings.keys
    columns: dict[str, Any] = {"code": codes_of(reducer, keys)}
    for place, key in enumerate(reducer.group.keys):
        columns[f"k{place}"] = reducer.keys.column(keys, place, ARROW_TYPES[key.node.type])
    columns |= {"end": pa.array(firings.ends), "flags": pa.array(firings.flags)}
    if firings.lasts is not None and firings.told is not None:
        columns |= {"last": pa.array(firings.lasts), "told": pa.array(firings.told)}
    if firings.open is not None:
        columns["open"] = pa.array(firings.open)
    columns |= {f"v{i}": firings.values.column(n) for i, n in enumerate(firings.rule.columns)}
    return pa.table(columns)


def _tables(frame: Frame, identity: str) -> dict[str, pa.Table]:
    """A group's tables in a frame: "" the plain ones, sides by name."""
    if identity not in frame.tables:
        return {}
    start = f"{identity} "
    sides = {n.removeprefix(start): t for n, t in frame.tables.items() if n.startswith(start)}
    return {"": frame.tables[identity], **sides}


def decisions_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Decision]:
    """Decisions as a plan has them."""
    for row in rows:
        yield Decision(DecisionKind(row["kind"]), row["subject"], row["value"])
