"""The mapper on a worker: records to frames, one for each shard and one of all else for the driver.

What must be known of earlier slices (lateness by a partition's maximum) is left to the reducers:
here a slice is late only by its own running maximum (SEMANTICS 9).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pyarrow as pa

from tailrace.engines.accounts import Tally, dead_rows
from tailrace.engines.dispatch import Dispatch
from tailrace.engines.spark.direct import (
    Written,
    for_driver,
    labels_travel,
    writer_of,
)
from tailrace.engines.spark.frames import Frame
from tailrace.engines.spark.shards import shards_of
from tailrace.formats.build import decode_spec
from tailrace.formats.decoder import Decoder
from tailrace.kernel.batch_columns import spelled_out
from tailrace.kernel.elsewhere import stretches
from tailrace.kernel.limits import lists_keys
from tailrace.kernel.mapper import Mapper
from tailrace.kernel.time import NEVER, settled
from tailrace.kernel.types import Piece
from tailrace.plan.grouping import group_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailrace.engines.spark.jobs import Job
    from tailrace.formats.records import Decoded, Records
    from tailrace.kernel.types import GroupPartials, Mapped
    from tailrace.plan.model import Group
    from tailrace.sources.types import Slice

SLICE = "slice"
"""What a slice has for one shard: its clock, and partials."""

HOME = "home"
"""What a slice has for the driver: counts, single events, dead letters."""

PLAN = "plan"
"""Decisions, for every shard and the driver."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which slice of the batch: ``order`` is its place among those of its partition.

    ``before``: the partition's greatest event time; None if the mapper has just had the slice
    before this one, or nobody needs to know.
    """

    slice: Slice
    order: int
    before: int | None = None


class SliceMapper:
    """Maps slices of one job; used by one thread at a time."""

    def __init__(self, job: Job) -> None:
        """Prepare decoding and the kernel's statements."""
        self.job = job
        self.groups = group_rules(job.plan.rules, job.starts)
        self._decoder = Decoder(decode_spec(job.plan.config))
        self._mapper = Mapper(
            job.plan, self.groups, job.salt, errors_by_pane=True, lookups=job.lookups()
        )
        self._maxima: dict[str, int] = {}
        self._reached: dict[str, int] = {}
        self._settles = job.plan.config.on_error == "classify"

    def begin(self) -> None:
        """Forget the maxima of slices before: what follows may be of another place."""
        self._maxima.clear()

    def frames(
        self, place: Place, records: Records, notes: Mapping[str, int] | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """The frames of one slice, each with the number of the shard that it goes to.

        ``notes``: what a person should know, to be counted.
        """
        piece = place.slice
        decoded = self._decoder.decode(records, piece.fields)
        if self._settles:
            decoded = self._settled(place, decoded)
        before = self._maxima.get(piece.partition, NEVER)
        positions = records.positions[decoded.rows]
        mapped = self._mapper.map(
            [Piece(piece.partition, piece.generation, decoded, positions, before)]
        )
        self._maxima[piece.partition] = mapped.after[piece.partition]
        head: dict[str, Any] = {
            "kind": SLICE,
            "partition": piece.partition,
            "order": place.order,
            "maximum": int(decoded.time.max()) if len(decoded.time) else NEVER,
            "first": int(decoded.time[0]) if len(decoded.time) else None,
        }
        head["panes"] = {
            group.identity: stretches(mapped.groups[group.identity].plain["pane"].to_numpy())
            for group in self.groups
            if group.identity in mapped.groups and any(map(lists_keys, group.rules))
        }
        by_shard = self._by_shard(mapped)
        for shard in range(self.job.shards):
            yield self.job.first + shard, Frame(head, by_shard.get(shard, {})).pack()
        home = crc32(piece.partition.encode()) % self.job.shards
        frame = self._home(place, records, decoded, mapped)
        yield (
            self.job.first + home,
            Frame({**frame.head, "notes": notes or {}}, frame.tables).pack(),
        )

    def _settled(self, place: Place, decoded: Decoded) -> Decoded:
        """Give every event a time, as ``engines.untimed`` does."""
        name = place.slice.partition
        before = self._reached.get(name, NEVER) if place.before is None else place.before
        times = settled(decoded.time, before)
        self._reached[name] = max(before, int(times.max())) if len(times) else before
        return decoded if times is decoded.time else replace(decoded, time=times)

    def _by_shard(self, mapped: Mapped) -> dict[int, dict[str, pa.Table]]:
        found: dict[int, dict[str, pa.Table]] = {}
        for group in self.groups:
            partials = mapped.groups.get(group.identity)
            if partials is None:
                continue
            for shard, tables in split(group, partials, self.job.shards).items():
                found.setdefault(shard, {}).update(tables)
        return found

    def _home(self, place: Place, records: Records, decoded: Decoded, mapped: Mapped) -> Frame:
        plan, direct = self.job.plan, self.job.direct
        here = {c.identity for c in plan.classifications if not labels_travel(c, direct)}
        fired = ((name, rows.table) for name, rows in mapped.fired.items() if name not in here)
        tables = {f"fired {name}": spelled_out(table) for name, table in fired}
        # Who was listed is known to the driver.
        if mapped.archive is not None and (plan.marks or for_driver(plan.archive, direct)):
            tables["archive"] = spelled_out(mapped.archive.table)
        written = self._written(mapped) if direct else Written()
        tables |= written.tables()
        dead = dead_rows(place.slice, records, decoded)
        if dead is not None:
            tables["dead"] = dead
        tally = Tally.of([(records, decoded)], mapped)
        head = {
            "kind": HOME,
            "job": self.job.number,
            "partition": place.slice.partition,
            "order": place.order,
            "slice": asdict(place.slice),
            "maximum": int(decoded.time.max()) if len(decoded.time) else NEVER,
            "first": int(decoded.time[0]) if len(decoded.time) else None,
            "tally": tally.to_json(),
            "errors": mapped.errors_by_pane,
            "written": written.rows,
        }
        return Frame(head, tables)

    def _written(self, mapped: Mapped) -> Written:
        """Write the rows that go out from here."""
        dispatch = Dispatch(self.job.plan, 0)
        for rule in self.job.plan.classifications:
            labelled = mapped.fired.get(rule.identity)
            if labelled is not None:
                dispatch.classified(rule, labelled)
        if mapped.archive is not None and not self.job.plan.marks:
            dispatch.archive(mapped.archive)
        return writer_of(self.job).write(dispatch)


def split(group: Group, partials: GroupPartials, shards: int) -> dict[int, dict[str, pa.Table]]:
    """A group's partials by shard, as tables of a frame: ``GROUP`` and ``GROUP SIDE``."""
    if not partials.plain.num_rows:
        return {}
    # Tables of several batches become one, whichever way each was made.
    plain = spelled_out(partials.plain)
    sides = {name: spelled_out(table) for name, table in partials.sides.items()}
    if shards == 1:
        tables = {group.identity: plain}
        return {0: tables | {f"{group.identity} {name}": table for name, table in sides.items()}}
    where = shards_of(group, plain, shards)
    found: dict[int, dict[str, pa.Table]] = {}
    for shard in np.unique(where).tolist():
        mine = where == shard
        found[shard] = {group.identity: plain.filter(pa.array(mine))}
    if sides:
        # A side's rows have the key's code alone; every key of theirs has a plain row.
        homes = dict(zip(plain["code"].to_pylist(), where.tolist(), strict=True))
        for name, table in sides.items():
            codes = table["code"].to_pylist()
            rows = np.fromiter(map(homes.__getitem__, codes), np.int64, len(codes))
            for shard in np.unique(rows).tolist():
                found[shard][f"{group.identity} {name}"] = table.filter(pa.array(rows == shard))
    return found
