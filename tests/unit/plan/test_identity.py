from __future__ import annotations

from hashlib import sha256

import pytest

from tailrace.plan import identity
from tailrace.plan.identity import Key, Scalar, Time, digest, encode


@pytest.mark.parametrize(
    ("values", "encoded"),
    [
        ((), b""),
        (("",), b"t0:"),
        (("GET",), b"t3:GET"),
        (("é\0:",), b"t4:\xc3\xa9\x00:"),
        (("\udcff",), b"t1:\xff"),  # a path's byte that isn't UTF-8
        ((0, -7, 2**63 - 1), b"i1:0i2:-7i19:9223372036854775807"),
        ((True, False), b"b1:1b1:0"),
        ((Time(-1),), b"m2:-1"),
        ((0.1,), b"d20:0x1.999999999999ap-4"),
        ((-0.0,), b"d8:0x0.0p+0"),
        ((None, "n0:"), b"n0:t3:n0:"),
    ],
)
def test_encoding(values: tuple[Scalar, ...], encoded: bytes) -> None:
    assert encode(*values) == encoded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        ((1,), ("1",)),
        ((1,), (True,)),
        ((1,), (Time(1),)),
        ((1,), (1.0,)),
        ((None,), ("",)),
        ((None,), ()),
    ],
)
def test_different_tuples_have_different_ids(one: Key, other: Key) -> None:
    assert digest(*one) != digest(*other)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", 1j])
def test_what_is_no_typed_value_is_refused(value: Scalar) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(value)


def test_hashes_are_the_first_digits_of_sha256() -> None:
    full = sha256(b"t9:127.0.0.1i2:80").hexdigest()
    assert digest("127.0.0.1", 80) == full[:32]
    assert identity.bucket(("127.0.0.1", 80)) == int(full[:16], 16) % 64
    salted = sha256(b"t4:salt" + b"t9:127.0.0.1i2:80").hexdigest()
    assert identity.salted_hash("salt", ("127.0.0.1", 80)) == int(salted[:16], 16)


def test_ids_are_stable() -> None:
    """Ids of rows that users already hold: a change here breaks their upserts."""
    key: Key = ("10.0.0.1", None, 3)
    fingerprint = identity.incident_fingerprint("nginx", "rule", key, 0)
    assert {
        "row": identity.window_row_id("rule", key, 0, 20_000_000),
        "fingerprint": fingerprint,
        "revision": identity.revision_id(fingerprint, 1),
        "event": identity.event_id(identity.ARCHIVE, "access.log", 0, 81),
        "notice": identity.notice_id("rule", key, 0),
    } == {
        "row": sha256(b"t4:rulet8:10.0.0.1n0:i1:3m1:0m8:20000000").hexdigest()[:32],
        "fingerprint": sha256(b"t5:nginxt4:rulet8:10.0.0.1n0:i1:3m1:0").hexdigest()[:32],
        "revision": sha256(b"t32:%bi1:1" % fingerprint.encode()).hexdigest()[:32],
        "event": sha256(b"t7:archivet10:access.logi1:0i2:81").hexdigest()[:32],
        "notice": sha256(b"t6:noticet4:rulet8:10.0.0.1n0:i1:3m1:0").hexdigest()[:32],
    }
