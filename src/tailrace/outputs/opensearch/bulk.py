"""One bulk request after another, until each document is in, or is known never to be.

The server answers for each document: it is there; the server is too busy, which is tried again; the
document can't be what it says it is, which is refused for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from tailrace.errors import OutputError
from tailrace.outputs.opensearch.cluster import BUSY, Answer, Cluster, reason
from tailrace.outputs.opensearch.documents import Piece
from tailrace.outputs.output import Refused

_PATH = "/_bulk?filter_path=errors,error,status,items.*.status,items.*.error"

PATIENCE_SECONDS = 8.0
"""How long a busy server is asked again before the caller is told."""

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

_OF_THE_INDEX = (
    "index_closed_exception",
    "index_not_found_exception",
    "cluster_block_exception",
    "validation_exception",
)
"""What the server says with the status of a bad document although no document is to blame."""


@dataclass(slots=True)
class _Outcome:
    """What became of a piece: places of documents to send again, and why; rows refused."""

    again: list[int] = field(default_factory=list)
    why: str = ""
    refused: list[Refused] = field(default_factory=list)


class Bulk:
    """Sends documents; ``stream``: one that is there already counts as sent."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        stream: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cluster = cluster
        self._stream = stream
        self._clock = clock
        self._sleep = sleep

    def send(self, piece: Piece) -> list[Refused]:
        """Send until every document is in, but for those returned.

        OutputError if the server is too busy for longer than ``PATIENCE_SECONDS``, or doesn't take
        documents at all; UnreachableError if it doesn't answer. Then all may be sent again.
        """
        refused: list[Refused] = []
        pause, until = _FIRST_PAUSE_SECONDS, self._clock() + PATIENCE_SECONDS
        while piece.rows:
            outcome = self._once(piece)
            refused += outcome.refused
            if len(outcome.again) < len(piece.rows):
                pause, until = _FIRST_PAUSE_SECONDS, self._clock() + PATIENCE_SECONDS
            if not outcome.again:
                break
            if self._clock() + pause > until:
                raise OutputError(f"{self._cluster.name} is too busy: {outcome.why}")
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            piece = piece.of(outcome.again)
        return refused

    def _once(self, piece: Piece) -> _Outcome:
        answer = self._cluster.ask("POST", _PATH, piece.body, "x-ndjson")
        if answer.ok:
            return self._judged(piece, answer)
        if answer.status in (400, 413):
            return self._smaller(piece, answer)
        if answer.status in BUSY:
            return _Outcome(list(range(len(piece.rows))), answer.why)
        raise OutputError(f"{self._cluster.name} takes no documents: {answer.why}")

    def _smaller(self, piece: Piece, answer: Answer) -> _Outcome:
        """Find what the server refused to read, or send less at a time if it was too much."""
        if len(piece.rows) == 1:
            return _Outcome(refused=[Refused(piece.rows[0], answer.why)])
        return _Outcome(refused=[refused for half in piece.halves() for refused in self.send(half)])

    def _judged(self, piece: Piece, answer: Answer) -> _Outcome:
        outcome = _Outcome()
        if answer.body.get("errors") is False:
            return outcome
        for place, (status, error) in enumerate(_items(answer)):
            if status < 300 or (status == 409 and self._stream):
                continue
            why = reason(error)
            if status in BUSY:
                outcome.again.append(place)
                outcome.why = why
            elif status in (400, 409, 413) and not _blames_the_index(error):
                outcome.refused.append(Refused(piece.rows[place], why))
            else:
                hint = "`tailrace init` makes an index that is gone" if status == 404 else None
                raise OutputError(f"{self._cluster.name} takes no documents: {why}", hint=hint)
        return outcome


def _items(answer: Answer) -> Iterator[tuple[int, object]]:
    """For each document its status and what was wrong."""
    for item in cast("list[dict[str, Mapping[str, object]]]", answer.body.get("items", [])):
        for result in item.values():
            yield int(str(result["status"])), result.get("error")


def _blames_the_index(error: object) -> bool:
    return isinstance(error, Mapping) and error.get("type") in _OF_THE_INDEX
