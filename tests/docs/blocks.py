"""What a document asks its reader to do: files to write and commands to run, in order.

A block that begins ```` ```yaml title="NAME" ```` (or any other language) is a file to write.
In a block that begins ```` ```console ````, a line that begins with `$ ` is a command, which goes
on in lines that begin with `> `; what follows are lines of its output, in order but not all of
them: `...` stands for anything, a whole line or a part of one. A command that ends in
`# exit code N` exits so, any other one with 0. Blocks of other kinds are only read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"# exit code (\d+)$")


@dataclass(frozen=True)
class File:
    name: str
    text: str


@dataclass
class Command:
    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        found = _EXIT.search(self.text)
        return int(found[1]) if found else 0

    def missing(self, output: str) -> list[str]:
        """The shown lines that aren't in the output, or not after those shown before them."""
        left = [line.rstrip() for line in output.splitlines()]
        lost = []
        for line in self.shown:
            parts = (re.escape(part) for part in line.split("..."))
            wanted = re.compile(".*".join(parts))
            place = next((n for n, one in enumerate(left) if wanted.fullmatch(one)), None)
            if place is None:
                lost.append(line)
            else:
                left = left[place + 1 :]
        return lost


def steps(document: Path) -> Iterator[File | Command]:
    for kind, title, body in _BLOCK.findall(document.read_text()):
        if title:
            yield File(title, body)
        elif kind == "console":
            yield from _commands(body)


def _commands(body: str) -> Iterator[Command]:
    command: Command | None = None
    for line in body.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command
            command = Command(line[2:])
        elif command is not None and line.startswith("> ") and not command.shown:
            command.text += "\n" + line[2:]
        elif command is not None and line.strip() not in {"", "..."}:
            command.shown.append(line.rstrip())
    if command is not None:
        yield command
