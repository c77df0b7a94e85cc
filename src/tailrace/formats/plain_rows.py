"""Records that are one text each, with no structure inside: Kafka values such as ``1514``.

The text without its line end is the value of the source key ``value``; there is no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from tailrace.formats.faults import Faults
from tailrace.formats.frame import Frame
from tailrace.formats.paths import Path
from tailrace.formats.screen import mark_blank, mark_not_utf8
from tailrace.formats.segments import strings_at

VALUE: Path = ("value",)
"""The source key."""


class PlainRows:
    """Takes the text of each record."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Prepare to give the text for ``VALUE`` and nulls for other paths."""
        self._paths = tuple(paths)

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, pa.StringArray]:
        """One string array of ``len(frame)`` for each path, null in rows that are out."""
        mark_blank(frame, faults)
        mark_not_utf8(frame, faults)
        texts = strings_at(
            frame.buffer,
            frame.starts.astype(np.int32),
            frame.ends.astype(np.int32),
            ~faults.out,
        )
        missing = pa.nulls(len(frame), pa.string())
        return {path: texts if path == VALUE else missing for path in self._paths}
