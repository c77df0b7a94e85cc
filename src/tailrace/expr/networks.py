"""Scalar functions of IP addresses as SQL over text, without any extension of DuckDB.

The meaning is that of ``addresses``. IPv4, by far the most frequent, is told apart first and cut
out of its text; IPv6 is spelled out to eight numbers, masked and shortened again.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from tailrace.expr.addresses import SITE_BITS, read_network
from tailrace.expr.nodes import Call, Literal, Type
from tailrace.expr.signature import Function, Parameter, Variant, whole_number
from tailrace.expr.sqltext import bind, text_literal

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = "[0-9a-fA-F]{1,4}"
_GROUPS = f"{_GROUP}(?::{_GROUP})*"
_V6 = rf"(?:(?:{_GROUPS})?::)?(?:(?:{_GROUP}:)*(?:{_GROUP}|{_V4}))?"


def network_sql(address: str, v4_bits: int, v6_bits: int) -> str:
    """The network around an address in SQL; null for what is no address."""
    branches = [
        (f"regexp_full_match({{v}}, '{_V4}')", _v4_network("{v}", v4_bits)),
        *_plain_v6_network("{v}", v6_bits),
        (f"regexp_full_match({{v}}, '{_V6}')", _v6_network("{v}", v4_bits, v6_bits)),
    ]
    cases = " ".join(f"WHEN {condition} THEN {value}" for condition, value in branches)
    return bind(address, f"CASE {cases} END")


def _plain_v6_network(address: str, bits: int) -> list[tuple[str, str]]:
    """The branch for most addresses of clients: all groups there, none zero that stays."""
    groups, rest = divmod(bits, 16)
    if rest or not 1 <= groups <= 4:
        return []
    spelled = f"(?:[1-9a-f][0-9a-f]{{0,3}}:){{{groups}}}(?:{_GROUP}:){{{7 - groups}}}{_GROUP}"
    kept = f"regexp_extract({address}, '^(?:[0-9a-f]+:){{{groups}}}')"
    return [(f"regexp_full_match({address}, '{spelled}')", f"{kept} || ':/{bits}'")]


def _v4_network(address: str, bits: int) -> str:
    whole, rest = divmod(bits, 8)
    if whole == 4:
        return f"{address} || '/32'"
    begin = rf"^(?:[0-9]+\.){{{whole}}}"
    kept = f"regexp_extract({address}, '{begin}')" if whole else "''"
    octet = "'0'"
    if rest:
        number = f"try_cast(regexp_extract({address}, '{begin}([0-9]+)', 1) AS INTEGER)"
        octet = f"({number} & {256 - (256 >> rest)})::VARCHAR"
    return f"{kept} || {octet} || '{'.0' * (3 - whole)}/{bits}'"


def _v6_network(address: str, v4_bits: int, v6_bits: int) -> str:
    """Through ever plainer forms, each bound to a name of its own."""
    tail = f"regexp_extract({address}, '[0-9.]+$')"
    high, low = (_two_octets(tail, first) for first in (1, 3))
    all_hex = (
        f"CASE WHEN contains({address}, '.') "
        f"THEN regexp_extract({address}, '^.*:') || {high} || ':' || {low} ELSE {address} END"
    )
    # A `::` always stands for at least one group: with eight around it there are nine.
    present = "strlen(h) - strlen(replace(h, ':', '')) - {} - {}".format(
        "starts_with(h, '::')::INTEGER", "ends_with(h, '::')::INTEGER"
    )
    zeros = f"repeat('0:', greatest(8 - ({present}), 1))"
    spelled = f"lower(trim(replace(h, '::', ':' || {zeros}), ':'))"
    plain = rf"regexp_replace(':' || {spelled} || ':', ':0+([0-9a-f])', ':\1', 'g')"
    octets = " || '.' || ".join(
        _octet(word, half) for word in (6, 7) for half in ("// 256", "% 256")
    )
    mapped = _let("d", octets, _v4_network("d", v4_bits))
    network = f"{_shortened(v6_bits)} || '/{v6_bits}'"
    chosen = (
        f"CASE WHEN NOT regexp_full_match(w, ':(?:[0-9a-f]+:){{8}}') THEN NULL "
        f"WHEN starts_with(w, ':0:0:0:0:0:ffff:') THEN {mapped} ELSE {network} END"
    )
    return _let("h", all_hex, _let("w", plain, chosen))


def _let(name: str, value: str, body: str) -> str:
    return f"list_transform([{value}], lambda {name}: {body})[1]"


def _two_octets(tail: str, first: int) -> str:
    """Octets of dotted text as one group of hex digits."""
    high, low = (f"try_cast(string_split({tail}, '.')[{n}] AS INTEGER)" for n in (first, first + 1))
    return _hex(f"{high} * 256 + {low}")


def _hex(number: str) -> str:
    return f"printf('%x', {number})"


def _number(at: int) -> str:
    """Group number ``at`` (from 0) of the plain form ``w`` as an integer."""
    return (
        f"try_cast('0x' || regexp_extract(w, '^:(?:[0-9a-f]+:){{{at}}}([0-9a-f]+)', 1) AS INTEGER)"
    )


def _octet(at: int, half: str) -> str:
    return f"({_number(at)} {half})::VARCHAR"


def _shortened(bits: int) -> str:
    """The plain form ``w`` with the bits behind the first ``bits`` cleared, as RFC 5952 has it."""
    whole, rest = divmod(bits, 16)
    kept = f"regexp_extract(w, '^:((?:[0-9a-f]+:){{{whole}}})', 1)"
    if rest:
        kept += f" || {_hex(f'({_number(whole)} & {65536 - (65536 >> rest)})')} || ':'"
    cleared = 8 - whole - (1 if rest else 0)
    if cleared >= 4:
        # No run of zeros before can be as long as the one at the end.
        return f"regexp_replace({kept}, '(?:^|:)(?:0:)*$', '::')"
    return _let("z", f"':' || {kept} || '{'0:' * cleared}'", _let("r", _LONGEST_RUN, _TRIMMED))


def _longest_run() -> str:
    """The first of the longest runs of two zeros or more becomes ``::``."""
    runs = [":0" * length + ":" for length in range(8, 1, -1)]
    cases = " ".join(
        f"WHEN contains(z, '{run}') THEN regexp_replace(z, '{run}', '::')" for run in runs
    )
    return f"CASE {cases} ELSE z END"


_LONGEST_RUN = _longest_run()
_TRIMMED = r"regexp_replace(regexp_replace(r, '^:([^:])', '\1'), '([^:]):$', '\1')"


def _prefix(call: Call, args: Sequence[str]) -> str:
    bits = [arg.value for arg in call.args[1:] if isinstance(arg, Literal)]
    v4_bits, v6_bits = (*bits, SITE_BITS)[:2]
    return network_sql(args[0], int(v4_bits or 0), int(v6_bits or 0))


def _in_network(call: Call, args: Sequence[str]) -> str:
    literal = call.args[1]
    network = read_network(str(literal.value)) if isinstance(literal, Literal) else None
    if network is None:
        raise ValueError(f"{literal} is no network")
    bits = network.prefixlen
    widths = (bits, 0) if isinstance(network, IPv4Network) else (0, bits)
    return f"({network_sql(args[0], *widths)} = {text_literal(str(network))})"


def _a_network(literal: Literal) -> str | None:
    if read_network(str(literal.value)) is not None:
        return None
    return "a network such as '10.0.0.0/8', without bits set behind its width"


_ADDRESS = Parameter("ip", Type.TEXT)

FUNCTIONS = (
    Function(
        "ip_prefix",
        (
            Variant(
                (
                    _ADDRESS,
                    Parameter("bits", Type.INTEGER, check=whole_number(0, 32)),
                    Parameter("v6_bits", Type.INTEGER, optional=True, check=whole_number(0, 128)),
                ),
                Type.TEXT,
                _prefix,
                fails="ip is no IP address",
            ),
        ),
        "The network around an address: `bits` wide for IPv4, `v6_bits` "
        f"({SITE_BITS} if not given) for IPv6. An IPv4-mapped IPv6 address is its IPv4 address.",
        "ip_prefix('154.85.126.9', 24)",
        "'154.85.126.0/24'",
    ),
    Function(
        "cidr_contains",
        (
            Variant(
                (_ADDRESS, Parameter("network", Type.TEXT, check=_a_network)),
                Type.BOOLEAN,
                _in_network,
                fails="ip is no IP address",
            ),
        ),
        "Whether the address lies in the network.",
        "cidr_contains('10.1.2.3', '10.0.0.0/8')",
        "true",
    ),
)
