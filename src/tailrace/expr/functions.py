"""The registry of scalar functions: the whitelist that names, types, SQL and docs come from."""

from __future__ import annotations

from tailrace.expr import choices, networks, numbers, octets, texts, times
from tailrace.expr.nodes import Call
from tailrace.expr.signature import Function, Parameter, Variant

GROUPS: dict[str, tuple[Function, ...]] = {
    "Numbers": numbers.FUNCTIONS,
    "Text": texts.FUNCTIONS,
    "IP addresses": (*networks.FUNCTIONS, *octets.FUNCTIONS),
    "Time": times.FUNCTIONS,
    "Any type": choices.FUNCTIONS,
}
REGISTRY: dict[str, Function] = {
    function.name: function for group in GROUPS.values() for function in group
}


def variant_of(call: Call) -> Variant:
    """The variant that a checked call takes."""
    for variant in REGISTRY[call.name].variants:
        if takes(variant, len(call.args)) and all(
            parameter_at(variant, at).type in (None, arg.type) for at, arg in enumerate(call.args)
        ):
            return variant
    raise ValueError(f"no variant of {call.name} for {[arg.type for arg in call.args]}")


def takes(variant: Variant, count: int) -> bool:
    """Whether a variant can be called with so many arguments."""
    least = sum(not parameter.optional for parameter in variant.parameters)
    return count >= least and (variant.repeats or count <= len(variant.parameters))


def parameter_at(variant: Variant, at: int) -> Parameter:
    """The parameter that argument number ``at`` stands for."""
    return variant.parameters[min(at, len(variant.parameters) - 1)]
