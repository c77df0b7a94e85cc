"""``users.device`` and ``known(users)``: what expressions look up in references, typed."""

from __future__ import annotations

from tailrace.expr.nodes import Aggregate, Lookup, Node, Span, Type
from tailrace.expr.parts import children, walk
from tailrace.expr.problems import Kind, did_you_mean, refused
from tailrace.expr.scope import Referable, Scope
from tailrace.expr.syntax import Invocation, Member, Name

KNOWN = "known"
"""The function that asks whether a row matches."""

USAGE = (
    ("r.x", "as x", "The value of column x in the row of the reference r that matches; else null."),
    ("known(r)", "boolean", "Whether a row of the reference r matches; never null."),
)
"""Each form with its result and meaning, for the docs."""


def lookups(node: Node) -> tuple[Lookup, ...]:
    """The distinct lookups of an expression, in the order in which they are written."""
    return tuple(dict.fromkeys(part for part in walk(node) if isinstance(part, Lookup)))


def outer_lookups(node: Node) -> tuple[Lookup, ...]:
    """Those that stand outside aggregates: they are of a window, not of an event."""
    if isinstance(node, Lookup):
        return (node,)
    if isinstance(node, Aggregate):
        return ()
    return tuple(dict.fromkeys(one for part in children(node) for one in outer_lookups(part)))


def member(scope: Scope, tree: Member, *, sees_window: bool) -> Lookup:
    """A column of a reference; raises Refused for names that aren't there."""
    found = _reference(scope, tree.owner.name, tree.owner.span, sees_window=sees_window)
    kind = found.columns.get(tree.name)
    if kind is None:
        guess = did_you_mean(tree.name, found.columns)
        listed = f"columns: {', '.join(found.columns)}"
        message = f"the reference '{tree.owner.name}' has no column '{tree.name}'"
        raise refused(message, tree.span, f"{guess} ({listed})" if guess else listed)
    if not found.single:
        message = f"several rows of '{tree.owner.name}' may match (duplicates: allow)"
        raise refused(message, tree.span, f"only known({tree.owner.name}) can be asked")
    return Lookup(type=kind, span=tree.span, reference=tree.owner.name, column=tree.name)


def known(scope: Scope, tree: Invocation, *, sees_window: bool) -> Lookup:
    """Whether a row matches; raises Refused for anything but the name of a reference."""
    name = tree.args[0] if len(tree.args) == 1 else None
    if not isinstance(name, Name) or tree.star or tree.distinct or tree.where is not None:
        raise refused("known takes the name of a reference", tree.span, "write known(users)")
    _reference(scope, name.name, name.span, sees_window=sees_window)
    return Lookup(type=Type.BOOLEAN, span=tree.span, reference=name.name, column=None)


def _reference(scope: Scope, name: str, span: Span, *, sees_window: bool) -> Referable:
    found = scope.references.get(name)
    if found is None:
        hint = "a field inside an object is declared under `fields` with `from: [outer, inner]`"
        if scope.references:
            guess = did_you_mean(name, scope.references)
            listed = f"references: {', '.join(scope.references)}"
            hint = f"{guess} ({listed})" if guess else listed
        raise refused(f"there is no reference '{name}'", span, hint, Kind.NO_REFERENCE)
    if sees_window and found.refusal is not None:
        kind = Kind.NO_MATCH if found.unmatched else Kind.OTHER
        hint = "add it to `by`, or look it up inside an aggregate"
        raise refused(found.refusal, span, hint, kind)
    return found
