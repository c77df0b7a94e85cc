"""Dead letters decoded again with today's pipeline; those that are events now go to the rules.

Each comes in a partition of its own, ``replay:`` and the name of the one it came from, which
appears at the watermark and ends with the same epoch. So what it says about windows that have
closed is late, as the semantics have it, and nothing that was told changes; alerts on single
events, archives and windows that are still open get it. Its records are read once more and counted
so: ``read = events + dead + blank`` stays true.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pyarrow as pa

from tailrace.config import Csv, FileSource, KafkaSource
from tailrace.config.packets import PacketSource
from tailrace.engines.delivery import ENDED_PATIENCE_SECONDS
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.embedded.unread import Unread
from tailrace.engines.epoch import Decision, DecisionKind, EpochPlan
from tailrace.engines.state import REPLAY
from tailrace.errors import StoreError, TailraceError
from tailrace.formats.codes import Code
from tailrace.formats.packets.record import PACKETS
from tailrace.formats.records import Records
from tailrace.kernel.time import NEVER, window_starts
from tailrace.sources.paths import PathFields, path_of
from tailrace.sources.types import Chunk, Slice
from tailrace.store.reading import StoreInUseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tailrace.engines.concluding import Result
    from tailrace.engines.embedded.session import Session
    from tailrace.engines.state import EngineState
    from tailrace.formats.decoder import Decoder
    from tailrace.formats.records import Decoded
    from tailrace.outputs import Output
    from tailrace.plan.model import Plan

MENDED = pa.schema(
    [
        ("id", pa.int64()),
        ("code", pa.string()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("replayed", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the dead letters that were asked for.

    ``events``: those that are events now; ``failed``: those that still are none; ``gone``: those of
    which too little is kept (over ``dead_letters.max_bytes``, or records that were cut);
    ``before``: those that were replayed before.
    """

    events: int = 0
    failed: int = 0
    gone: int = 0
    before: int = 0


class _Letter(TypedDict):
    id: int
    partition: str
    generation: int
    position: int
    code: str
    field: str | None
    reason: str
    raw: bytes | None
    replayed: bool


def replay(
    plan: Plan,
    store: Path,
    *,
    ids: Sequence[int] = (),
    codes: Sequence[str] = (),
    partition: str | None = None,
    outputs: dict[str, Output] | None = None,
    observe: Callable[[Result], None] = lambda _: None,
) -> Replayed:
    """Replay the dead letters of a store: those of ``ids``, ``codes`` and ``partition``, or all.

    In one transaction. StoreError if there is no store or a process uses it; TailraceError for an
    id that isn't there.
    """
    if not store.is_file():
        raise StoreError(f"there is no store at {store}", hint="it is made by the first run")
    try:
        session = open_session(
            plan,
            store,
            source=Unread(plan, store),
            outputs=outputs,
            early_notices=False,
            observe=observe,
        )
    except StoreInUseError as error:
        raise StoreInUseError(
            f"{store} is in use by a process that runs the pipeline",
            hint="stop it, replay, and start it again: it goes on where it was",
        ) from error
    try:
        replayed = _replay(session, _asked(session, ids, codes, partition))
        session.settle(ENDED_PATIENCE_SECONDS)
        return replayed
    finally:
        session.close()


def _asked(
    session: Session, ids: Sequence[int], codes: Sequence[str], partition: str | None
) -> list[_Letter]:
    wanted = ["true"]
    if ids:
        wanted.append(f"id in ({', '.join(str(int(one)) for one in ids)})")
    if codes:
        wanted.append(f"code in ({', '.join(map(_text, codes))})")
    if partition is not None:
        wanted.append(f"partition = {_text(partition)}")
    order = "partition, generation, position, id"
    sql = f"select * from dead_letters where {' and '.join(wanted)} order by {order}"
    letters: list[_Letter] = session.store.query(sql).to_pylist()
    missing = sorted(set(ids) - {letter["id"] for letter in letters})
    if missing and not codes and partition is None:
        raise TailraceError(f"there is no dead letter {', '.join(map(str, missing))}")
    return letters


def _replay(session: Session, letters: list[_Letter]) -> Replayed:
    before = sum(letter["replayed"] for letter in letters)
    waiting = [letter for letter in letters if not letter["replayed"]]
    whole = [r for r in waiting if r["raw"] is not None and r["code"] != Code.TOO_LONG]
    if not whole:
        return Replayed(gone=len(waiting), before=before)
    decoder = make_decoder(session.plan)
    work: list[tuple[Chunk, Decoded]] = []
    mended: list[dict[str, object]] = []
    for name, generation, group in _groups(whole):
        fields = _path_fields(session.plan, name)
        decoded = decoder.decode(_records(session.plan, name, group), fields)
        mended += _mended(group, decoded)
        alive = [group[row] for row in decoded.rows.tolist()]
        if alive:
            work.append(_chunk(session.plan, name, generation, alive, decoder, fields))
    session.replay(_plan(session, work), work, pa.Table.from_pylist(mended, schema=MENDED))
    events = sum(row["replayed"] is True for row in mended)
    return Replayed(events, len(mended) - events, len(waiting) - len(whole), before)


