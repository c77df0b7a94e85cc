"""One section of the pipeline reference."""

from __future__ import annotations

from typing import NamedTuple

from tailrace.config.base import Model


class Section(NamedTuple):
    """One section under the key that it stands for: a model, or prose where there is none."""

    title: str
    level: int
    model: type[Model] | None
    example: str
    prose: str = ""
