"""What is known of any kind of output: how its rows are made before they wait for delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from tailrace.config.base import Model
from tailrace.config.kinds import Kind
from tailrace.config.scalars import Filled

TemplateText = Annotated[Filled, Kind("template")]
"""Text with ``{name}`` for a value of the row: see ``plan.templates``."""

RowForm = Literal["rows", "typed"]
"""``rows``: JSON text; ``typed``: a column for each value."""


class Target(Model):
    """One kind of output and its options."""

    kind: ClassVar[str]

    @property
    def form(self) -> RowForm:
        """The form in which the target takes rows."""
        return "rows"

    @property
    def addressed(self) -> bool:
        """Whether each row comes with its id, its time and the texts of ``templates``."""
        return False

    @property
    def templates(self) -> Mapping[str, str]:
        """Texts to be made for each row when it is made, by option; only if ``addressed``."""
        return {}
