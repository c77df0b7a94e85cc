"""One connection: requests read strictly and by the clock, each answered once it is known how.

A sender's slowness costs a connection for ``timeout`` at most, its size ``max_body_bytes``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from tailrace.sources.http.inbox import KeyClashError, Outcome

if TYPE_CHECKING:
    from tailrace.config.http_source import HttpSource
    from tailrace.sources.http.inbox import Body, Inbox

READ_BYTES = 1 << 16
HEADER_BYTES = 1 << 14
RETRY_SECONDS = 5
GZIP_BYTES = 1 << 13
DRAIN_BYTES = 1 << 20
"""Of a body that is refused so much is read and thrown away, so that the answer is seen."""

REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %d\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n" % RETRY_SECONDS
)
"""For those for whom there is no connection left."""


@dataclass(eq=False)
class Answer(Exception):  # noqa: N818 - an answer is no error
    """What is said to a request; raised where it is known early."""

    status: int
    said: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


def _wrong(status: int, error: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": error}, named)


def _later(status: int, error: str) -> Answer:
    return _wrong(status, error, Retry_After=str(RETRY_SECONDS))


class Connection:
    """Reads requests and answers them, one after another."""

    def __init__(
        self,
        config: HttpSource,
        inbox: Inbox,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Read nothing yet."""
        self._config = config
        self._inbox = inbox
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_BYTES)
        self._seconds = config.timeout / 1_000_000
        self._reserved = 0
        self.busy = False
        """Whether there is a request to answer."""
        self.closing = False
        """Whether it is to end with the next answer."""

    async def serve(self) -> None:
        """Until the sender leaves, is too slow, or does something wrong."""
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    request = await self._next()
            except (TimeoutError, h11.RemoteProtocolError) as error:
                await self._complain(error)
                return
            if not isinstance(request, h11.Request):
                return
            self.busy = True
            try:
                answer = await self._answer(request)
            except Answer as known:
                answer = known
            except h11.RemoteProtocolError as error:
                await self._complain(error)
                return
            finally:
                self._release()
            await self._send(answer)
            http = self._http
            if self.closing or http.our_state is not h11.DONE or http.their_state is not h11.DONE:
                await self._part()
                return
            self._http.start_next_cycle()
            self.busy = False

    async def _next(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self._http.receive_data(await self._reader.read(READ_BYTES))

    async def _answer(self, request: h11.Request) -> Answer:
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        self._admit(request, headers)
        try:
            async with asyncio.timeout(self._seconds):
                data = await self._body()
        except TimeoutError:
            raise _wrong(408, f"the body did not come within {self._seconds:g} s") from None
        if headers.get("content-encoding", "identity").lower() == "gzip":
            data = await self._unpacked(data)
        if data and not data.endswith(b"\n"):
            data += b"\n"
            self._reserve(1)
        if not data:
            return Answer(200, {"lines": 0})
        return await self._committed(data, headers.get("idempotency-key"))

    def _admit(self, request: h11.Request, headers: Mapping[str, str]) -> None:
        """Refuse what can be refused before the body is read."""
        config = self._config
        path = request.target.decode("latin-1").partition("?")[0]
        if path != config.path:
            raise _wrong(404, f"events are sent to {config.path}")
        if config.token is None:
            # A page of a browser could send here without its user's knowing.
            if "origin" in headers:
                raise _wrong(403, "browsers may not send here without a token")
        else:
            given = headers.get("authorization", "").encode("latin-1")
            if not hmac.compare_digest(given, f"Bearer {config.token}".encode()):
                raise _wrong(401, "a token is needed", WWW_Authenticate="Bearer")
        if request.method != b"POST":
            raise _wrong(405, "events are sent by POST", Allow="POST")
        if headers.get("content-encoding", "identity").lower() not in ("identity", "gzip"):
            raise _wrong(415, "bodies are plain or gzip", Accept_Encoding="gzip")
        if int(headers.get("content-length", "0")) > config.max_body_bytes:
            raise self._too_long()
        key = headers.get("idempotency-key")
        if key is not None and re.fullmatch(r"[\x20-\x7e]{1,255}", key) is None:
            raise _wrong(400, "Idempotency-Key has 1 to 255 printable ASCII characters")

    async def _body(self) -> bytes:
        data = bytearray()
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[]))
        while True:
            event = await self._next()
            if isinstance(event, h11.EndOfMessage):
                return bytes(data)
            if not isinstance(event, h11.Data):
                raise ConnectionResetError
            if len(data) + len(event.data) > self._config.max_body_bytes:
                raise self._too_long()
            self._reserve(len(event.data))
            data += event.data

    async def _unpacked(self, data: bytes) -> bytes:
        most = self._config.max_body_bytes
        try:
            unpacked = await asyncio.to_thread(_gunzip, data, most)
        except (zlib.error, EOFError):
            raise _wrong(400, "the body is not gzip") from None
        if len(unpacked) > most:
            raise self._too_long()
        self._reserve(len(unpacked))
        self._release(len(data))
        return unpacked

    async def _committed(self, data: bytes, key: str | None) -> Answer:
        self._reserved -= len(data)
        try:
            body = self._inbox.put(data, key)
        except KeyClashError:
            raise _wrong(422, "this Idempotency-Key came with another body") from None
        outcome = await self._outcome(body)
        match outcome:
            case Outcome.COMMITTED:
                return Answer(200, {"lines": data.count(b"\n")})
            case Outcome.DROPPED:
                raise _later(503, "not taken: too much is waiting, or this is about to stop")
            case _:
                raise _later(504, "not known yet: send it again with the same Idempotency-Key")

    async def _outcome(self, body: Body) -> Outcome:
        done = asyncio.wrap_future(body.done)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(done)
        except TimeoutError:
            return Outcome.DROPPED if self._inbox.withdraw(body) else Outcome.UNKNOWN

    def _reserve(self, size: int) -> None:
        if not self._inbox.reserve(size):
            raise _later(503, "too much is waiting")
        self._reserved += size

    def _release(self, size: int | None = None) -> None:
        size = self._reserved if size is None else size
        self._inbox.give_back(size)
        self._reserved -= size

    def _too_long(self) -> Answer:
        return _wrong(413, f"a body has {self._config.max_body_bytes} bytes at most")

    async def _complain(self, error: Exception) -> None:
        """Answer what is no request, if that can be; silence to who sent nothing at all."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        if isinstance(error, h11.RemoteProtocolError):
            status = error.error_status_hint
            await self._send(_wrong(status, HTTPStatus(status).phrase.lower()))
        elif self._http.trailing_data[0]:
            await self._send(_wrong(408, "the request did not come in time"))
        await self._part()

    async def _send(self, answer: Answer) -> None:
        body = json.dumps(answer.said).encode() + b"\n"
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if self._http.their_state not in (h11.DONE, h11.MUST_CLOSE):
            headers["Connection"] = "close"
        self._write(
            h11.Response(
                status_code=answer.status,
                headers=list((headers | dict(answer.headers)).items()),
                reason=HTTPStatus(answer.status).phrase.encode(),
            )
        )
        self._write(h11.Data(data=body))
        self._write(h11.EndOfMessage())
        async with asyncio.timeout(self._seconds):
            await self._writer.drain()

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)

    async def _part(self) -> None:
        await part(self._reader, self._writer)


async def part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a little of what still comes, so that the answer isn't lost with the connection."""
    with contextlib.suppress(OSError, NotImplementedError):
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(1):
            left = DRAIN_BYTES
            while left > 0 and (data := await reader.read(READ_BYTES)):
                left -= len(data)


def _gunzip(data: bytes, most: int) -> bytes:
    """Decompress, a byte more than ``most`` at most; EOFError for a stream that breaks off."""
    parts = []
    size = 0
    stream = None
    # What follows a member is copied: of many small ones only little each time.
    for start in range(0, len(data), GZIP_BYTES):
        piece = data[start : start + GZIP_BYTES]
        while piece:
            stream = stream or zlib.decompressobj(wbits=31)
            part = stream.decompress(piece, most + 1 - size)
            parts.append(part)
            size += len(part)
            if size > most:
                return b"".join(parts)
            piece = stream.unused_data
            stream = None if stream.eof else stream
    if stream is not None:
        raise EOFError
    return b"".join(parts)
