"""A pipeline on its store, whatever engine runs its kernel: commits, deliveries, a changed file.

No threads and no clock here.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from concurrent.futures import wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.engines.acting import Request, perform
from tailrace.engines.acts import Acts
from tailrace.engines.adopt import adopt
from tailrace.engines.concluding import first_rules
from tailrace.engines.epoch import Decision, DecisionKind
from tailrace.engines.held import Held
from tailrace.engines.lanes import CLOSE_SECONDS
from tailrace.engines.leaving import Farewell
from tailrace.engines.references.keeper import Keeper, Loaded
from tailrace.engines.retaining import Retaining
from tailrace.engines.state import REPLAY, EngineState
from tailrace.engines.tables import check_tables
from tailrace.kernel.time import NEVER
from tailrace.plan.references import shape_of
from tailrace.reference.snapshot import Snapshot
from tailrace.sources.types import Mirroring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tailrace.engines.concluding import Conclusion, Result
    from tailrace.engines.delivery import Delivery
    from tailrace.engines.running import Running
    from tailrace.outputs import Output
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Input, Json
    from tailrace.store.commit import Commit
    from tailrace.store.store import Store


@dataclass(slots=True)
class StageTimes:
    """Seconds that each stage has worked, over all its threads."""

    read: float = 0.0
    decode: float = 0.0
    kernel: float = 0.0
    commit: float = 0.0
    deliver: float = 0.0
    wait: float = 0.0


class BaseSession(ABC):
    """What the sessions of all engines share.

    ``on_commit`` is told of each commit point (for tests that die there), ``observe`` of each
    epoch's result before it is committed: after a crash it may be told of the same epoch again.
    """

    processor: Running
    source: Input

    def __init__(
        self,
        plan: Plan,
        store: Store,
        delivery: Delivery,
        *,
        previous: Plan | None,
        on_commit: Callable[[str], None],
        observe: Callable[[Result], None],
    ) -> None:
        """Take up the small state and the outbox.

        ``previous`` is the plan that the store's state fits, None for a new store.
        """
        self.store, self.delivery = store, delivery
        self.times = StageTimes()
        self.clock: int | None = None
        """The watermark while the clock leads: nothing has happened since the one in the state."""
        self.references = Keeper()
        """Loads references, where the plan has any."""
        self.acts = Acts()
        self._retaining = Retaining()
        self.source_hangs = False
        """Whether a thread is left behind in it."""
        self._on_commit = on_commit
        self._observe = observe
        body = store.last_state()
        self.state = EngineState.from_json(body) if body is not None else EngineState()
        delivery.open(store.output_states(), store.backlogs(), store.outbox)
        if delivery.unreported:
            store.confirm(delivery.confirmed())
        delivery.start()
        if previous is None:
            check_tables(store, plan)
            store.put_pipeline(plan.text)
        self.plan = plan if previous is None else previous
        self.previous = previous
        """The plan that the store's state fitted when this began, None for a new store."""
        first_rules(self.plan, self.state)

    @abstractmethod
    def _take_up(self) -> None:
        """Make what runs the kernel anew, for ``plan`` and the state."""

    def load_verdicts(self, conclusion: Conclusion) -> None:
        """Give back who is listed, and the archived events that wait for that."""
        for wanted in self.plan.verdicts:
            conclusion.verdicts.load(wanted, self.store.folds(wanted.identity))
        conclusion.held = Held(self.store)

    def contents(self, name: str, version: str) -> Snapshot:
        """A version of a reference, as the store has it."""
        return Snapshot.from_bytes(version, self.store.reference(name, version))

    def versions(self, plan: Plan) -> dict[str, str]:
        """The versions in force of the references of a plan, as far as they fit it."""
        return {
            name: version
            for name, version in self.state.references.items()
            if (config := plan.config.references.get(name)) is not None
            and self.contents(name, version).fits(shape_of(name, config))
        }

    def decided(self, snapshots: Mapping[str, Snapshot]) -> tuple[Decision, ...]:
        """The decisions that other versions of references are in force."""
        return tuple(
            Decision(DecisionKind.REFERENCE, name, self.state.reached, snapshot.version)
            for name, snapshot in snapshots.items()
            if self.state.references.get(name) != snapshot.version
        )

    @property
    def watermark(self) -> int | None:
        """How far event time has come; None before the first event."""
        known = self.state.frontier if self.clock is None else max(self.state.frontier, self.clock)
        return None if known == NEVER else known

    def positions(self) -> dict[str, dict[str, Json]]:
        """The source's own position of each partition."""
        return {
            name: partition.resume
            for name, partition in self.state.partitions.items()
            if partition.resume is not None and not name.startswith(REPLAY)
        }

    def take_up_outputs(self, plan: Plan, outputs: Mapping[str, Output]) -> None:
        """Open outputs that a changed pipeline adds, before it is adopted.

        OutputError if one can't be opened, StoreError if a table can't take the new rows.
        """
        check_tables(self.store, plan)
        self.delivery.take_up(outputs, self.store.output_states(), self.store.backlogs())
        if self.delivery.unreported:
            self.store.confirm(self.delivery.confirmed())
        self.delivery.start()

    def load_references(self, plan: Plan) -> Loaded:
        """Load what a changed pipeline looks things up in, before it is adopted.

        TableError, and nothing has changed, if one can't be loaded that has no version yet.
        """
        return self.references.prepare(plan.config.references, self.versions(plan))

    def adopt(self, plan: Plan, loaded: Loaded | None = None) -> Result:
        """Take up a changed pipeline: incidents of removed rules resolve, new rules start now.

        ``loaded``: its references, which are in force with it; None: they come by themselves, as
        those of rule tests do.
        """
        result = adopt(self.processor, plan, {} if loaded is None else loaded.news.snapshots)
        self._observe(result)
        self.commit(result.commit)
        self.plan = plan
        if loaded is not None:
            self.references.accept(loaded)
        self._take_up()
        self.settle()
        done = self.delivery.drop(self.delivery.names - set(plan.config.outputs))
        if done:
            self.store.confirm(done)
        return result

    def act(self, request: Request) -> Result:
        """Do with a key of a list what a person asks for; ActError if it can't be done."""
        result = perform(self.plan, self.state, self.processor.conclusion.verdicts, request)
        self._observe(result)
        self.commit(result.commit)
        return result

    def commit(self, commit: Commit) -> None:
        """Apply changes in one transaction, then deliver what they have for outputs.

        Files that can be cut back are written before it ends (``Delivery.ahead``), beside the rows
        of tables. After StoreError nothing more may be committed.
        """
        before = self.delivery.seconds_ahead
        writing = self.delivery.ahead(commit.outbox, beside=bool(commit.tables))
        over = self._retaining.due(self.plan, self.state.frontier, time.time_ns() // 1000)
        outbox: tuple[tuple[int, str, pa.Table], ...] = ()

        def settled(commit: Commit) -> Commit:
            nonlocal outbox
            ahead, outbox = writing.result()
            if ahead:
                self._on_commit("ahead")
            return replace(commit, outbox=outbox, delivered=(*self.delivery.confirmed(), *ahead))

        started = time.perf_counter()
        # If this fails the run ends. Whether it was stored all the same only the next start knows,
        # which cuts the files back to what the store then holds.
        try:
            sizes = self.store.commit(replace(commit, retained_from=over), settled)
        finally:
            wait([writing])
        self.delivery.committed()
        self.times.commit += time.perf_counter() - started
        self.times.deliver += self.delivery.seconds_ahead - before
        self._on_commit("commit")
        if isinstance(self.source, Mirroring):
            self.source.committed(self.positions())
        for (seq, output, rows), size in zip(outbox, sizes, strict=True):
            self.delivery.add(seq, output, rows, size)
        started = time.perf_counter()
        self.delivery.run()
        self.times.deliver += time.perf_counter() - started
        self._on_commit("delivered")

    def settle(
        self,
        patience: float = 0.0,
        give_up: Callable[[], bool] = lambda: False,
        *,
        most: float = math.inf,
    ) -> None:
        """Deliver, and tell the store of it without an epoch: at a stop, or when all is quiet.

        Servers are waited for as long as they take something within ``patience`` seconds, but not
        longer than ``most``.
        """
        self.delivery.run()
        if patience:
            self.delivery.drain(patience, give_up, most=most)
        if self.delivery.unreported:
            self.store.confirm(self.delivery.confirmed())
            self._on_commit("confirmed")

    def close(self) -> None:
        """Settle and give everything back; what hangs is left behind after some seconds."""
        self.references.close()
        source = None if self.source_hangs else Farewell(self.source.close, "close the source")
        try:
            self.delivery.run(now=True)
            self.settle()
        finally:
            self.delivery.close()
            try:
                if source is not None:
                    source.wait(CLOSE_SECONDS)
                if self.delivery.unreported:
                    # Calls that were under way are waited for; what they brought is delivered.
                    self.store.confirm(self.delivery.confirmed())
            finally:
                self.store.close()
