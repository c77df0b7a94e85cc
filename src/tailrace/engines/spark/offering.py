"""How the driver offers plans to their source (``planned``): by a file that it replaces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tailrace.outputs.durably import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from tailrace.engines.spark.planned import Plans


def offer(path: Path, number: int, plans: Plans) -> None:
    """Make ``plans`` the next ones; ``number`` counts them, from 1."""
    replace_file(path, json.dumps({"number": number, "plans": plans}).encode())
