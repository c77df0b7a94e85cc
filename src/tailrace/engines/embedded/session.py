"""A pipeline at work on one store: recovers, takes up changed files, commits epochs.

No threads and no clock here: the loop (``engine``) and tests drive a session turn by turn.
"""

from __future__ import annotations

import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from tailrace.engines.contents import load_group
from tailrace.engines.epoch import Decision, DecisionKind, EpochPlan
from tailrace.engines.processor import Processor
from tailrace.engines.session import BaseSession
from tailrace.engines.tables import check_tables
from tailrace.engines.versions import reference_rows
from tailrace.errors import AwayError, GoneError, Problem, SourceError, StoreError
from tailrace.kernel.time import FOREVER
from tailrace.sources.types import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from tailrace.engines.concluding import Result
    from tailrace.engines.delivery import Delivery
    from tailrace.formats.decoder import Decoder
    from tailrace.formats.records import Decoded
    from tailrace.plan.model import Plan
    from tailrace.reference.snapshot import Snapshot
    from tailrace.sources.types import Source
    from tailrace.store.store import Store

Work = tuple["Chunk", "Decoded"]


def with_way_out(error: SourceError) -> SourceError:
    """The error that an unfinished epoch can't be read again, and what a person can do."""
    way = "put it back; or leave it out, counted: tailrace run --accept-loss"
    return SourceError(
        problems=(
            Problem("the epoch that was under way at the last stop can't be read again", None, way),
            *error.problems,
        )
    )


class Session(BaseSession):
    """One run of a pipeline in this process."""

    processor: Processor
    source: Source

    def __init__(  # noqa: PLR0913 - the parts that a run is made of
        self,
        plan: Plan,
        store: Store,
        source: Source,
        delivery: Delivery,
        make_decoder: Callable[[Plan], Decoder],
        *,
        previous: Plan | None,
        early_notices: bool,
        accept_loss: bool = False,
        on_commit: Callable[[str], None] = lambda _: None,
        observe: Callable[[Result], None] = lambda _: None,
    ) -> None:
        """Take up what the store holds.

        An epoch that was begun is finished first, by its own plan and file. ``accept_loss``: what
        can't be read again of it is left out and counted, where otherwise SourceError is raised.

        ``previous`` is the plan that the store's state fits, None for a new store. TableError, and
        the state is that of ``previous``, if a reference of a changed plan can't be loaded.
        """
        self.source = source
        self._make_decoder = make_decoder
        self._early = early_notices
        self._accept_loss = accept_loss
        super().__init__(
            plan, store, delivery, previous=previous, on_commit=on_commit, observe=observe
        )
        if self.state.checkpoint:
            raise StoreError(
                f"{store.path} was made by the Spark engine: the counts of open windows are in its"
                " checkpoint",
                hint="go on with --engine spark, or name another store with --store",
            )
        self.processor = self._processor()
        self._recover()
        if self.plan is not plan:
            check_tables(store, plan)
            self.adopt(plan, self.load_references(plan))
        store.drop_groups({group.identity for group in self.processor.groups})
        self._on_commit("opened")

    def _processor(self) -> Processor:
        processor = Processor(
            self.plan,
            self.state,
            self.store.salt,
            early_notices=self._early,
            contents=self.contents,
        )
        for group in processor.groups:
            reducer = processor.reducers[group.identity]
            # Once finished all windows are closed; what is kept then is for explanations alone.
            low = reducer.needed_from(FOREVER if self.state.finished else self.state.frontier)
            load_group(self.store, reducer, low)
        for rule in self.plan.rules:
            if rule.alert:
                processor.load_fold(rule, self.store.folds(rule.identity))
        self.load_verdicts(processor.conclusion)
        # A window whose notice an earlier incident confirmed may still be open.
        longest = max((rule.window.size for rule in self.plan.rules), default=0)
        open_until = self.state.frontier + longest + max(0, self.plan.grace)
        told = self.store.confirmed_notices(self.state.frontier - longest)
        processor.told = dict.fromkeys(told, open_until + longest)
        if processor.mapper.dedup is not None:
            processor.mapper.dedup.memory = self.store.dedup_memory().cast(
                processor.mapper.dedup.memory.schema
            )
        return processor

    def _take_up(self) -> None:
        self.processor = self._processor()
        self.store.drop_groups({group.identity for group in self.processor.groups})

    def _recover(self) -> None:
        self.source.open(self.positions())
        body = self.store.unfinished_plan()
        if body is None:
            return
        plan = EpochPlan.from_json(body)
        decoder = self._make_decoder(self.plan)
        work: list[Work] = []
        notes = dict(plan.notes)
        for piece in plan.slices:
            try:
                records = self.source.reread(piece)
            except AwayError:
                raise
            except SourceError as error:
                # Of standard input at most once is all that can be promised.
                once = isinstance(error, GoneError)
                if not (once or self._accept_loss):
                    raise with_way_out(error) from error
                code = "stdin_lost_bytes" if once else "unfinished_lost"
                notes[code] = notes.get(code, 0) + piece.end - piece.start
                continue
            work.append((Chunk(piece, records), decoder.decode(records, piece.fields)))
        slices = tuple(chunk.slice for chunk, _ in work)
        self._finish(replace(plan, slices=slices, notes=notes), work)
        self.source.open(self.positions())

    def turn(
        self,
        work: Sequence[Work],
        before: Sequence[Decision] = (),
        after: Sequence[Decision] = (),
        notes: dict[str, int] | None = None,
        snapshots: Mapping[str, Snapshot] = MappingProxyType({}),
    ) -> Result:
        """One epoch: store its plan, process, commit, deliver.

        ``snapshots``: versions of references that are in force from this epoch on.
        """
        before = (*before, *self.decided(snapshots))
        plan = EpochPlan(
            epoch=self.state.epoch + 1,
            before=tuple(before),
            slices=tuple(chunk.slice for chunk, _ in work),
            after=tuple(after),
            notes=notes or {},
        )
        self._on_commit("before plan")
        started = time.perf_counter()
        self.store.put_plan(
            plan.epoch,
            plan.to_json(),
            plan.decisions(),
            reference_rows(snapshots),
            self.state.references if snapshots else None,
        )
        self.times.commit += time.perf_counter() - started
        self._on_commit("plan")
        return self._finish(plan, work)

    def replay(self, plan: EpochPlan, work: Sequence[Work], mended: pa.Table) -> Result:
        """One epoch of records that the store holds itself.

        Its plan isn't stored before: either all of it is committed, or nothing happened and what
        it read is still there.
        """
        result = self.processor.run(plan, work)
        self._observe(result)
        self.commit(replace(result.commit, decisions=tuple(plan.decisions()), mended=mended))
        return result

    def _finish(self, plan: EpochPlan, work: Sequence[Work]) -> Result:
        started = time.perf_counter()
        result = self.processor.run(plan, work)
        self.times.kernel += time.perf_counter() - started
        self._observe(result)
        self.commit(result.commit)
        return result

    def finish_input(self) -> Result:
        """All input has ended: close every window."""
        return self.turn([], after=[Decision(DecisionKind.FINAL)])
