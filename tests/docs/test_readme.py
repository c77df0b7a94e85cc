"""What the documents ask their readers to type works and prints what they show."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.blocks import Command, File, steps

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "docs" / "tutorial.md",
    ROOT / "docs" / "backtest.md",
    *sorted(ROOT.glob("examples/*/README.md")),
]
MARK = "=== exit code of command"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_do_what_is_shown(document: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=untracked)
    asked = list(steps(document))
    commands = [step for step in asked if isinstance(step, Command)]
    assert commands
    outputs = run(asked, tmp_path)
    wrong = []
    for number, command in enumerate(commands):
        if number not in outputs:
            wrong.append(f"$ {command.text}\nwas not reached")
            continue
        code, output = outputs[number]
        problems = [f"lacks: {line}" for line in command.missing(output)]
        if code != command.exit_code:
            problems.append(f"exit code {code}, not {command.exit_code}")
        if re.search("^Traceback", output, re.MULTILINE):
            problems.append("has a traceback")
        if problems:
            wrong.append("\n".join([f"$ {command.text}", *problems, output]))
    assert not wrong, "\n\n".join(wrong)


def run(asked: list[File | Command], folder: Path) -> dict[int, tuple[int, str]]:
    """Run a document in one shell; for each command its exit code and what it printed."""
    script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    number = 0
    for step in asked:
        if isinstance(step, File):
            target = folder / f".file-{len(script)}"
            target.write_text(step.text)
            script.append(f"cp '{target}' '{step.name}'")
        else:
            script.append(f"{step.text}\nprintf '\\n{MARK} %s: %s\\n' {number} $?")
            number += 1
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    (folder / ".script").write_text("\n".join(script) + "\n")
    printed = folder / ".printed"
    with printed.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", ".script"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            shell.wait(250)
        except subprocess.TimeoutExpired:
            pass  # the command that didn't end has no exit code below
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    text = printed.read_text(errors="replace")
    found = {}
    parts = re.split(rf"^{MARK} (\d+): (\d+)\n", text, flags=re.MULTILINE)
    for before, which, code in zip(parts[0::3], parts[1::3], parts[2::3], strict=False):
        found[int(which)] = (int(code), before)
    return found


def untracked(_folder: str, names: list[str]) -> set[str]:
    """What running the examples leaves in a checkout."""
    return {"out", ".tailrace"} & set(names)
