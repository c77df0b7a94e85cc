"""A table of a SQL database that rows go to."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tailrace.config.scalars import Filled
from tailrace.config.targets.target import RowForm, Target


class SqlOutput(Target):
    """Rows of a table of PostgreSQL, MySQL, MariaDB or SQLite."""

    kind: ClassVar[str] = "sql"

    url: Filled = Field(
        description="The database, as SQLAlchemy writes it.",
        examples=["postgresql://user@localhost/alerts"],
    )
    table: Filled = Field(description="The table; `tailrace init` makes it.", examples=["alerts"])

    @property
    def form(self) -> RowForm:
        """A column for each value."""
        return "typed"

    @property
    def addressed(self) -> bool:
        """Rows have an id."""
        return True
