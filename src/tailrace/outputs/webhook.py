"""Rows to any service by POST: at least once, with ids by which it tells repetitions."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tailrace.outputs.batches import Content
from tailrace.outputs.extras import extra
from tailrace.outputs.output import Receipt, Refused, State
from tailrace.outputs.texts import as_json

if TYPE_CHECKING:
    from tailrace.config.outputs import Output as OutputConfig
    from tailrace.config.targets.http import WebhookOutput
    from tailrace.outputs.batches import OutboxBatch
    from tailrace.outputs.calling import Service
    from tailrace.outputs.making import OutputContext
    from tailrace.outputs.output import Output

_TYPES = {"array": "application/json", "ndjson": "application/x-ndjson"}


def make(name: str, config: OutputConfig, context: OutputContext) -> Output:
    """The output called ``name``, not yet open; OutputError if the library is missing."""
    del name, context
    extra("http", "urllib3")
    from tailrace.outputs.calling import Service

    options = config.webhook
    assert options is not None  # noqa: S101 - that is why it is made here
    return Webhook(options, Service(options.url, options))


class Webhook:
    """Rows as requests, in order. State: the number of the last batch, for people.

    What of a batch was taken is remembered until it is confirmed: a batch that comes again because
    the service was down goes on there. A process that is killed begins the batch again.
    """

    remote = True

    def __init__(self, options: WebhookOutput, service: Service) -> None:
        """Call nothing yet."""
        self._options = options
        self._service = service
        self._done: tuple[int, int, list[Refused]] = (-1, 0, [])
        """Of the batch under way: its number, its rows done, those refused of them."""

    def open(self, saved: State | None) -> State:
        """See ``Output.open``: any answer will do."""
        self._service.greet("OPTIONS")
        return {"seq": -1} if saved is None else saved

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``."""
        if self._done[0] != batch.seq:
            self._done = (batch.seq, 0, [])
        _, first, refused = self._done
        ids = batch.ids
        bodies = batch.texts("body") or _with_ids(batch)
        size = self._options.batch
        for start in range(first, len(ids), size):
            refused += self._send(start, bodies[start : start + size], ids[start : start + size])
            self._done = (batch.seq, start + size, refused)
        return Receipt({"seq": batch.seq}, tuple(refused))

    def close(self) -> None:
        """See ``Output.close``."""
        self._service.close()

    def _send(self, first: int, bodies: list[str], ids: list[str]) -> list[Refused]:
        """Send rows in one request; if it is refused, halves of them, to find who is to blame."""
        answer = self._service.post(self._body(bodies), self._headers(ids))
        if answer.taken:
            return []
        if len(ids) == 1:
            return [Refused(first, str(answer))]
        half = len(ids) // 2
        return [
            *self._send(first, bodies[:half], ids[:half]),
            *self._send(first + half, bodies[half:], ids[half:]),
        ]

    def _body(self, bodies: list[str]) -> bytes:
        if self._options.batch == 1:
            text = bodies[0]
        elif self._options.format == "array":
            text = "[" + ",".join(bodies) + "]"
        else:
            text = "".join(f"{body}\n" for body in bodies)
        return text.encode()

    def _headers(self, ids: list[str]) -> dict[str, str]:
        own = {name.lower() for name in self._options.headers}
        headers = {}
        if "content-type" not in own:
            plain = isinstance(self._options.body, str)
            kind = "text/plain; charset=utf-8" if plain else _TYPES[self._options.format]
            headers["Content-Type"] = kind
        if len(ids) == 1:
            return headers | {"Idempotency-Key": ids[0], "X-Tailrace-Id": ids[0]}
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
        return headers | {"Idempotency-Key": f"batch-{digest}"}


def _with_ids(batch: OutboxBatch) -> list[str]:
    """The rows' JSON; those that have no id of their own get it."""
    rows = batch.json
    if batch.content not in (Content.WINDOWS, Content.ARCHIVE):
        return rows
    name = "_id" if rows and "id" in json.loads(rows[0]) else "id"
    return [
        f'{{"{name}":{as_json(row_id)}{"," if len(row) > 2 else ""}{row[1:]}'
        for row, row_id in zip(rows, batch.ids, strict=True)
    ]
