"""How commands are told which pipeline: as their first argument, and as ``-p`` in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAGS = ("-p", "--pipeline")
_NAMED = click.Option(
    FLAGS,
    type=click.Path(path_type=Path),
    metavar="PATH",
    expose_value=False,
    help="The pipeline: the same as the first argument.",
)


class PipelineFirst(click.Command):
    """A command whose first argument is PIPELINE, which can be given as ``-p PIPELINE`` as well."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own, and the option."""
        *others, last = super().get_params(ctx)
        return [*others, _NAMED, last]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let the option stand where the argument does."""
        return super().parse_args(ctx, first(args))


def first(args: Sequence[str]) -> list[str]:
    """Arguments with what ``-p`` names as the first of them."""
    named: list[str] = []
    rest: list[str] = []
    left = list(args)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*named, *rest, word, *left]
        if word in FLAGS and left:
            named.append(left.pop(0))
        elif word.startswith("--pipeline="):
            named.append(word.removeprefix("--pipeline="))
        else:
            rest.append(word)
    return [*named, *rest]


def names_a_file(text: str) -> bool:
    """Whether a word is a pipeline file, or a store, and nothing else that a command takes."""
    return text.endswith((".yaml", ".yml", ".duckdb"))
