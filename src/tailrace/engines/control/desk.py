"""What is answered to each kind of request, in the threads of the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tailrace.engines.acting import Request
from tailrace.engines.control.wire import Json, Message
from tailrace.engines.gathering import with_store
from tailrace.engines.lookup import MOST_ROWS, entries, matching, statement
from tailrace.errors import StoreError
from tailrace.store.outbox import to_bytes
from tailrace.store.querying import USUAL, Bounds

if TYPE_CHECKING:
    from tailrace.engines.acts import Acts
    from tailrace.engines.status import Status
    from tailrace.store.querying import Answer
    from tailrace.store.reading import StoreReader

MOST_SECONDS = 300.0
FIRST_STATUS_SECONDS = 10.0
"""How long a first status is waited for: recovery comes before it."""


class Desk:
    """Answers requests about one running session."""

    def __init__(self, reader: StoreReader, acts: Acts | None = None) -> None:
        """``reader`` is of the session's store and used by no other; ``acts``: who does some."""
        self._reader = reader
        self._acts = acts
        self._status: Status | None = None
        self._posted: float | None = None
        self._there = threading.Event()
        self._verbs: dict[str, Callable[[Json], Message]] = {
            "status": self._tell_status,
            "query": self._query,
            "dead-letters": self._dead_letters,
            "verdict": self._act,
        }

    def post(self, status: Status) -> None:
        """Take the newest status; called by the engine's thread."""
        self._status = status
        self._posted = time.monotonic()
        self._there.set()

    def latest(self) -> Status | None:
        """The newest status without what only the store knows; None if there is none yet."""
        return self._status

    def age(self) -> float | None:
        """Seconds since a status was posted; None if none was."""
        return None if self._posted is None else time.monotonic() - self._posted

    def status(self) -> Status:
        """The newest status, with what the store knows; StoreError if there is none yet."""
        if not self._there.wait(FIRST_STATUS_SECONDS) or self._status is None:
            raise StoreError("the pipeline is still starting", hint="ask again in a moment")
        return with_store(self._status, self._reader)

    def lookup(self, name: str, key: Sequence[str]) -> list[Json] | None:
        """The entries of a key in a list of verdicts; None if there is no such list; StoreError."""
        status = self._status
        if status is None:
            raise StoreError("the pipeline is still starting", hint="ask again in a moment")
        lists = {one.name: one.fields for one in status.verdicts}
        if name not in lists:
            return None
        sql = statement(key, lists, name)
        rows = self._reader.query(sql, replace(USUAL, rows=MOST_ROWS)).rows
        return [entry.body for entry in matching(entries(rows["body"].to_pylist()), key)]

    def answer(self, request: Json) -> Message:
        """Answer one request; StoreError if it can't be."""
        verb = request.get("verb")
        known = self._verbs.get(verb) if isinstance(verb, str) else None
        if known is None:
            raise StoreError(f"the running pipeline knows no {verb!r}; is it of another version?")
        return known(request)

    def _tell_status(self, request: Json) -> Message:
        del request
        return Message({"status": self.status().to_json()})

    def _query(self, request: Json) -> Message:
        return _rows(self._reader.query(str(request.get("sql")), _bounds(request)))

    def _dead_letters(self, request: Json) -> Message:
        codes = [str(code) for code in cast("list[object]", request.get("codes", []))]
        answer = self._reader.dead_letters(
            after=_whole(request, "after", -1), codes=codes, most=_whole(request, "most", 100)
        )
        return _rows(answer)

    def _act(self, request: Json) -> Message:
        if self._acts is None:
            raise StoreError("this run takes no acts of people")
        result = self._acts.ask(Request.from_json(request))
        return Message({"changes": [change.to_json_dict() for change in result.verdicts]})


def _rows(answer: Answer) -> Message:
    return Message({"cut": answer.cut}, to_bytes(answer.rows))


def _bounds(request: Json) -> Bounds:
    return Bounds(
        rows=min(_whole(request, "rows", USUAL.rows), USUAL.rows),
        bytes=USUAL.bytes,
        seconds=MOST_SECONDS,
    )


def _whole(request: Json, name: str, default: int) -> int:
    value = request.get(name, default)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