def _groups(letters: list[_Letter]) -> Iterator[tuple[str, int, list[_Letter]]]:
    for (name, generation), group in groupby(
        letters, lambda letter: (letter["partition"], letter["generation"])
    ):
        yield name, generation, list(group)


def _mended(group: list[_Letter], decoded: Decoded) -> Iterator[dict[str, object]]:
    """What each letter's row becomes; a record that is blank by now has nothing more to say."""
    dead = decoded.dead
    still = dict(
        zip(dead.rows, zip(dead.codes, dead.fields, dead.reasons, strict=True), strict=True)
    )
    alive = set(decoded.rows.tolist())
    for row, letter in enumerate(group):
        was = (letter["code"], letter["field"], letter["reason"])
        code, field, reason = still.get(row, was)
        yield {
            "id": letter["id"],
            "code": code,
            "field": field,
            "reason": reason,
            "replayed": row in alive,
        }


def _chunk(
    plan: Plan,
    name: str,
    generation: int,
    alive: list[_Letter],
    decoder: Decoder,
    fields: dict[str, str],
) -> tuple[Chunk, Decoded]:
    records = _records(plan, name, alive)
    first, last = alive[0]["position"], alive[-1]["position"]
    piece = Slice(REPLAY + name, generation, first, last + 1, {}, fields)
    return Chunk(piece, records), decoder.decode(records, fields)


def _plan(session: Session, work: list[tuple[Chunk, Decoded]]) -> EpochPlan:
    """The partitions appear before and end after; a run that had finished is finished again."""
    state = session.state
    names = list(dict.fromkeys(chunk.slice.partition for chunk, _ in work))
    start = _closed_until(session.plan, state) if state.finished else None
    after = [Decision(DecisionKind.ENDED, name) for name in names]
    if state.finished:
        after.append(Decision(DecisionKind.FINAL))
    return EpochPlan(
        epoch=state.epoch + 1,
        before=tuple(
            Decision(
                DecisionKind.RETURNED if name in state.partitions else DecisionKind.APPEARED,
                name,
                start,
            )
            for name in names
        ),
        slices=tuple(chunk.slice for chunk, _ in work),
        after=tuple(after),
    )


def _closed_until(plan: Plan, state: EngineState) -> int | None:
    """The end of the last window that the end of input closed."""
    greatest = state.greatest_time()
    if greatest == NEVER:
        return None
    ends = []
    for window, ordered in [(rule.window, rule.ordered is not None) for rule in plan.rules]:
        if ordered:
            ends.append((greatest // window.width + 1) * window.width)
        else:
            ends.append(window_starts(greatest, window.size, window.every)[-1] + window.size)
    return max(ends, default=None)


def _records(plan: Plan, name: str, letters: list[_Letter]) -> Records:
    packets = isinstance(plan.config.source, PacketSource)
    lines = [(letter["raw"] or b"") + (b"" if packets else b"\n") for letter in letters]
    offsets = np.zeros(len(lines) + 1, np.int32)
    np.cumsum([len(line) for line in lines], out=offsets[1:])
    positions = np.array([letter["position"] for letter in letters], np.int64)
    return Records(
        pa.py_buffer(b"".join(lines)),
        offsets,
        positions,
        header=PACKETS if packets else _header(plan, name),
        beside=_beside(plan, name, positions),
    )


def _beside(
    plan: Plan, name: str, positions: NDArray[np.int64]
) -> Mapping[str, pa.StringArray] | None:
    """What is still known of a Kafka message whose value was kept."""
    if not isinstance(plan.config.source, KafkaSource):
        return None
    from tailrace.sources.kafka.messages import beside_of

    return beside_of(name, positions)


def _header(plan: Plan, name: str) -> bytes | None:
    """The first line of a CSV file whose header names the columns, if the file is still there."""
    if not isinstance(plan.config.format, Csv) or plan.config.format.columns is not None:
        return None
    try:
        with open(path_of(name), "rb") as file:  # noqa: PTH123 - as the sources open files
            return file.readline(plan.config.limits.max_record_bytes)
    except OSError:
        return None


def _path_fields(plan: Plan, name: str) -> dict[str, str]:
    source = plan.config.source
    if not isinstance(source, FileSource) or source.fields is None:
        return {}
    return PathFields(source.fields).of(path_of(name))


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
