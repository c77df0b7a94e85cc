"""IP addresses and networks in Python: what the functions of addresses mean.

An address is dotted IPv4 without leading zeros, or IPv6 without a zone; an IPv4-mapped IPv6 address
(``::ffff:192.0.2.1``) is its IPv4 address. Networks are written as in RFC 5952.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

SITE_BITS = 64
"""The width of IPv6 networks for `ip_prefix` without a third argument."""


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text says; None if it says none."""
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def network_of(text: str, v4_bits: int, v6_bits: int = SITE_BITS) -> str | None:
    """The network around an address, so many bits wide; None for what is no address."""
    address = read_address(text)
    if address is None:
        return None
    bits = v4_bits if isinstance(address, IPv4Address) else v6_bits
    rest = address.max_prefixlen - bits
    return f"{type(address)(int(address) >> rest << rest)}/{bits}"


def read_network(text: str) -> IPv4Network | IPv6Network | None:
    """The network that ``address/bits`` says, an IPv4-mapped one as IPv4; None if it says none.

    Netmasks in the place of bits, and zones, are none.
    """
    _, _, bits = text.partition("/")
    if "%" in text or not (bits.isascii() and bits.isdecimal()):
        return None
    try:
        network = ip_network(text)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        return IPv4Network((int(mapped), network.prefixlen - 96)) if mapped else network
    return network


def contains(text: str, network: str) -> bool | None:
    """Whether an address lies in a network; None for what is no address."""
    address, around = read_address(text), read_network(network)
    return None if address is None or around is None else address in around
