"""Log lines into columns of text, by the template of their format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from tailrace.errors import PipelineError
from tailrace.formats.codes import Code
from tailrace.formats.escapes import unescaped
from tailrace.formats.faults import Faults, shown
from tailrace.formats.frame import Frame
from tailrace.formats.line_search import Text
from tailrace.formats.log_lines import LogLines, log_lines
from tailrace.formats.log_template import template_of
from tailrace.formats.paths import Path
from tailrace.formats.request_line import PARTS, part_places
from tailrace.formats.screen import mark_blank, mark_not_utf8
from tailrace.formats.segments import strings_at
from tailrace.formats.spec import Escape, LogFormat

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class LogRows:
    """Takes texts out of log lines. One thread uses it."""

    def __init__(self, log_format: LogFormat, paths: Sequence[Path]) -> None:
        """Prepare to take the variables that the paths name.

        Raises PipelineError for a path that is no variable of the format.
        """
        self._template = template_of(log_format)
        self._escape = log_format.escape
        self._names = [variable.name for variable in self._template.variables]
        for path in paths:
            self._check(path)
        self._paths = tuple(paths)

    def split(self, frame: Frame, faults: Faults) -> Mapping[Path, pa.StringArray]:
        """One string array of ``len(frame)`` for each path, null in rows that are out."""
        mark_blank(frame, faults)
        mark_not_utf8(frame, faults)
        text = Text(frame.data)
        lines = log_lines(self._template, text, frame, ~faults.out)
        for row in np.flatnonzero(~lines.right & ~faults.out).tolist():
            reason = f"not of the log format: {shown(frame.content(row).decode())}"
            faults.mark(row, Code.NO_MATCH, reason)
        return {path: self._column(path[0], lines, frame, text) for path in self._paths}

    def _column(self, name: str, lines: LogLines, frame: Frame, text: Text) -> pa.StringArray:
        """The texts of a variable, null where the line has the mark of a missing value."""
        number = self._names.index(name if name in self._names else "request")
        starts, ends, valid = lines.starts[number], lines.ends[number], lines.right
        if name not in self._names:
            starts, ends, valid = part_places(text, starts, ends, valid, name)
        present = valid & ~self._missing(text, starts, ends)
        column = strings_at(frame.buffer, starts.astype(np.int32), ends.astype(np.int32), present)
        return unescaped(column, self._escape)

    def _missing(
        self, text: Text, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Where nginx wrote its mark for no value: a hyphen, or nothing with the other escapes."""
        lengths = ends - starts
        missing: NDArray[np.bool_] = lengths == (1 if self._escape is Escape.DEFAULT else 0)
        if self._escape is not Escape.DEFAULT:
            return missing
        rows = np.flatnonzero(missing)
        missing[rows] = text.data[starts[rows]] == ord("-")
        return missing

    def _check(self, path: Path) -> None:
        known = [*self._names, *(PARTS if "request" in self._names else ())]
        if len(path) != 1 or path[0] not in known:
            name = ".".join(path)
            near = get_close_matches(name, known, n=1)
            raise PipelineError(
                f"the log format has no variable ${name}",
                hint=f"did you mean '{near[0]}'?" if near else f"it has {', '.join(known)}",
            )
