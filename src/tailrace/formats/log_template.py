"""The text of nginx's ``log_format`` taken apart, and what the lines that it writes look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from tailrace.errors import PipelineError
from tailrace.formats.spec import Escape, LogFormat

FIXED = {"time_local": 26, "time_iso8601": 25}
"""Bytes of variables that nginx always writes with the same length; they may hold blanks."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a line and the text after it, up to the next variable or the line's end.

    ``quoted``: it stands alone between double quotes and the writer escapes double quotes in it.
    """

    name: str
    after: str
    quoted: bool

    @property
    def size(self) -> int | None:
        """Its length in bytes, if that is always the same."""
        return FIXED.get(self.name)

    @property
    def pattern(self) -> str:
        """What its value looks like; lazy, so that the next text that is found ends it."""
        if self.size:
            return f"[\\x00-\\x7f]{{{self.size}}}"
        if self.quoted:
            return r'(?:[^"\\]|\\.)*'
        return ".*?" if self.after else ".*"


@dataclass(frozen=True, slots=True)
class Template:
    """A line is ``head``, then each variable's value with the text after it."""

    head: str
    variables: tuple[Variable, ...]

    @property
    def pattern(self) -> str:
        """The whole line as a regular expression with one group a variable: ``v0``, ``v1`` ...

        This is the definition of what a line means; among several readings the one that ends each
        variable as early as possible, from left to right, is meant.
        """
        groups = (
            f"(?P<v{number}>{variable.pattern}){re.escape(variable.after)}"
            for number, variable in enumerate(self.variables)
        )
        return f"(?s)^{re.escape(self.head)}{''.join(groups)}$"


def template_of(log_format: LogFormat) -> Template:
    """Take a format apart; raises PipelineError when variables can't be told apart."""
    pieces = _VARIABLE.split(log_format.template)
    names = [braced or plain for braced, plain in zip(pieces[1::3], pieces[2::3], strict=True)]
    texts = pieces[0::3]
    variables = tuple(
        Variable(
            name,
            after,
            quoted=log_format.escape is not Escape.NONE
            and before.endswith('"')
            and after.startswith('"'),
        )
        for name, before, after in zip(names, texts, texts[1:], strict=False)
    )
    for variable, following in pairwise(variables):
        if not variable.after and not variable.size:
            raise PipelineError(
                f"nothing stands between ${variable.name} and ${following.name} in the log format",
                hint="lines can only be taken apart where some text lies between two variables",
            )
    return Template(texts[0], variables)
