"""``tailrace completion``: print the script that makes a shell complete verbs and options."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from tailrace.errors import TailraceError

INSTALL = {
    "bash": """\
# Try it in this shell:   eval "$(tailrace completion bash)"
# Keep it:                tailrace completion bash > ~/.tailrace-completion.bash
#                         with 'source ~/.tailrace-completion.bash' in ~/.bashrc
""",
    "zsh": """\
# Try it in this shell:   eval "$(tailrace completion zsh)"
# Keep it:                tailrace completion zsh > ~/.zfunc/_tailrace
#                         with 'fpath+=~/.zfunc; autoload -Uz compinit; compinit' in ~/.zshrc
""",
    "fish": """\
# Try it in this shell:   tailrace completion fish | source
# Keep it:                tailrace completion fish > ~/.config/fish/completions/tailrace.fish
""",
}


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice(list(INSTALL)))
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print the completion script for SHELL (by default the one that $SHELL names).

    The script begins with comments that say how to install it.
    """
    shell = shell or shell_of_user()
    script_class = get_completion_class(shell)
    root = ctx.find_root()
    if script_class is None or root.info_name is None:
        msg = f"click has no completion for {shell}"
        raise RuntimeError(msg)
    variable = f"_{root.info_name}_COMPLETE".upper()
    script = script_class(root.command, {}, root.info_name, variable).source()
    # zsh wants its '#compdef' line to be the first one.
    first, rest = ("", script) if not script.startswith("#compdef") else script.split("\n", 1)
    click.echo((first + "\n" if first else "") + INSTALL[shell] + rest.lstrip("\n").rstrip("\n"))


def shell_of_user() -> str:
    """Return the shell that $SHELL names; raises TailraceError if it is none of the known ones."""
    name = Path(os.environ.get("SHELL", "")).name
    if name not in INSTALL:
        message = f"no completion for the shell {name!r}" if name else "$SHELL is not set"
        raise TailraceError(message, hint=f"name one: tailrace completion {'|'.join(INSTALL)}")
    return name
