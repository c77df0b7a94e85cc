"""The reference of functions as Markdown, made from the registries.

``python -m tailrace.expr.reference`` prints it. It is the second part of docs/expressions.md,
behind the marker; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable

from tailrace.expr.aggregates import USAGE
from tailrace.expr.calls import shape
from tailrace.expr.functions import GROUPS
from tailrace.expr.lookups import USAGE as LOOKUPS
from tailrace.expr.signature import Function

MARKER = "<!-- From here on: python -m tailrace.expr.reference -->"


def reference() -> str:
    """The whole reference, ending in a line break."""
    pieces = ["## Aggregates", "", *_table(("call", "result", "meaning"), _aggregates()), ""]
    pieces += ["## References", "", *_table(("form", "result", "meaning"), _lookups()), ""]
    for title, functions in GROUPS.items():
        heads = ("function", "result", "meaning", "example", "fails when")
        rows = (_row(function) for function in functions)
        pieces += [f"## Functions: {title}", "", *_table(heads, rows), ""]
    return "\n".join(pieces)


def _aggregates() -> Iterable[tuple[str, ...]]:
    return ((f"`{call}`", result, meaning) for call, result, meaning in USAGE)


def _lookups() -> Iterable[tuple[str, ...]]:
    return ((f"`{form}`", result, meaning) for form, result, meaning in LOOKUPS)


def _row(function: Function) -> tuple[str, ...]:
    variants = function.variants
    shapes = dict.fromkeys(f"`{shape(function.name, variant)}`" for variant in variants)
    results = dict.fromkeys(
        str(variant.result) if variant.result else "as x" for variant in variants
    )
    fails = dict.fromkeys(variant.fails for variant in variants if variant.fails)
    where = " For single events only." if function.row_only else ""
    return (
        "<br>".join(shapes),
        " or ".join(results),
        function.doc + where,
        f"`{function.example}` = `{function.gives}`",
        "; ".join(fails),
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - it is what the command is for
