"""Rows that look things up: what a name means that no field has; who is on an allow-list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from tests.oracle.evaluate import Result, evaluate, plain
from tests.oracle.functions import plain_network
from tests.oracle.references import Reference

from tailrace.config.allow import Allowed, AllowedOrValues
from tailrace.expr.aggregates import aggregates
from tailrace.expr.nodes import Column, Lookup, Node, Type
from tailrace.expr.parse import parse
from tailrace.expr.parts import children
from tailrace.expr.render import rendered_name
from tailrace.expr.scope import Referable, Scope

References = Mapping[str, Reference]
Allow = Mapping[str, AllowedOrValues]


def referable(references: References) -> dict[str, Referable]:
    """What expressions may look up."""
    found = {}
    for name, reference in references.items():
        config = reference.config
        columns = {column: Type(kind) for column, kind in config.columns.items()}
        if config.pivot is not None:
            columns |= dict.fromkeys(config.pivot.columns, columns[config.pivot.value])
        found[name] = Referable(columns)
    return found


@dataclass(frozen=True)
class Asked:
    """Who is matched with which references: an event's fields, or the key of a window."""

    references: References
    types: Mapping[str, Type]
    time: int


class Row(dict[str, Result]):
    """Fields by name; a lookup is answered when it is asked for."""

    def __init__(self, fields: Mapping[str, Result], asked: Asked) -> None:
        super().__init__(fields)
        self.asked = asked

    def __missing__(self, name: str) -> Result:
        owner, _, column = name.removeprefix("_lookup ").partition(".")
        table, by, field = owner.partition(" by ")
        reference = self.asked.references[table]
        nodes = {
            key: Column(type=self.asked.types[field], name=field)
            if by
            else parse(text_of(reference, key), Scope(self.asked.types))
            for key in reference.config.key
        }
        key = {name: plain(evaluate(node, self)) for name, node in nodes.items()}
        return reference.look_up(column or None, key, self.asked.time)


def text_of(reference: Reference, column: str) -> str:
    return reference.config.match.get(column, rendered_name(column))


def outside(nodes: Iterable[Node]) -> set[str]:
    """The references that are looked up in outside aggregates."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Lookup):
            found.add(node.reference)
        elif not (aggregates(node) and node in aggregates(node)):
            found |= outside(children(node))
    return found


def is_listed(lists: Iterable[Allow], row: Mapping[str, Result]) -> bool:
    return any(_lists(name, given, row) for allow in lists for name, given in allow.items())


def _lists(name: str, given: AllowedOrValues, row: Mapping[str, Result]) -> bool:
    if isinstance(given, Allowed):
        return row[f"_lookup {given.reference} by {name}"] is True
    value = plain(row[name])
    if not isinstance(value, str):
        return str(value) in given
    return any(value == each or _inside(value, each) for each in given)


def _inside(value: str, network: str) -> bool:
    try:
        address, around = ip_address(value), plain_network(network)
    except ValueError:
        return False
    # An IPv4 address written as IPv6 is the IPv4 address.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address) in around
