"""Keys of a Redis server that rows go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from tailrace.config.scalars import Filled
from tailrace.config.targets.target import Target, TemplateText


class RedisOutput(Target):
    """A key of Redis for each row or incident."""

    kind: ClassVar[str] = "redis"

    url: Filled = Field(default="redis://localhost:6379/0", description="Where the server is.")
    key: TemplateText = Field(description="The key.", examples=["bot_{client_ip}"])
    value: TemplateText | None = Field(
        default=None, description="The value. By default the row as JSON."
    )

    @property
    def addressed(self) -> bool:
        """Rows have an id."""
        return True

    @property
    def templates(self) -> Mapping[str, str]:
        """Key and value."""
        return {"key": self.key} | ({} if self.value is None else {"value": self.value})
