"""Identities: the canonical encoding of typed values, and every hash and id made from it.

The encoding is part of what users rely on (ids of delivered rows, which keys a bound keeps) and
stays the same from version to version. A value is written as its tag, the decimal number of bytes
that follow, a colon, and those bytes; a tuple is its values one after another:

=====  =======  =========================================================
tag    type     bytes
=====  =======  =========================================================
``t``  text     UTF-8
``i``  integer  decimal digits, ``-`` before them if negative
``b``  boolean  ``1`` or ``0``
``m``  time     microseconds since the epoch, as an integer is written
``d``  double   ``float.hex()``; -0.0 is written as 0.0
``n``  null     none
=====  =======  =========================================================

Here are single values; ``tailrace.kernel.hashing`` does the same for Arrow columns.
"""

from __future__ import annotations

import math
from hashlib import sha256

BUCKETS = 64
"""Number of hash buckets that keys fall into, in every engine."""

DIGEST_LENGTH = 32
"""Hex digits of an id."""

ARCHIVE = "archive"
"""Stands for the rule in the ids of archived events."""


class Time(int):
    """An instant: microseconds since the epoch, UTC; not an integer of the language."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Time({int(self)})"


Scalar = str | int | float | bool | Time | None
"""A typed value: text, integer, double, boolean, time or null."""

Key = tuple[Scalar, ...]
"""The values of a rule's ``by`` fields, in its order; empty for a rule without keys."""


def encode(*values: Scalar) -> bytes:
    """Canonical encoding of a tuple of typed values; TypeError or ValueError for anything else."""
    return b"".join([_encode_one(value) for value in values])


def _encode_one(value: Scalar) -> bytes:
    if value is None:
        return b"n0:"
    if isinstance(value, str):
        # A path that isn't UTF-8 keeps its own bytes, as Python hands them over.
        body = value.encode("utf-8", "surrogateescape")
        return b"t%d:%b" % (len(body), body)
    if isinstance(value, bool):
        return b"b1:1" if value else b"b1:0"
    if isinstance(value, Time):
        body = b"%d" % value
        return b"m%d:%b" % (len(body), body)
    if isinstance(value, int):
        body = b"%d" % value
        return b"i%d:%b" % (len(body), body)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a value of the type double")
        body = (value + 0.0).hex().encode("ascii")
        return b"d%d:%b" % (len(body), body)
    raise TypeError(f"{value!r} is not a typed value")


def digest(*values: Scalar) -> str:
    """The id of a tuple: the first 32 hex digits of the SHA-256 of its encoding."""
    return sha256(encode(*values)).hexdigest()[:DIGEST_LENGTH]


def hash64(encoded: bytes) -> int:
    """The first 64 bits of the SHA-256 of an encoding, as an unsigned integer."""
    return int.from_bytes(sha256(encoded).digest()[:8], "big")


def bucket(key: Key) -> int:
    """The hash bucket of a key, 0 to 63."""
    return hash64(encode(*key)) % BUCKETS


def salted_hash(salt: str, key: Key) -> int:
    """The unsigned 64-bit hash by which bounds choose keys (SEMANTICS 12)."""
    return hash64(encode(salt, *key))


def window_row_id(rule: str, key: Key, start: int, end: int) -> str:
    """Id of the row of one rule, key and window; ``rule`` is the rule's identity."""
    return digest(rule, *key, Time(start), Time(end))


def incident_fingerprint(pipeline: str, rule: str, key: Key, first_start: int) -> str:
    """Fingerprint of the incident whose first window starts at ``first_start``."""
    return digest(pipeline, rule, *key, Time(first_start))


def revision_id(fingerprint: str, revision: int) -> str:
    """Id of one revision of an incident."""
    return digest(fingerprint, revision)


def event_id(rule: str, partition: str, generation: int, position: int) -> str:
    """Id of an event's row; ``rule`` is the rule's identity, or ``ARCHIVE``."""
    return digest(rule, partition, generation, position)


def notice_id(rule: str, key: Key, start: int) -> str:
    """Id of the early notice for the window that starts at ``start``."""
    return digest("notice", rule, *key, Time(start))
