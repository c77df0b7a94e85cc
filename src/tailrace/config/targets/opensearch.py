"""An index of OpenSearch or Elasticsearch that rows go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from tailrace.config.scalars import Filled
from tailrace.config.targets.target import Target, TemplateText


class OpenSearchOutput(Target):
    """Documents of an index of OpenSearch or Elasticsearch, one for each row's id."""

    kind: ClassVar[str] = "opensearch"

    url: Filled = Field(
        default="http://localhost:9200", description="Where the server is; several with commas."
    )
    index: Filled = Field(description="The index.", examples=["test-inter"])
    id: TemplateText = Field(
        default="{id}", description="The document's id; rows of one id replace each other."
    )

    @property
    def addressed(self) -> bool:
        """Rows have an id and a time."""
        return True

    @property
    def templates(self) -> Mapping[str, str]:
        """The document's id."""
        return {} if self.id == "{id}" else {"id": self.id}
