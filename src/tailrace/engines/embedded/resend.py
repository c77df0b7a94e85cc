"""Rows that an output refused, sent to it once more: when its server was mended, not the row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailrace.engines.delivery import ENDED_PATIENCE_SECONDS
from tailrace.engines.embedded.opening import open_session
from tailrace.engines.embedded.unread import Unread
from tailrace.errors import StoreError
from tailrace.store.commit import Commit
from tailrace.store.outbox import from_bytes
from tailrace.store.reading import StoreInUseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tailrace.engines.embedded.session import Session
    from tailrace.outputs import Output
    from tailrace.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Resent:
    """What became of refused rows: ``taken`` now, ``refused`` again, ``waiting`` in the outbox;
    ``unknown``: those of outputs that the pipeline doesn't have.
    """  # noqa: D205 - one sentence

    taken: int = 0
    refused: int = 0
    waiting: int = 0
    unknown: int = 0


def resend(
    plan: Plan,
    store: Path,
    *,
    outputs: Sequence[str] = (),
    made: dict[str, Output] | None = None,
) -> Resent:
    """Send the refused rows of some outputs (none named: all) again, as they were made.

    They go to the outbox in one transaction and are marked; those that are refused again are kept
    again. ``made``: these outputs, not those that the plan describes. StoreError if there is no
    store or a process uses it.
    """
    if not store.is_file():
        raise StoreError(f"there is no store at {store}", hint="it is made by the first run")
    try:
        session = open_session(
            plan, store, source=Unread(plan, store), outputs=made, early_notices=False
        )
    except StoreInUseError as error:
        raise StoreInUseError(
            f"{store} is in use by a process that runs the pipeline",
            hint="stop it, resend, and start it again: it goes on where it was",
        ) from error
    try:
        return _resend(session, outputs)
    finally:
        session.close()


def _resend(session: Session, outputs: Sequence[str]) -> Resent:
    rows = session.store.refused_rows()
    wanted = [row for row in rows if not outputs or row.output in outputs]
    known = [row for row in wanted if row.output in session.delivery.names]
    unknown = len(wanted) - len(known)
    if not known:
        return Resent(unknown=unknown)
    state = session.state
    first = state.next_seq
    batches = tuple(
        (state.next_seq + number, row.output, from_bytes(row.payload))
        for number, row in enumerate(known)
    )
    state.next_seq += len(batches)
    places = tuple((row.output, row.seq, row.row) for row in known)
    session.commit(Commit(state.epoch, state.to_json(), outbox=batches, resent=places))
    session.settle(ENDED_PATIENCE_SECONDS)
    # Others may have waited before them, and go first.
    behind = Counter(row.output for row in known)
    standings = session.delivery.standings()
    waiting = sum(min(rows, standings[name].waiting_rows) for name, rows in behind.items())
    refused = sum(row.seq >= first for row in session.store.refused_rows())
    return replace(Resent(len(known) - refused - waiting, refused, waiting), unknown=unknown)
