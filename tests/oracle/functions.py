"""Scalar functions, from docs/expressions.md."""

import ipaddress
import math
import re
from collections.abc import Callable, Sequence

from tests.oracle.evaluate import FAILED, Result, absent, compared, missing, number_fits, order_of

from tailrace.testing.outcome import Instant

DAY, HOUR, MINUTE = 86_400_000_000, 3_600_000_000, 60_000_000
BLANKS = " \t\n\r\f\v"


def call(name: str, args: Sequence[Result]) -> Result:
    if name in CHOOSING:
        return CHOOSING[name](args)
    if any(absent(arg) for arg in args):
        return missing(*args)
    return STRICT[name](*args)


def _coalesce(args: Sequence[Result]) -> Result:
    return next((arg for arg in args if not absent(arg)), missing(*args))


def _least(args: Sequence[Result]) -> Result:
    there = [arg for arg in args if not absent(arg)]
    return min(there, key=order_of) if there else missing(*args)


def _greatest(args: Sequence[Result]) -> Result:
    there = [arg for arg in args if not absent(arg)]
    return max(there, key=order_of) if there else missing(*args)


def _nullif(args: Sequence[Result]) -> Result:
    value, other = args
    if absent(value):
        return value
    return None if not absent(other) and compared("=", value, other) else value


CHOOSING: dict[str, Callable[[Sequence[Result]], Result]] = {
    "coalesce": _coalesce,
    "least": _least,
    "greatest": _greatest,
    "nullif": _nullif,
}


def _abs(value: Result) -> Result:
    assert isinstance(value, int | float)
    return abs(value) if isinstance(value, float) or number_fits(abs(value)) else FAILED


def half_away(value: float) -> float:
    """To the nearest whole number, halves away from zero, exactly."""
    whole = math.floor(abs(value))
    if abs(value) - whole >= 0.5:
        whole += 1
    return math.copysign(float(whole), value) + 0.0


def _round(value: Result, digits: Result = None) -> Result:
    if isinstance(value, int):
        return value
    assert isinstance(value, float)
    if digits is None:
        return half_away(value)
    assert isinstance(digits, int)
    scaled = value * float(f"1e{digits}")
    return half_away(scaled) / float(f"1e{digits}") if math.isfinite(scaled) else FAILED


def _floor(value: Result) -> Result:
    assert isinstance(value, int | float)
    return float(math.floor(value)) if isinstance(value, float) else value


def _ceil(value: Result) -> Result:
    assert isinstance(value, int | float)
    return float(math.ceil(value)) + 0.0 if isinstance(value, float) else value


def _sqrt(value: Result) -> Result:
    assert isinstance(value, int | float)
    return math.sqrt(value) if value >= 0 else FAILED


def _text(value: Result) -> str:
    assert isinstance(value, str)
    return value


def _ascii(text: str, first: str, shift: int) -> str:
    last = chr(ord(first) + 25)
    return "".join(chr(ord(c) + shift) if first <= c <= last else c for c in text)


def _substr(value: Result, start: Result, length: Result = None) -> Result:
    assert isinstance(start, int)
    rest = _text(value)[start - 1 :]
    return rest[:length] if isinstance(length, int) else rest


def _split_part(value: Result, separator: Result, n: Result) -> Result:
    parts = _text(value).split(_text(separator))
    assert isinstance(n, int)
    at = n - 1 if n > 0 else len(parts) + n
    return parts[at] if 0 <= at < len(parts) else ""


def _micros(value: Result) -> int:
    assert isinstance(value, Instant)
    return value.micros


def _address(value: Result) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(_text(value))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _ip_prefix(value: Result, bits: Result, v6_bits: Result = 64) -> Result:
    address = _address(value)
    if address is None:
        return FAILED
    width = bits if address.version == 4 else v6_bits
    return str(ipaddress.ip_network(f"{address}/{width}", strict=False))


def _cidr_contains(value: Result, network: Result) -> Result:
    address = _address(value)
    return FAILED if address is None else address in plain_network(_text(network))


def plain_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A network; one of IPv4 addresses written as IPv6 is that of the IPv4 addresses."""
    network = ipaddress.ip_network(text)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        last = int(network.network_address) & 0xFFFF_FFFF
        return ipaddress.ip_network((last, network.prefixlen - 96))
    return network


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def _hex_address(value: Result, number: Result) -> Result:
    assert isinstance(number, int)
    octets = re.findall(r"(.{5})", _text(value), re.DOTALL)[4 * number - 4 : 4 * number]
    if len(octets) < 4 or not all(re.fullmatch(r"\\0x[0-9A-Fa-f]{2}", each) for each in octets):
        return FAILED
    return ".".join(str(int(each[3:], 16)) for each in octets)


STRICT: dict[str, Callable[..., Result]] = {
    "abs": _abs,
    "round": _round,
    "floor": _floor,
    "ceil": _ceil,
    "sqrt": _sqrt,
    "lower": lambda x: _ascii(_text(x), "A", 32),
    "upper": lambda x: _ascii(_text(x), "a", -32),
    "length": lambda x: len(_text(x)),
    "trim": lambda x: _text(x).strip(BLANKS),
    "substr": _substr,
    "split_part": _split_part,
    "starts_with": lambda x, y: _text(x).startswith(_text(y)),
    "ends_with": lambda x, y: _text(x).endswith(_text(y)),
    "contains": lambda x, y: _text(y) in _text(x),
    "replace": lambda x, a, b: _text(x).replace(_text(a), _text(b)),
    "regexp_matches": lambda x, p: re.search(_text(p), _text(x)) is not None,
    "ip_prefix": _ip_prefix,
    "cidr_contains": _cidr_contains,
    "hex_address": _hex_address,
    "epoch": lambda t: float(_micros(t)) / 1e6,
    "hour": lambda t: _micros(t) % DAY // HOUR,
    "minute": lambda t: _micros(t) % HOUR // MINUTE,
    "day_of_week": lambda t: (_micros(t) // DAY + 3) % 7 + 1,
}
