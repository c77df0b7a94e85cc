"""Allow-lists as conditions on events: who is listed is filtered before a rule looks.

``where`` becomes ``where and not (listed)``; what can't be compared, such as a null, isn't listed.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from tailrace.config.allow import Allowed
from tailrace.config.suggestions import suggestion
from tailrace.expr.addresses import read_address, read_network
from tailrace.expr.nodes import Binary, Lookup, Node, Type, Unary
from tailrace.expr.render import rendered_name
from tailrace.expr.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailrace.config.allow import AllowedOrValues
    from tailrace.plan.problems import Path, Problems
    from tailrace.plan.references import References


def listed(
    allow: Mapping[str, AllowedOrValues],
    path: Path,
    columns: Mapping[str, Type],
    references: References,
    problems: Problems,
) -> tuple[Node, ...]:
    """A condition for each field of an allow-list that holds for those it lists; never null."""
    found: list[Node] = []
    for name, given in allow.items():
        place = (*path, name)
        if name not in columns:
            problems.add(place, f"there is no field '{name}'", suggestion(name, columns, "fields"))
        elif isinstance(given, Allowed):
            alias = references.by_field(given.reference, name, columns[name], place)
            if alias:
                found.append(Lookup(type=Type.BOOLEAN, reference=alias, column=None))
        else:
            node = values_listed(name, given, place, columns, problems)
            found += [node] if node is not None else []
    return tuple(found)


def values_listed(
    name: str, values: tuple[str, ...], place: Path, columns: Mapping[str, Type], problems: Problems
) -> Node | None:
    """A condition that holds where a field is one of the values, or an address of the networks."""
    return problems.parse(place, _text(name, columns[name], values), Scope(columns))


def without(where: Node | None, allowed: Sequence[Node]) -> Node | None:
    """The condition on events, for those alone that no list names."""
    for node in allowed:
        other = Unary(type=Type.BOOLEAN, op="not", operand=node)
        where = other if where is None else _both(where, other)
    return where


def _both(left: Node, right: Node) -> Node:
    return Binary(type=Type.BOOLEAN, op="and", left=left, right=right)


def _text(name: str, type_: Type, values: tuple[str, ...]) -> str:
    """An expression that holds for these values of a field; null becomes false."""
    field = rendered_name(name)
    networks: list[IPv4Network | IPv6Network] = []
    plain: list[str] = []
    for value in values:
        network = _network(value) if type_ is Type.TEXT else None
        if network is None:
            plain.append(value)
        else:
            networks.append(network)
    parts = [_contained(field, network) for network in networks]
    if plain:
        wanted = [_quoted(value) if type_ is Type.TEXT else value for value in plain]
        parts.append(f"{field} in ({', '.join(wanted)})")
    return " or ".join(f"coalesce({part}, false)" for part in parts)


def _contained(field: str, network: IPv4Network | IPv6Network) -> str:
    """An expression for addresses of a network, which looks closely at those alone that may be.

    To read an address costs several times what it takes to see that most are of another network.
    """
    octets = network.prefixlen // 8 if network.version == 4 else 0
    begin = "".join(f"{octet}." for octet in str(network.network_address).split(".")[:octets])
    if network.version == 4 and not octets:
        return f"cidr_contains({field}, {_quoted(str(network))})"
    possible = f"contains({field}, ':')"
    if network.version == 4:
        # One of 32 bits is the whole text, without a point behind it.
        begin = begin.removesuffix(".") if octets == 4 else begin
        possible = f"starts_with({field}, {_quoted(begin)}) or {possible}"
    return f"case when {possible} then cidr_contains({field}, {_quoted(str(network))}) end"


def _network(value: str) -> IPv4Network | IPv6Network | None:
    """The network that a value is, IPv4-mapped ones as IPv4; None if it is none.

    An address is a network of its own: it may be written in several ways.
    """
    address = read_address(value)
    return read_network(value if address is None else f"{address}/{address.max_prefixlen}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
