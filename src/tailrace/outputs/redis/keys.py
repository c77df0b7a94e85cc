"""Delivery to Redis: transactions of bounded size, each with the marker of how far it goes.

A transaction watches the marker: whoever else changed it meanwhile (what this or an earlier process
sent before its connection broke, and what the server came to only now) makes it fail, and the
marker is read again. So each row is applied once, whatever breaks.

A marker that is gone means that the server has lost its data, or that somebody deleted it. Rows
that were confirmed are not sent again, the store doesn't have them any more; delivery goes on after
them. Only then may a batch whose confirmation was lost as well be applied twice, which shows only
in lists and streams that outlived their marker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import ResponseError, WatchError

from tailrace.errors import OutputError
from tailrace.outputs.lines import safe
from tailrace.outputs.output import Receipt, Refused, State
from tailrace.outputs.redis.commands import SAMPLES, TYPES, Write, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from redis import Redis
    from redis.client import Pipeline

    from tailrace.config.targets.redis import RedisOutput
    from tailrace.outputs.batches import OutboxBatch
    from tailrace.outputs.redis.server import RedisServer

ROWS = 1000
BYTES = 1 << 20
"""A transaction ends with the row that reaches one of these: nobody else is served meanwhile."""

Place = tuple[int, int]
"""How far: the number of a batch, and how many of its rows."""


class RedisKeys:
    """Rows as keys. State: the number of the last batch, for people; the marker says it exactly."""

    remote = True

    def __init__(self, options: RedisOutput, server: RedisServer, marker: str) -> None:
        """Connect to nothing yet; ``marker`` is the marker's key."""
        self._options = options
        self._server = server
        self._marker = marker
        self._done: tuple[int, int, list[Refused]] = (-1, 0, [])
        """Of the batch under way: its number, its rows done, those refused of them."""
        self._newest: int | None = None

    def expect(self, newest: int) -> None:
        """See ``Expecting.expect``."""
        self._newest = newest

    def open(self, saved: State | None) -> State:
        """See ``Output.open``: asks the server for what the type needs."""
        with self._server.asked() as client:
            client.ping()
            marked, _ = _place(client.get(self._marker), self._marker)
            lacking = self._options.type == "timeseries" and not _knows(client, SAMPLES)
        if lacking:
            raise OutputError(
                f"Redis at {self._server.address} has no TIMESERIES commands ({SAMPLES})",
                hint="Redis 8 and Redis Stack have them, others by the module RedisTimeSeries;"
                " or take type: stream",
            )
        if self._newest is not None and marked > self._newest:
            raise OutputError(
                f"Redis at {self._server.address} has rows of this store that it doesn't know:"
                " it is an older copy",
                hint=f"delete the key {self._marker}: rows come again, with the same keys",
            )
        return {"seq": -1} if saved is None else saved

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``."""
        if self._done[0] != batch.seq:
            self._done = (batch.seq, 0, [])
        _, first, refused = self._done
        for piece in _pieces(writes(batch, self._options, first)):
            while not self._apply(batch, piece, refused):
                pass
            self._done = (batch.seq, piece[-1].row + 1, refused)
        return Receipt({"seq": batch.seq}, tuple(refused))

    def close(self) -> None:
        """See ``Output.close``."""
        self._server.close()

    def _apply(self, batch: OutboxBatch, piece: list[Write], refused: list[Refused]) -> bool:
        """Apply some rows, but for those that the marker says are; False if it changed meanwhile.

        What is refused is added to ``refused`` once it is sure.
        """
        end = (batch.seq, piece[-1].row + 1)
        with self._server.asked() as client, client.pipeline(transaction=True) as pipe:
            pipe.watch(self._marker)  # type: ignore[no-untyped-call]
            marked = _place(pipe.get(self._marker), self._marker)
            fresh = [write for write in piece if (batch.seq, write.row + 1) > marked]
            earlier = piece[: len(piece) - len(fresh)]
            found = self._found_unfit(pipe, earlier) + _unfit(fresh)
            sent = [write for write in fresh if write.commands]
            if fresh:
                pipe.multi()
                for write in sent:
                    for command in write.commands:
                        pipe.execute_command(*command)  # type: ignore[no-untyped-call]
                pipe.set(self._marker, f"{end[0]}:{end[1]}")
                try:
                    answers = pipe.execute(raise_on_error=False)
                except WatchError:
                    return False
                found += _refused(sent, answers)
        refused += sorted(found, key=lambda one: one.row)
        return True

    def _found_unfit(self, pipe: Pipeline, earlier: list[Write]) -> list[Refused]:
        """Rows that were refused in a transaction whose answer was lost."""
        found = _unfit(earlier)
        wanted = TYPES[self._options.type]
        for write in earlier:
            if write.commands and self._options.type not in ("string", "hash"):
                kind = _text(pipe.type(write.key))
                if kind not in (wanted, "none"):
                    found.append(Refused(write.row, f"the key holds a {kind}, not a {wanted}"))
        return found


def _pieces(rows: Iterable[Write]) -> Iterator[list[Write]]:
    piece: list[Write] = []
    size = 0
    for write in rows:
        piece.append(write)
        size += write.size
        if len(piece) >= ROWS or size >= BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _unfit(piece: Iterable[Write]) -> list[Refused]:
    return [Refused(write.row, write.unfit) for write in piece if write.unfit is not None]


def _refused(sent: list[Write], answers: list[object]) -> list[Refused]:
    """Rows of which a command failed; the marker's answer is the last."""
    if isinstance(answers[-1], Exception):
        raise answers[-1]
    found = []
    at = 0
    for write in sent:
        own = answers[at : at + len(write.commands)]
        at += len(write.commands)
        failed = next((a for a in own if isinstance(a, Exception)), None)
        if failed is not None and not isinstance(failed, ResponseError):
            raise failed
        if failed is not None:
            found.append(Refused(write.row, safe(str(failed))))
    return found


def _place(marker: object, key: str) -> Place:
    """How far the marker says that rows were applied."""
    if marker is None:
        return (-1, 0)
    seq, _, rows = _text(marker).partition(":")
    try:
        return int(seq), int(rows)
    except ValueError:
        raise OutputError(
            f"the key {key} was written by somebody else",
            hint="it is Tailrace's own; delete it, and nothing that was confirmed comes again",
        ) from None


def _knows(client: Redis, command: str) -> bool:
    info = client.execute_command("COMMAND INFO", command)  # type: ignore[no-untyped-call]
    return any(info.values() if isinstance(info, dict) else info)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
