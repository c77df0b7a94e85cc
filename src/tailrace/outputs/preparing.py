"""What an output needs to be there before the first row: found, made, or told to a person.

`tailrace init` makes what is missing and changes nothing that exists (SEMANTICS 27). The module of
a server that has something to prepare offers ``prepare(name, config, context) -> Preparation``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Protocol, cast

from tailrace.config.outputs import Output as OutputConfig
from tailrace.outputs.making import SERVERS, OutputContext


class StepState(StrEnum):
    """How what is needed compares with what is there."""

    PRESENT = "present"
    MISSING = "missing"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is needed: a topic, an index, a table, a template.

    ``target`` names it for people (``topic goal1 at localhost:9092``), without passwords; within a
    preparation it is unique. ``detail`` says what was found or what would be made, in a few words.
    ``by_hand``: commands or statements that a person would run where it differs, a line each.
    """

    target: str
    state: StepState
    detail: str
    by_hand: tuple[str, ...] = ()


class Preparation(Protocol):
    """What one output (or the source) needs on its server. Calls may take some seconds."""

    def inspect(self) -> list[Step]:
        """What is needed, and how it stands, in the order in which it has to be made.

        Changes nothing. UnreachableError if the server can't be asked, OutputError if it refuses.
        """
        ...

    def create(self, step: Step) -> None:
        """Make what a step of ``inspect`` found missing.

        What came to be there meanwhile is left as it is. OutputError or UnreachableError if it
        can't be made.
        """
        ...


Prepare = Callable[[str, OutputConfig, OutputContext], Preparation]


def prepare_output(name: str, config: OutputConfig, context: OutputContext) -> Preparation | None:
    """What the output called ``name`` needs; None for kinds that need nothing made.

    OutputError if a library is missing.
    """
    server = SERVERS.get(config.kind)
    prepare = None if server is None else getattr(import_module(server), "prepare", None)
    return None if prepare is None else cast("Prepare", prepare)(name, config, context)
