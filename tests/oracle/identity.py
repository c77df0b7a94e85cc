"""Hashes and ids over the canonical encoding of typed values."""

import hashlib
from functools import lru_cache

from tailrace.testing.outcome import Instant, Value


def encode(*values: Value) -> bytes:
    return b"".join(_one(value) for value in values)


def _one(value: Value) -> bytes:
    match value:
        case None:
            tag, body = b"n", b""
        case bool():
            tag, body = b"b", b"1" if value else b"0"
        case int():
            tag, body = b"i", str(value).encode()
        case float():
            tag, body = b"d", (0.0 if value == 0 else value).hex().encode()
        case str():
            tag, body = b"t", value.encode()
        case Instant(micros):
            tag, body = b"m", str(micros).encode()
    return tag + str(len(body)).encode() + b":" + body


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest(*values: Value) -> str:
    return _sha(encode(*values))[:32]


def bucket(key: tuple[Value, ...]) -> int:
    return _hash(key, tuple(map(type, key))) % 64


def salted(salt: str, key: tuple[Value, ...]) -> int:
    return _hash((salt, *key), (str, *map(type, key)))


@lru_cache(maxsize=10_000)
def _hash(values: tuple[Value, ...], _types: tuple[type, ...]) -> int:
    """The same keys are asked for again and again; ``_types``: 1 is 1.0 and True, too."""
    return int(_sha(encode(*values))[:16], 16)
