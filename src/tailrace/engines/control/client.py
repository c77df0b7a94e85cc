"""The asking end of the control socket."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from tailrace.engines.control.address import found
from tailrace.engines.control.wire import Json, Message, receive, send
from tailrace.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from tailrace.engines.status import Status

ANSWER_SECONDS = 330.0
"""Longer than a query may take."""


class Client:
    """A connection to the process that runs a pipeline; one thread at a time uses it."""

    def __init__(self, connection: socket.socket) -> None:
        """Use ``Client.connect``."""
        self._connection = connection
        self._stream = cast("BinaryIO", connection.makefile("rwb"))

    @classmethod
    def connect(cls, store: Path) -> Client | None:
        """The process that runs the pipeline of that store; None if nobody listens."""
        path = found(store)
        if path is None:
            return None
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(str(path))
        except PermissionError:
            connection.close()
            hint = "ask as the user who runs it"
            raise StoreError(f"{path} is another user's", hint=hint) from None
        except OSError:
            connection.close()
            return None
        return cls(connection)

    def status(self) -> Status:
        """How the pipeline stands."""
        from tailrace.engines.status import Status

        return Status.from_json(cast("Json", self._ask({"verb": "status"}).head["status"]))

    def query(self, sql: str, rows: int) -> tuple[pa.Table, bool]:
        """The rows of a reading statement, at most so many; whether there are more."""
        return _rows(self._ask({"verb": "query", "sql": sql, "rows": rows}))

    def dead_letters(self, after: int, codes: Sequence[str], most: int) -> tuple[pa.Table, bool]:
        """Dead letters by id, those after one; whether there are more."""
        request: Json = {"verb": "dead-letters", "after": after, "codes": list(codes), "most": most}
        return _rows(self._ask(request))

    def act(self, request: Json) -> list[Json]:
        """Have a person's act done; the changes it makes."""
        return cast("list[Json]", self._ask({"verb": "verdict", **request}).head["changes"])

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: Json) -> Message:
        try:
            send(self._stream, Message(request))
            answer = receive(self._stream)
        except OSError as error:
            raise StoreError(f"the running pipeline doesn't answer: {error}") from error
        if answer is None:
            raise StoreError("the running pipeline went away before it answered")
        if "error" in answer.head:
            hint = answer.head.get("hint")
            raise StoreError(str(answer.head["error"]), hint=None if hint is None else str(hint))
        return answer


def _rows(answer: Message) -> tuple[pa.Table, bool]:
    import pyarrow as pa

    return pa.ipc.open_stream(answer.payload).read_all(), bool(answer.head["cut"])
