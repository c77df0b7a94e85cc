"""Values of allow-lists that are meant as networks and are none: they would allow nobody."""

from __future__ import annotations

import pytest
from tests.unit.config.pipelines import pipeline, read, told

NO = "is not a network: an address, '/' and a number of bits"
WRONG = [
    ("10.0.0.1/8", "'10.0.0.1/8' has bits set behind its width | the network is 10.0.0.0/8"),
    (
        "2001:db8::1/32",
        "'2001:db8::1/32' has bits set behind its width | the network is 2001:db8::/32",
    ),
    (
        "::ffff:10.1.0.0/104",
        "'::ffff:10.1.0.0/104' has bits set behind its width | the network is ::ffff:a00:0/104",
    ),
    ("10.0.0.0/8 ", f"'10.0.0.0/8 ' {NO} | write 10.0.0.0/8"),
    ("10.0.0.0/33", f"'10.0.0.0/33' {NO} | write 10.0.0.0/8, for example"),
    ("10.0/16", f"'10.0/16' {NO} | write 10.0.0.0/8, for example"),
    (
        "10.0.0.0/255.0.0.0",
        f"'10.0.0.0/255.0.0.0' {NO} | write 10.0.0.0/8",
    ),
    (
        "10.0.0.0/0.255.255.255",
        f"'10.0.0.0/0.255.255.255' {NO} | write 10.0.0.0/8",
    ),
    (
        "fe80::1%eth0",
        "'fe80::1%eth0' has a zone, which is of one machine alone | write fe80::1",
    ),
    (
        "fe80::%eth0/64",
        "'fe80::%eth0/64' has a zone, which is of one machine alone | write fe80::/64",
    ),
]


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_what_is_no_network(value: str, message: str) -> None:
    one = pipeline(x=f"allow: {{client_ip: {value!r}}}")
    assert [text.partition(" ")[2] for text in told(one)] == [f"allow.client_ip: {message}"]
    several = pipeline(x=f"allow:\n  client_ip:\n    - 10.0.0.0/8\n    - {value!r}\n")
    [text] = told(several)
    assert text.partition(" ")[2] == f"allow.client_ip.1: {message}"


def test_of_a_rule() -> None:
    rule = "{alert: a, window: 1m, when: count(*) > 1, allow: {client_ip: [10.0.0.1/8]}}"
    [text] = told(pipeline(rules=f"rules: [{rule}]"))
    assert "the network is 10.0.0.0/8" in text


@pytest.mark.parametrize(
    "value",
    [
        *(
            "10.0.0.0/8",
            "10.0.0.1",
            "10.0.0.1/32",
            "::/0",
            "12:30:00%",
            "2001:db8::/32",
            "::ffff:10.0.0.0/104",
        ),
        *(
            "/health",
            "GET /x",
            "text/html",
            "a:b/c",
            "1.1/beta",
            "12:30",
            "1/2",
            "50%",
            "host/10.0.0.1/8",
        ),
    ],
)
def test_networks_and_other_texts(value: str) -> None:
    loaded = read(pipeline(x=f"allow: {{client_ip: ['{value}']}}"))
    assert loaded.config.allow == {"client_ip": (value,)}
