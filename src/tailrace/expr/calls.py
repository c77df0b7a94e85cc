"""Calls of scalar functions: the registry's variants against the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tailrace.expr.aggregates import NAMES as AGGREGATES
from tailrace.expr.coercion import coerce, common_type, mismatch, must_be
from tailrace.expr.functions import REGISTRY, parameter_at, takes
from tailrace.expr.hints import INSTEAD
from tailrace.expr.nodes import Call, Literal, Node, Type
from tailrace.expr.problems import did_you_mean, refused
from tailrace.expr.signature import Function, Variant
from tailrace.expr.syntax import Invocation, Syntax


class Typing(Protocol):
    """What types the arguments."""

    @property
    def sees_window(self) -> bool:
        """Whether the call stands outside aggregates at window level."""
        ...

    def all(self, *trees: Syntax) -> tuple[Node, ...]:
        """Each tree typed."""
        ...


def call(checker: Typing, tree: Invocation) -> Call:
    """A call typed; raises Refused for unknown functions and arguments that don't fit."""
    function = REGISTRY.get(tree.name)
    if function is None:
        hint = INSTEAD.get(tree.name) or did_you_mean(tree.name, (*REGISTRY, *AGGREGATES))
        listed = f"aggregates are {', '.join(sorted(AGGREGATES))}; functions: docs/expressions.md"
        hint = hint or listed
        raise refused(f"unknown function '{tree.name}'", tree.name_span, hint)
    if tree.star or tree.distinct or tree.where is not None:
        message = f"{tree.name} takes no `*`, `distinct` or `filter`: it is no aggregate"
        raise refused(message, tree.span)
    if function.row_only and checker.sees_window:
        hint = "test it in `where` or inside an aggregate's filter, or derive a field"
        raise refused(f"{tree.name} is for single events only", tree.span, hint)
    args = checker.all(*tree.args)
    fitting = [one for one in function.variants if takes(one, len(args))]
    if not fitting:
        raise refused(f"wrong number of arguments: {len(args)}", tree.span, usage(function))
    variant = next((one for one in fitting if _fits(one, args)), None)
    if variant is None:
        raise _misfit(tree, fitting, args)
    shared = common_type(
        arg.type for at, arg in enumerate(args) if parameter_at(variant, at).type is None
    )
    kinds = (parameter_at(variant, at).type or shared for at in range(len(args)))
    typed = tuple(coerce(arg, kind) if kind else arg for arg, kind in zip(args, kinds, strict=True))
    _check_literals(tree, variant, typed)
    return Call(
        type=variant.result or shared or Type.NULL, span=tree.span, name=tree.name, args=typed
    )


def usage(function: Function) -> str:
    """The ways to call a function, as ``substr(x, start[, length])``."""
    return " or ".join(dict.fromkeys(shape(function.name, one) for one in function.variants))


def shape(name: str, variant: Variant) -> str:
    """One way to call a function, by its parameters' names."""
    text = ""
    for parameter in variant.parameters:
        separator = ", " if text else ""
        piece = separator + parameter.name
        text += f"[{piece}]" if parameter.optional else piece
    return f"{name}({text}{', ...' if variant.repeats else ''})"


def _fits(variant: Variant, args: Sequence[Node]) -> bool:
    alike = []
    for at, arg in enumerate(args):
        kind = parameter_at(variant, at).type
        if kind is None:
            alike.append(arg.type)
        elif common_type((arg.type, kind)) is not kind:
            return False
    return common_type(alike) is not None


def _misfit(tree: Invocation, variants: Sequence[Variant], args: Sequence[Node]) -> Exception:
    for at, arg in enumerate(args):
        wanted = {parameter_at(variant, at).type for variant in variants}
        kinds = {kind for kind in wanted if kind is not None}
        if kinds and not any(common_type((arg.type, kind)) is kind for kind in kinds):
            parameter = parameter_at(variants[0], at)
            what = f"argument {at + 1} ({parameter.name}) of {tree.name}"
            must_be(arg, max(kinds), what)
    first = next(arg for arg in args if arg.type is not Type.NULL)
    other = next(arg for arg in args if common_type((first.type, arg.type)) is None)
    return mismatch(first, other)


def _check_literals(tree: Invocation, variant: Variant, args: Sequence[Node]) -> None:
    for at, arg in enumerate(args):
        parameter = parameter_at(variant, at)
        if parameter.check is None:
            continue
        complaint = (
            parameter.check(arg)
            if isinstance(arg, Literal) and arg.value is not None
            else "a constant"
        )
        if complaint is not None:
            message = f"{parameter.name} of {tree.name} must be {complaint}"
            raise refused(message, arg.span)
    if variant.agree is not None and (complaint := variant.agree(args)) is not None:
        raise refused(complaint, args[-1].span)
