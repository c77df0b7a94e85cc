"""Asking about a pipeline: the process that runs it, or its store's file when nobody does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tailrace.engines.control.client import Client
from tailrace.errors import StoreError, TailraceError

if TYPE_CHECKING:
    import pyarrow as pa

    from tailrace.engines.status import Status
    from tailrace.store.reading import StoreReader

PATIENCE_SECONDS = 3.0
"""How long a process that has the store, but doesn't listen yet, is waited for."""

_PAUSE_SECONDS = 0.1


class Asked(Protocol):
    """Who answers."""

    def status(self) -> Status:
        """How the pipeline stands."""
        ...

    def query(self, sql: str, rows: int) -> tuple[pa.Table, bool]:
        """The rows of a reading statement, at most so many; whether there are more."""
        ...


class FileAsked:
    """A store that no process uses."""

    def __init__(self, reader: StoreReader) -> None:
        """Ask a store that was opened to be read."""
        self._reader = reader

    def status(self) -> Status:
        """How the pipeline stood when it was last run."""
        from tailrace.engines.gathering import stored_status

        return stored_status(self._reader)

    def query(self, sql: str, rows: int) -> tuple[pa.Table, bool]:
        """The rows of a reading statement, at most so many; whether there are more."""
        from dataclasses import replace

        from tailrace.store.querying import USUAL

        answer = self._reader.query(sql, replace(USUAL, rows=min(rows, USUAL.rows)))
        return answer.rows, answer.cut


@contextmanager
def asked(store: Path) -> Iterator[Asked]:
    """Whoever can answer about a store; StoreError if there is no store, or nobody can."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        client = Client.connect(store)
        if client is not None:
            with client:
                yield client
            return
        from tailrace.store.reading import StoreInUseError, open_reader

        try:
            reader = open_reader(store)
        except StoreInUseError as error:
            if time.monotonic() > deadline:
                hint = "it may still be starting; or it is no `tailrace run`"
                raise StoreError(f"{error}, and it doesn't answer", hint=hint) from error
            time.sleep(_PAUSE_SECONDS)
        else:
            try:
                yield FileAsked(reader)
            finally:
                reader.close()
            return


def check_lists(who: Asked, name: str | None) -> dict[str, tuple[str, ...]]:
    """The fields of each list's key; TailraceError if there are no lists, or not that one."""
    lists = {one.name: one.fields for one in who.status().verdicts}
    if not lists:
        hint = "lists are made by 'verdicts' in the pipeline file"
        raise TailraceError("the pipeline has no lists of verdicts", hint=hint)
    if name is not None and name not in lists:
        hint = f"there are: {', '.join(lists)}"
        raise TailraceError(f"there is no list of verdicts {name!r}", hint=hint)
    return lists


def acted(store: Path, request: dict[str, object]) -> list[dict[str, object]]:
    """Have a person's act done by the process that runs the pipeline, or on its store."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        client = Client.connect(store)
        if client is not None:
            with client:
                return client.act(request)
        from tailrace.engines.acting import Request, act_on_store
        from tailrace.store.reading import StoreInUseError

        try:
            result = act_on_store(store, Request.from_json(request))
        except StoreInUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return [dict(change.to_json_dict()) for change in result.verdicts]
