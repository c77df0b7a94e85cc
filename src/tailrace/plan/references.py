"""References as rules see them: columns with types, what a row is found by, who looks where.

Compiling the expressions that they are matched by is here; their contents are no part of a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tailrace.config.suggestions import suggestion
from tailrace.expr.lookups import lookups, outer_lookups
from tailrace.expr.nodes import Column, Type
from tailrace.expr.parse import parse
from tailrace.expr.parts import columns as columns_of
from tailrace.expr.problems import ExpressionError
from tailrace.expr.render import rendered_name
from tailrace.expr.scope import Referable, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailrace.config.references import Reference as ReferenceConfig
    from tailrace.expr.nodes import Node
    from tailrace.plan.model import Key, Measure
    from tailrace.plan.problems import Problems


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a reference's table as they are looked up, in order.

    ``key``: those that rows are found by; ``dated``: from when on a row is in force.
    """

    name: str
    columns: Mapping[str, Type]
    key: tuple[str, ...]
    dated: str | None
    single: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference as events are matched with it, a node for each column of the key.

    ``name`` is what lookups call it, ``table`` the reference of the file whose table it is;
    ``match`` None: no event is ever matched with it.
    """

    name: str
    table: str
    shape: Shape
    match: tuple[Node, ...] | None


@dataclass(frozen=True, slots=True)
class Join:
    """A reference as the windows of a rule are matched with it, by nodes over the rule's key.

    ``listed``: for each field of the rule's key the place among the columns of the reference's key
    that has its value, so that the reference lists keys of the rule; None if it doesn't.
    """

    reference: Reference
    match: tuple[Node, ...]
    listed: tuple[int, ...] | None


def shape_of(name: str, config: ReferenceConfig) -> Shape:
    """The columns that a reference has once it is loaded."""
    columns = {column: Type(kind) for column, kind in config.columns.items()}
    if config.pivot is not None:
        value = columns[config.pivot.value]
        kept = (config.pivot.name, config.pivot.value)
        columns = {column: kind for column, kind in columns.items() if column not in kept}
        columns |= dict.fromkeys(config.pivot.columns, value)
    return Shape(name, columns, config.key, config.valid_from, config.duplicates != "allow")


@dataclass
class References:
    """The references of a pipeline while it is compiled."""

    configs: Mapping[str, ReferenceConfig]
    problems: Problems
    matched: dict[str, Reference] = field(default_factory=dict)
    """Those that events are matched with, by the name that lookups have."""
    _derived: dict[str, frozenset[str]] = field(default_factory=dict)
    _shapes: dict[str, Shape] = field(default_factory=dict)
    _tables: dict[str, str] = field(default_factory=dict)
    _others: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know the shapes; nothing is matched yet."""
        self._shapes = {name: shape_of(name, config) for name, config in self.configs.items()}
        self._tables = {name: name for name in self.configs}

    @property
    def of_rows(self) -> Mapping[str, Referable]:
        """What may be looked up where one event is seen."""
        return {name: Referable(s.columns, s.single) for name, s in self._shapes.items()}

    def of_windows(self, keys: Mapping[str, Type], *, ordered: bool) -> Mapping[str, Referable]:
        """What may be looked up where a window of a rule with these key fields is seen.

        Not if the rule sees events in order: only aggregates of such a rule can look things up.
        """
        found = {}
        for name, shape in self._shapes.items():
            refusal = None if self._joined(name, keys) is not None else self._missing(name, keys)
            unmatched = refusal is not None and not ordered
            if ordered:
                refusal = f"a sliding window has no limits: '{name}' can't be looked up here"
            found[name] = Referable(shape.columns, shape.single, refusal, unmatched)
        return found

    def _missing(self, name: str, keys: Mapping[str, Type]) -> str:
        wanted = ", ".join(self._shapes[name].key)
        own = f"the rule's key has {', '.join(keys)}" if keys else "the rule has no key"
        return f"'{name}' is found by {wanted}, and {own}"

    def _text(self, name: str, column: str) -> str:
        return self.configs[name].match.get(column, rendered_name(column))

    def _joined(self, name: str, keys: Mapping[str, Type]) -> tuple[Node, ...] | None:
        """What a rule's key is matched by; None if it can't be."""
        shape = self._shapes[name]
        nodes = []
        for column in shape.key:
            try:
                node = parse(self._text(name, column), Scope(keys))
            except ExpressionError:
                return None
            if node.type is not shape.columns[column]:
                return None
            nodes.append(node)
        return tuple(nodes)

    def joins(self, nodes: Iterable[Node], keys: tuple[Key, ...]) -> tuple[Join, ...]:
        """How windows of a rule are matched with the references that conditions look up in."""
        types = {key.name: key.node.type for key in keys}
        found = []
        for name in dict.fromkeys(one.reference for node in nodes for one in lookups(node)):
            match = self._joined(name, types)
            assert match is not None, name  # noqa: S101 - the scope has refused it
            places = {n.name: place for place, n in enumerate(match) if isinstance(n, Column)}
            listed = tuple(places[key.name] for key in keys if key.name in places)
            whole = bool(keys) and len(listed) == len(keys)
            reference = Reference(name, name, self._shapes[name], None)
            found.append(Join(reference, match, listed if whole else None))
        return tuple(found)

    def match_rows(self, nodes: Iterable[Node | None], columns: Mapping[str, Type]) -> None:
        """Make known what events are matched by, for all lookups in nodes over events."""
        for node in nodes:
            for lookup in lookups(node) if node is not None else ():
                if lookup.reference in self._tables and lookup.reference not in self.matched:
                    self._match(lookup.reference, columns)

    def _match(self, name: str, columns: Mapping[str, Type]) -> None:
        shape, nodes = self._shapes[name], []
        for column in shape.key:
            given = column in self.configs[name].match
            path = ("references", name, "match", column) if given else ("references", name, "key")
            node = self.problems.parse(path, self._text(name, column), Scope(columns))
            if node is None:
                continue
            wanted = shape.columns[column]
            if node.type is not wanted and node.type is not Type.NULL:
                message = f"'{column}' is {wanted}, and is compared with {node.type}"
                self.problems.add(path, message, "declare the column with the type of the field")
                continue
            nodes.append(node)
        complete = len(nodes) == len(shape.key)
        self.matched[name] = Reference(name, name, shape, tuple(nodes) if complete else None)

    def by_field(self, name: str, field_: str, type_: Type, path: tuple[str | int, ...]) -> str:
        """The name by which lookups find rows of a reference by one field; "" if they can't."""
        shape = self._shapes.get(name)
        if shape is None:
            if name not in self.problems.doubtful:
                hint = suggestion(name, self.configs, "references")
                self.problems.add(path, f"there is no reference '{name}'", hint)
            return ""
        if len(shape.key) != 1 or shape.columns[shape.key[0]] is not type_:
            message = f"'{name}' must have one column as its key, of type {type_}"
            self.problems.add(path, message)
            return ""
        alias = f"{name} by {field_}"
        node = Column(type=type_, name=field_)
        self.matched[alias] = Reference(alias, name, replace(shape, name=alias), (node,))
        return alias

    # -- who uses what -----------------------------------------------------------------------------

    def derive(self, name: str, *nodes: Node) -> None:
        """Note that a field that is made of these expressions looks things up."""
        self._derived[name] = frozenset(self.used(nodes))

    def used(self, nodes: Iterable[Node | None]) -> tuple[str, ...]:
        """The references that expressions look up in, by themselves or through derived fields."""
        found: set[str] = set()
        for node in nodes:
            if node is not None:
                found |= {one.reference.partition(" by ")[0] for one in lookups(node)}
                for column in columns_of(node):
                    found |= self._derived.get(column, frozenset())
        return tuple(sorted(found))

    def meaning(self, names: Iterable[str]) -> str | None:
        """A text of all that says what lookups in these references mean; None without any."""
        told = []
        for name in names:
            config = self.configs[name]
            match = {column: self._text(name, column) for column in config.key}
            shape = self._shapes[name]
            told.append(repr((name, dict(shape.columns), match, shape.dated, shape.single)))
        return "\n".join(told) or None


def limits_shown(when: Node | None, taken: set[str]) -> tuple[tuple[str, Node], ...]:
    """What a condition on windows compares with, as values of its rows: ``limits_max``."""
    found: list[tuple[str, Node]] = []
    for lookup in outer_lookups(when) if when is not None else ():
        name = f"{lookup.reference}_{lookup.column}"
        if lookup.column is not None and name not in taken:
            found.append((name, lookup))
    return tuple(found)


def aggregated(measures: Iterable[Measure]) -> Iterable[Node | None]:
    """The nodes over events within aggregates."""
    for measure in measures:
        yield measure.aggregate.arg
        yield measure.aggregate.where
