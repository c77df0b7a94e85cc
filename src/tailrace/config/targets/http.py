"""Who is called over HTTP with what there is to tell: any service, or an Alertmanager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from tailrace.config.scalars import Filled, Text
from tailrace.config.targets.target import Target


class WebhookOutput(Target):
    """A POST for each row, at least once; the row's id tells repetitions."""

    kind: ClassVar[str] = "webhook"

    url: Filled = Field(
        description="Where to.", examples=["https://hooks.example.org/${HOOK_TOKEN}"]
    )
    headers: Mapping[Filled, Text] = Field(
        default={},
        description="Headers of the request.",
        examples=[{"Authorization": "Bearer ${TOKEN}"}],
    )

    @property
    def addressed(self) -> bool:
        """Rows have an id."""
        return True


class AlertmanagerOutput(Target):
    """Incidents as alerts of a Prometheus Alertmanager, which groups, routes and silences them."""

    kind: ClassVar[str] = "alertmanager"

    url: Filled = Field(default="http://localhost:9093", description="Where it is.")

    @property
    def addressed(self) -> bool:
        """Rows have an id and a time."""
        return True
