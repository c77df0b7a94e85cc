"""Labels' and annotations' templates: ``{name}`` stands for a value, ``{{`` and ``}}`` for braces.

Which names there are is the plan's to check and which values they have the incident's to know;
here is only the syntax, and how a value becomes text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tailrace.errors import PipelineError
from tailrace.plan.identity import Scalar, Time
from tailrace.plan.instants import iso

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|\{")


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: texts and, between each two of them, the name of a value."""

    texts: tuple[str, ...]
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, Scalar]) -> str:
        """The text with each name's value in its place; a value is never read as a template.

        A name without a value (the plan has refused those) is shown as it was written.
        """
        parts = [self.texts[0]]
        for name, text in zip(self.names, self.texts[1:], strict=True):
            parts.append(as_text(values[name]) if name in values else f"{{{name}}}")
            parts.append(text)
        return "".join(parts)


def parse(text: str) -> Template:
    """Read a template; PipelineError for a brace that begins no name."""
    texts = [""]
    names: list[str] = []
    end = 0
    for found in _PIECE.finditer(text):
        texts[-1] += text[end : found.start()]
        end = found.end()
        if found[0] == "{":
            raise PipelineError(
                f"the brace at character {found.start() + 1} of {text!r} begins no {{name}}",
                hint="write {name} for a value, {{ for a brace",
            )
        if found[1] is None:
            texts[-1] += found[0][0]
        else:
            names.append(found[1].strip())
            texts.append("")
    texts[-1] += text[end:]
    return Template(tuple(texts), tuple(names))


def template_names(text: str) -> tuple[str, ...]:
    """The names that a template uses, in order; PipelineError as for ``parse``."""
    return parse(text).names


def as_text(value: Scalar) -> str:
    """A value as people read it: integers plain, doubles shortest, times ISO 8601, ``null``."""
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Time():
            return iso(value)
        case int():
            return str(int(value))
        case float():
            return repr(float(value))
