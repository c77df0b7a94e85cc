"""Keeping values from the environment out of what people are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SHORT = 4
"""A shorter value is hidden only where it stands alone: ``1`` is part of many texts."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces secrets by the references they came from; ``secrets`` maps values to names."""

    secrets: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        """Return `text` without secrets."""
        if not self.secrets:
            return text
        # Longest first: one secret may be part of another.
        values = sorted(self.secrets, key=len, reverse=True)
        pattern = "|".join(
            re.escape(value) if len(value) >= _SHORT else rf"(?<!\w){re.escape(value)}(?!\w)"
            for value in values
        )
        return re.sub(pattern, lambda found: f"${{{self.secrets[found[0]]}}}", text)
