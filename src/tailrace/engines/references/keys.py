"""References in Redis: hashes by key, the fields of one hash, the members of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.config.targets.redis import RedisOutput
from tailrace.outputs.extras import extra
from tailrace.reference.raw import RawTable, from_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import redis

    from tailrace.config.reference_places import RedisTable

SCANNED = 1000
"""So many keys are asked for at a time."""


def read_redis(place: RedisTable, columns: Sequence[str], most: int) -> RawTable:
    """The rows, one more than ``most`` if there are more."""
    extra("redis", "redis")
    from tailrace.outputs.redis.server import RedisServer

    options = RedisOutput(
        url=place.url, username=place.username, password=place.password, key="-", tls=place.tls
    )
    server = RedisServer(options)
    try:
        with server.asked() as client:
            records: list[Mapping[str, object]] = []
            for record in _records(place, client):
                records.append(record)
                if len(records) > most:
                    break
    finally:
        server.close()
    return from_records(sorted(records, key=str), columns)


def _records(place: RedisTable, client: redis.Redis) -> Iterator[Mapping[str, object]]:
    if place.hash is not None:
        for name, value in client.hgetall(place.hash).items():
            yield {"field": _text(name), "value": _text(value)}
    elif place.set is not None:
        for member in client.smembers(place.set):
            yield {"value": _text(member)}
    else:
        yield from _hashes(str(place.keys), client)


def _hashes(pattern: str, client: redis.Redis) -> Iterator[Mapping[str, object]]:
    before, _, behind = pattern.partition("*")
    # A key may come several times while others change.
    keys = sorted(set(client.scan_iter(match=pattern, count=SCANNED, _type="hash")))
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
