"""YAML text to a tree of nodes that know their places; nothing is interpreted, scalars stay texts.

PyYAML's scanner, parser and composer without its resolver and constructor: no types are guessed,
no objects are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from yaml.composer import Composer, ComposerError
from yaml.error import MarkedYAMLError, YAMLError
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from tailrace.config.yaml_mistakes import explained
from tailrace.errors import Problem, Where

if TYPE_CHECKING:
    from yaml.error import Mark
    from yaml.events import Event
    from yaml.nodes import Node

LONGEST_TEXT = 1 << 20
"""Characters; a pipeline file has a few thousand."""
DEEPEST = 32
"""Levels of nesting; a pipeline file has five."""


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            event: Event = self.peek_event()  # type: ignore[no-untyped-call]
            mark = cast("Mark", event.start_mark)
            raise ComposerError(None, None, f"nested more than {DEEPEST} levels deep", mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def compose(text: str, file: str) -> Node | Problem | None:
    """Return the tree of a YAML text, None if it is empty, or what is wrong with it."""
    if len(text) > LONGEST_TEXT:
        message = f"the file is longer than {LONGEST_TEXT} characters"
        return Problem(message, Where(file), "is it the pipeline file?")
    try:
        return _Loader(text).get_single_node()
    except ReaderError as error:
        return _unreadable(text, file, error)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        message, hint, at_context = explained(error)
        if at_context and error.context_mark:
            line, column = error.context_mark.line, error.context_mark.column
        return Problem(message, Where(file, line + 1, column + 1), hint)
    except YAMLError as error:
        return Problem(f"not valid YAML: {error}", Where(file))
    except (ValueError, OverflowError):
        # PyYAML makes a character of "\UFFFFFFFF" without asking whether there is one.
        return Problem("an escape in double quotes names no character", Where(file))


def _unreadable(text: str, file: str, error: ReaderError) -> Problem:
    before = text[: error.position]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    character = error.character
    code = character if isinstance(character, int) else ord(character)
    message = f"the character U+{code:04X} is not allowed in YAML"
    hint = f'in double quotes it can be written as "\\u{code:04X}"'
    return Problem(message, Where(file, line, column), hint)
