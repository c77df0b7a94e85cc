"""The reference of the pipeline file, as Markdown, from the models.

python -m tailrace.config.reference > docs/pipeline.md
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel

from tailrace.config.complaints import key_of
from tailrace.config.kinds import kind_of
from tailrace.config.reference_section import Section
from tailrace.config.reference_text import INTRODUCTION, PYTHON, SECTIONS, WRITING
from tailrace.config.units import Duration, render_duration, render_size
from tailrace.config.values import written

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def render() -> str:
    """Return the text of ``docs/pipeline.md``."""
    parts = ["# The pipeline file\n", INTRODUCTION, WRITING]
    parts += [_section(section) for section in SECTIONS]
    return "\n".join((*parts, PYTHON))


def _section(section: Section) -> str:
    title = section.title.replace(": ", "`: `") if section.level > 1 else section.title
    heading = section.title if " " in section.title and ":" not in section.title else f"`{title}`"
    lines = [f"{'#' * section.level} {heading}", "", _prose(section), ""]
    if section.model and section.model.model_fields:
        lines += ["| option | type | default | meaning |", "|---|---|---|---|"]
        lines += [_row(key_of(*item), item[1]) for item in section.model.model_fields.items()]
        lines.append("")
    lines += ["```yaml", section.example.rstrip("\n"), "```", ""]
    return "\n".join(lines)


def _prose(section: Section) -> str:
    if section.model is None:
        return section.prose
    return " ".join((section.model.__doc__ or "").split())


def _row(key: str, field: FieldInfo) -> str:
    cells = (f"`{key}`", kind_of(field), _default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    match field.default:
        case None | BaseModel() | () | {}:
            return ""
        case Duration() as duration:
            return f"`{render_duration(duration)}`"
        case int() as number if kind_of(field) == "size":
            return f"`{render_size(number)}`"
        case value:
            return f"`{written(value)}`"


if __name__ == "__main__":
    sys.stdout.write(render())
