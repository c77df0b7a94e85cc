"""One output's way from the outbox: what waits for it, in order, again until it is confirmed.

A bounded part of what waits is held in memory; when an output falls behind, the rest stays in the
store and is read from there when its turn comes.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailrace.errors import HaltedError, OutputError, UnreachableError
from tailrace.outputs import Holder, OutboxBatch, Renewing
from tailrace.outputs.batches import Form
from tailrace.outputs.output import Expecting, Revocable
from tailrace.store.commit import Delivered, RefusedRow
from tailrace.store.outbox import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tailrace.outputs import Output, Receipt
    from tailrace.outputs.batches import Rows
    from tailrace.store.outbox import Backlog, OutboxReader

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0

MEMORY_BYTES = 32 << 20
"""What waits in memory for one output; the rest is read from the store in pieces of this size."""

SILENT_SECONDS = 15.0
"""A server that has confirmed nothing for so long, although something waits, is in trouble."""

CLOSE_SECONDS = 4.0
"""How long a call that waits for a server is waited for at a stop."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an output has confirmed in all, what waits for it, and why if it can't take more now."""

    delivered_rows: int
    waiting_rows: int
    waiting_bytes: int
    error: str | None
    waiting_seconds: float = 0.0
    """For how long the oldest of what waits has been waiting, at least: since the last progress."""
    refused_rows: int = 0


@dataclass(slots=True)
class _Account:
    """What a lane has to say; written by the delivering thread, read by all, under the lock."""

    waiting_rows: int = 0
    waiting_bytes: int = 0
    rows: int = 0
    refused_rows: int = 0
    body: Mapping[str, object] = field(default_factory=dict)
    confirmed: int = -1
    reported: int = -1
    refused: list[RefusedRow] = field(default_factory=list)
    error: str | None = None
    waiting_since: float | None = None


