"""References in Redis: hashes by key, the fields of one hash, the members of a set."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from tailrace.config.targets.redis import RedisOutput
from tailrace.errors import TableError
from tailrace.outputs.extras import extra
from tailrace.reference.raw import RawTable, from_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import redis

    from tailrace.config.reference_places import RedisTable

_Found = TypeVar("_Found")

SCANNED = 1000
"""So many keys are asked for at a time."""


def read_redis(place: RedisTable, columns: Sequence[str], most: int) -> RawTable:
    """The rows, one more than ``most`` if there are more."""
    extra("redis", "redis")
    from tailrace.outputs.redis.server import RedisServer

    options = RedisOutput(
        url=place.url, username=place.username, password=place.password, key="-", tls=place.tls
    )
    server = RedisServer(options, place.timeout / 1_000_000)
    try:
        with server.asked() as client:
            records: list[Mapping[str, object]] = []
            for record in _records(place, client, most):
                records.append(record)
                if len(records) > most:
                    break
    finally:
        server.close()
    return from_records(sorted(records, key=str), columns)


def _records(place: RedisTable, client: redis.Redis, most: int) -> Iterator[Mapping[str, object]]:
    if place.hash is not None:
        fields = client.hscan_iter(place.hash, count=SCANNED)
        for name, value in _once(fields, lambda pair: pair[0]):
            yield {"field": _text(name), "value": _text(value)}
    elif place.set is not None:
        for member in _once(client.sscan_iter(place.set, count=SCANNED), lambda one: one):
            yield {"value": _text(member)}
    else:
        yield from _hashes(str(place.keys), client, most)


def _once(found: Iterable[_Found], name: Callable[[_Found], object]) -> Iterator[_Found]:
    """Each once: what is scanned may come several times while there are changes."""
    seen: set[object] = set()
    for one in found:
        if name(one) not in seen:
            seen.add(name(one))
            yield one


def _hashes(pattern: str, client: redis.Redis, most: int) -> Iterator[Mapping[str, object]]:
    before, _, behind = pattern.partition("*")
    scanned = client.scan_iter(match=pattern, count=SCANNED, _type="hash")
    keys = sorted(islice(_once(scanned, lambda key: key), most + 1))
    if len(keys) > most:
        # Some may be gone by the time that they are read, and others would be lacking unseen.
        raise TableError(f"more keys match than max_rows ({most})", hint="raise max_rows")
    for start in range(0, len(keys), SCANNED):
        some = keys[start : start + SCANNED]
        pipe = client.pipeline(transaction=False)
        for key in some:
            pipe.hgetall(key)
        for key, fields in zip(some, pipe.execute(), strict=True):
            name = _text(key)
            # One that went meanwhile has no fields.
            if fields:
                own = {_text(field): _text(value) for field, value in fields.items()}
                yield {"key": name[len(before) : len(name) - len(behind)], **own}


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
