"""IP addresses: the SQL gives what Python's ipaddress gives, for good and bad addresses."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.expr.addresses import contains, network_of, read_network
from tailrace.expr.networks import network_sql
from tailrace.expr.nodes import Type
from tailrace.expr.parse import parse
from tailrace.expr.scope import Scope
from tailrace.expr.sql import to_sql

octets = st.one_of(
    st.integers(0, 255).map(str),
    st.sampled_from(["0", "255", "256", "01", "00", "1000", "", "a", "-1"]),
)
dotted = st.one_of(
    st.tuples(*[st.integers(0, 255).map(str)] * 4).map(".".join),
    st.lists(octets, min_size=3, max_size=5).map(".".join),
)
groups = st.one_of(
    st.sampled_from(["0", "0", "0", "1", "ffff", "FFFF", "00", "0db8", "2001"]),
    st.integers(0, 65535).map("{:x}".format),
    st.sampled_from(["12345", "g", ""]),
)


@st.composite
def colons(draw: st.DrawFn) -> str:
    words = draw(st.lists(groups, min_size=draw(st.sampled_from([0, 2, 6, 7, 8])), max_size=9))
    at = draw(st.none() | st.integers(0, len(words)))
    text = ":".join(words)
    if at is not None:
        skip = draw(st.integers(0, 3))
        text = ":".join(words[:at]) + "::" + ":".join(words[at + skip :])
    return text + draw(
        st.sampled_from(["", "", "", ":", ":1.2.3.4", "1.2.3.4", "%eth0", " ", "\n"])
    )


addresses = st.one_of(
    dotted,
    colons(),
    dotted.map("::ffff:{}".format),
    st.integers(0, 2**128 - 1).map(
        lambda number: ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(112, -16, -16))
    ),
    st.text("0123456789abcdef:. ", max_size=12),
)
EDGES = [
    *("::", "::1", "1::", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", ""),
    *("1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:8:9", "::ffff:0:0", "::FFFF:1.2.3.4"),
    *(
        "0:0:1:0:0:0:1:0",
        "0:0:1::1:0:0",
        "1.2.3.4\n",
        "1.2.3.4 ",
        "٣.1.1.1",
        "::1.2.3.4",
        "1.2.3.4:80",
    ),
]
WIDTHS = [(24, 64), (0, 0), (32, 128), (8, 48), (20, 57), (31, 127), (1, 1), (9, 17), (25, 80)]
NETWORKS = [
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "2001::/16",
    "::ffff:1.0.0.0/104",
    "::/96",
    "1.2.3.4/32",
]
SCOPE = Scope({"ip": Type.TEXT})


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    connected = duckdb.connect()
    connected.execute("CREATE TABLE addresses (ip VARCHAR)")
    return connected


def refill(duck: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    duck.execute("DELETE FROM addresses")
    duck.execute("INSERT INTO addresses SELECT unnest($1::VARCHAR[])", [texts])


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(addresses, min_size=1, max_size=40), widths=st.sampled_from(WIDTHS))
def test_networks(
    duck: duckdb.DuckDBPyConnection, drawn: list[str], widths: tuple[int, int]
) -> None:
    refill(duck, [*EDGES, *drawn])
    found = duck.sql(f"SELECT ip, {network_sql('ip', *widths)} FROM addresses").fetchall()
    assert found == [(text, network_of(text, *widths)) for text in [*EDGES, *drawn]]


@settings(max_examples=30, deadline=None)
@given(drawn=st.lists(addresses, min_size=1, max_size=40), network=st.sampled_from(NETWORKS))
def test_containment(duck: duckdb.DuckDBPyConnection, drawn: list[str], network: str) -> None:
    refill(duck, [*EDGES, *drawn])
    sql = to_sql(parse(f"cidr_contains(ip, '{network}')", SCOPE))
    found = duck.sql(f"SELECT ip, {sql} FROM addresses").fetchall()
    assert found == [(text, contains(text, network)) for text in [*EDGES, *drawn]]


@pytest.mark.parametrize(
    "text",
    [
        *("10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "a/8", "", "10.0.0.0/-1"),
        *("10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255", "fe80::%eth0/64"),
    ],
)
def test_no_network(text: str) -> None:
    assert read_network(text) is None