class Lane:
    """One output and what waits for it.

    The thread that delivers calls ``step``, or ``ahead`` and ``committed``; the rest is for any.
    """

    def __init__(
        self,
        name: str,
        output: Output,
        outbox: Callable[[], OutboxReader],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet; ``outbox`` is called once, by the thread that calls ``open``."""
        self.name = name
        self.output = output
        self._make_outbox = outbox
        self._outbox: OutboxReader | None = None
        self._clock = clock
        self._news = threading.Condition()
        self._account = _Account()
        self._queue: deque[OutboxBatch] = deque()
        self._queued_bytes = 0
        self._newest = -1
        self._spilled = False
        """Newer batches than those in the queue are in the store alone."""
        self._taken = -1
        """The last batch that the output took, confirmed or held."""
        self._held_rows = self._held_bytes = self._held_refused = 0
        self._ahead: Delivered | None = None
        self._opened = False
        self._saved: dict[str, object] | None = None
        self._retry_at = 0.0
        self._backoff = FIRST_RETRY_SECONDS
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.failure: BaseException | None = None

    # -- for the engine's thread -------------------------------------------------------------------

    def open(self, stored: tuple[int, int, dict[str, object]] | None, backlog: Backlog) -> None:
        """Open the output at its last confirmed state.

        A server that has been delivered to before and can't be reached now is opened later.
        """
        account = self._account
        if isinstance(self.output, Expecting):
            self.output.expect(max(backlog.newest, -1 if stored is None else stored[0]))
        if stored is None:
            account.body = self.output.open(None)
            self._opened = True
            account.reported = account.confirmed - 1
        else:
            account.confirmed, account.rows, before = stored
            self._saved = before
            try:
                account.body = self.output.open(dict(before))
                self._opened = True
            except UnreachableError as error:
                if not self.output.remote:
                    raise
                account.body = before
                self._put_off(error)
            # An output that leads elsewhere now begins there with a state of its own.
            same = account.body == before
            account.reported = account.confirmed if same else account.confirmed - 1
        self._taken = account.confirmed
        account.waiting_rows, account.waiting_bytes = backlog.rows, backlog.bytes
        self._newest = backlog.newest
        self._spilled = backlog.rows > 0 or backlog.newest > account.confirmed
        if self._spilled:
            account.waiting_since = self._clock()
        self._outbox = self._make_outbox()

    def start(self) -> None:
        """Deliver in a thread of its own from now on, if the output is a server; only once."""
        if self.output.remote and self._thread is None:
            self._thread = threading.Thread(
                target=self._serve, name=f"output {self.name}", daemon=True
            )
            self._thread.start()

    def add(self, seq: int, rows: pa.Table, size: int) -> None:
        """Take a committed batch."""
        with self._news:
            account = self._account
            if account.waiting_since is None:
                account.waiting_since = self._clock()
            account.waiting_rows += rows.num_rows
            account.waiting_bytes += size
            self._newest = seq
            if self._spilled or self._queued_bytes + size > max(MEMORY_BYTES, size):
                self._spilled = True
            else:
                self._queue.append(OutboxBatch(seq, rows, size))
                self._queued_bytes += size
            self._news.notify_all()

    def ahead(self, seq: int, rows: Rows) -> Delivered | None:
        """Write a batch before the transaction that makes it, which takes in what this returns.

        None if the batch must go by way of the outbox: the output can't undo it, holds it back for
        more, or can't take it now, or others wait before it. ``committed`` must follow, or the end
        of the run: what the store holds then decides at the next ``open`` what of it stays.
        """
        output, batch = self.output, OutboxBatch(seq, rows)
        if not isinstance(output, Revocable) or not output.at_once(batch):
            return None
        if self.waits:
            self.run(now=True)
        if self.waits or self._clock() < self._retry_at:
            return None
        try:
            receipt = output.deliver(batch)
        except HaltedError:
            raise
        except OutputError as error:
            self._put_off(error)
            return None
        before = self._account.rows if self._ahead is None else self._ahead.rows
        self._ahead = Delivered(self.name, seq, before + len(rows), receipt.state)
        return self._ahead

    def committed(self) -> None:
        """The transaction took in what ``ahead`` wrote."""
        done, self._ahead = self._ahead, None
        if done is None:
            return
        with self._news:
            account = self._account
            account.confirmed = account.reported = self._newest = self._taken = done.seq
            account.rows, account.body, account.error = done.rows, done.body, None
        self._backoff = FIRST_RETRY_SECONDS

    def run(self, *, now: bool = False) -> None:
        """Deliver what waits, as far as the output takes it now; a server's thread does it.

        ``now``: an output that holds batches back must not.
        """
        if self._thread is None:
            while self.step(now=now):
                pass

    def confirmed(self) -> Delivered | None:
        """What was confirmed since the last call; None if nothing was."""
        with self._news:
            account = self._account
            if account.confirmed <= account.reported:
                return None
            account.reported = account.confirmed
            # A batch that was taken and not confirmed yet may come again, and be refused again.
            refused = tuple(r for r in account.refused if r.seq <= account.confirmed)
            account.refused = [r for r in account.refused if r.seq > account.confirmed]
            return Delivered(self.name, account.confirmed, account.rows, account.body, refused)

    @property
    def unreported(self) -> bool:
        """Whether there is a confirmation that the store doesn't know."""
        with self._news:
            return self._account.confirmed > self._account.reported

    @property
    def waits(self) -> bool:
        """Whether something waits for delivery."""
        with self._news:
            return self._account.confirmed < self._newest

    @property
    def progress(self) -> int:
        """Grows with each delivery."""
        with self._news:
            return self._account.confirmed

    def standing(self) -> Standing:
        """How the output stands."""
        with self._news:
            account = self._account
            since = account.waiting_since
            waited = 0.0 if since is None else self._clock() - since
            error = account.error
            if error is None and self._thread is not None and waited > SILENT_SECONDS:
                error = f"nothing was confirmed for over {SILENT_SECONDS:.0f} s"
            return Standing(
                account.rows,
                account.waiting_rows,
                account.waiting_bytes,
                error,
                waited,
                account.refused_rows,
            )

    def stop(self) -> None:
        """Have the thread, if any, end after the call that it is in."""
        with self._news:
            self._stopping = True
            self._news.notify_all()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Stop the thread, waiting so long for the call that it is in, and close the output."""
        self.stop()
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                # A server that doesn't answer. What it still takes is not reported: it comes again.
                return
        else:
            self.output.close()
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None

    # -- for the delivering thread -----------------------------------------------------------------

    def step(self, *, now: bool = False) -> bool:
        """Deliver one batch; False if none waits or the output doesn't take it now."""
        if self._clock() < self._retry_at:
            return False
        try:
            if not self._opened:
                body = self.output.open(self._saved)
                with self._news:
                    self._account.body = body
                self._opened = True
            batch = self._next()
            receipt = self._flushed(now=now) if batch is None else self.output.deliver(batch)
            if receipt is None:
                return False
        except HaltedError:
            raise
        except OutputError as error:
            self._put_off(error)
            return False
        if batch is not None:
            self._take(batch, receipt)
        if not receipt.held:
            self._confirm(receipt)
        return batch is not None

    def _next(self) -> OutboxBatch | None:
        with self._news:
            if self._queue:
                return self._queue[0]
            if not self._spilled:
                return None
            after, newest = self._taken, self._newest
        assert self._outbox is not None  # noqa: S101 - it is open
        found = [
            OutboxBatch(waiting.seq, waiting.rows, waiting.size)
            for waiting in self._outbox.after(self.name, after, MEMORY_BYTES)
        ]
        with self._news:
            self._queue.extend(found)
            self._queued_bytes = sum(batch.size for batch in found)
            # What was added meanwhile is in the store too, and perhaps not in what was read.
            last = found[-1].seq if found else newest
            self._spilled = last < self._newest
            return found[0] if found else None

    def _flushed(self, *, now: bool) -> Receipt | None:
        if isinstance(self.output, Holder) and self._held_rows:
            return self.output.flush(now=now)
        return None

    def _take(self, batch: OutboxBatch, receipt: Receipt) -> None:
        refused = refused_rows(batch, receipt)
        with self._news:
            account = self._account
            self._queue.popleft()
            self._queued_bytes -= batch.size
            account.refused_rows += len(refused)
            account.refused += refused
        self._taken = batch.seq
        self._held_rows += batch.rows.num_rows
        self._held_bytes += batch.size
        self._held_refused += len(refused)

    def _confirm(self, receipt: Receipt) -> None:
        with self._news:
            account = self._account
            account.confirmed = self._taken
            account.rows += self._held_rows - self._held_refused
            account.body = receipt.state or {}
            account.error = None
            done = account.confirmed >= self._newest
            account.waiting_rows = 0 if done else account.waiting_rows - self._held_rows
            account.waiting_bytes = 0 if done else account.waiting_bytes - self._held_bytes
            account.waiting_since = None if done else self._clock()
            self._news.notify_all()
        self._held_rows = self._held_bytes = self._held_refused = 0
        self._backoff = FIRST_RETRY_SECONDS

    def _put_off(self, error: OutputError) -> None:
        with self._news:
            self._account.error = error.render()
        self._retry_at = self._clock() + self._backoff
        self._backoff = min(2 * self._backoff, LONGEST_RETRY_SECONDS)

    def _renewed(self) -> float | None:
        """Let an output that repeats itself do so; seconds until its next time."""
        output = self.output
        if not (isinstance(output, Renewing) and self._opened) or self._clock() < self._retry_at:
            return None
        try:
            again = output.renew()
        except HaltedError:
            raise
        except OutputError as error:
            self._put_off(error)
            return None
        with self._news:
            if self._account.confirmed >= self._newest:
                self._account.error = None
        return again

    def _serve(self) -> None:
        try:
            while not self._stopping:
                moved = self.step()
                again = self._renewed()
                if moved:
                    continue
                with self._news:
                    if self._stopping:
                        break
                    left = self._retry_at - self._clock()
                    idle = not (self._queue or self._spilled) and self._opened
                    if idle or left > 0:
                        self._news.wait(again if idle and left <= 0 else max(left, 0.001))
        except BaseException as error:  # noqa: BLE001 - the engine's thread raises it
            self.failure = error
        # Here, because a server may not answer to that either.
        self.output.close()


def refused_rows(batch: OutboxBatch, receipt: Receipt) -> list[RefusedRow]:
    """The rows that an output refused, as the store keeps them."""
    rows = []
    for refused in receipt.refused:
        row = batch.rows.slice(refused.row, 1).to_pylist()[0]
        if batch.form is Form.ROWS:
            body = str(row["json"])
        else:
            own = {name: value for name, value in row.items() if not name.startswith("tailrace.")}
            body = json.dumps(own, default=str, ensure_ascii=False)
        row_id = row.get("tailrace.id")
        payload = to_bytes(batch.rows.slice(refused.row, 1))
        rows.append(RefusedRow(batch.seq, refused.row, row_id, refused.reason, body, payload))
    return rows
