"""Acts of people that wait for the engine: asked by any thread, done by its own between epochs."""

from __future__ import annotations

from collections import deque
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING

from tailrace.engines.acting import ActError
from tailrace.errors import StoreError, TailraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.engines.acting import Request
    from tailrace.engines.concluding import Result
    from tailrace.engines.session import BaseSession

ACT_SECONDS = 120.0
"""How long the epoch under way may take before an act is given up."""


class Acts:
    """Requests on their way to the engine's thread."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Request, Future[Result]]] = deque()

    def ask(self, request: Request) -> Result:
        """Have it done, and wait; the error if it can't be, StoreError if nobody comes to it."""
        future: Future[Result] = Future()
        self._waiting.append((request, future))
        try:
            return future.result(ACT_SECONDS)
        except (TimeoutError, CancelledError):
            if future.cancel() or future.cancelled():
                hint = "see `tailrace status`, and ask again"
                message = "the pipeline was busy for too long: nothing was done"
                raise StoreError(message, hint=hint) from None
            return future.result()

    @property
    def waiting(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting)

    def take(self, session: BaseSession) -> Iterator[Result]:
        """Do all that wait, each in a commit of its own; the engine's thread calls this.

        ActError is the answer to whoever asked. Any other error is told them and raised.
        """
        while self._waiting:
            request, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = session.act(request)
            except ActError as error:
                future.set_exception(error)
            except BaseException as error:
                # The state has moved and the store hasn't: the run ends, as in an epoch.
                known = isinstance(error, TailraceError)
                future.set_exception(
                    error if known else StoreError(f"it could not be done: {error}")
                )
                raise
            else:
                future.set_result(result)
                yield result
