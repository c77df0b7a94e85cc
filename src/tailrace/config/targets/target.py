"""What is known of any kind of output: how its rows are made before they wait for delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from tailrace.config.base import Model
from tailrace.config.complaints import Path
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
    def told(self) -> str:
        """What it is and where, for people; without passwords and tokens."""
        return self.kind

    @property
    def row_form(self) -> RowForm:
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

    @property
    def json_templates(self) -> frozenset[str]:
        """Those of ``templates`` that are JSON: values stand in its strings and are escaped."""
        return frozenset()

    @property
    def places(self) -> Iterator[tuple[Path, str]]:
        """Where in the target templates are written, and their texts, for complaints."""
        for option, text in self.templates.items():
            yield tuple(option.split(".", 1)), text


def server_of(url: str) -> str:
    """The part of a URL that says which server: no user, no path, where tokens may be."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('/')[0].rpartition('@')[2].partition('?')[0]}"
