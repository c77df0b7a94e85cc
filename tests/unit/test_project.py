"""What holds for the project as a whole: start-up, locks, links, the wheel."""

import os
import re
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import click
import pytest

import tailrace
from tailrace.cli import main
from tailrace.cli.lazy import Verb
from tailrace.cli.main import VERBS

ROOT = Path(__file__).parents[2]
HEAVY = ("duckdb", "numpy", "pandas", "pyarrow", "pydantic", "rich", "yaml")
LOCKS = ("requirements.lock", "requirements-all.lock", "requirements-dev.lock")
WRITTEN = ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/**/*.md", "tests/**/*.md")
MARKDOWN = sorted(path for pattern in WRITTEN for path in ROOT.glob(pattern))
LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def cli(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "tailrace.cli.main", *args, **environment)


# Start-up


@pytest.mark.parametrize(
    "args",
    [("--version",), ("--help",), ("completion", "bash"), ("no-such-verb",)],
    ids=" ".join,
)
def test_starts_without_heavy_libraries(args: tuple[str, ...]) -> None:
    code = (
        "import sys; from tailrace.cli.main import run; code = run(sys.argv[1:]); "
        f"print(*(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    result = run(sys.executable, "-c", code, *args)
    assert result.stderr.splitlines()[-1] == ""


def test_version_is_quick() -> None:
    def seconds() -> float:  # of a core: what else runs doesn't count
        before = os.times()
        assert cli("--version").stdout == f"tailrace {tailrace.__version__}\n"
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    assert min(seconds() for _ in range(3)) < 0.3


# The command line


def test_help_lists_every_verb_with_its_summary() -> None:
    shown = cli("--help", COLUMNS="100").stdout
    for name, verb in VERBS.items():
        assert re.search(rf"^  {name} +{re.escape(verb.summary)}$", shown, re.MULTILINE)


@pytest.mark.parametrize("name", VERBS)
def test_verb_exists(name: str) -> None:
    assert VERBS[name].load().name == name


@pytest.mark.parametrize(
    ("args", "environment", "code", "message"),
    [
        (["chek"], {}, 2, "Did you mean one of: 'check'"),
        (["--verison"], {}, 2, "Did you mean '--version'?"),
        (["completion", "tcsh"], {}, 2, "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
        (["completion"], {"SHELL": "/bin/tcsh"}, 2, "no completion for the shell 'tcsh'"),
    ],
)
def test_mistake_is_told_without_a_traceback(
    args: list[str], environment: dict[str, str], code: int, message: str
) -> None:
    result = cli(*args, **environment)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback() -> None:
    result = cli("completion", SHELL="/bin/tcsh", TAILRACE_DEBUG="1")
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (click.Command("x", callback=lambda: None), 0),
        (click.Command("x", callback=lambda: 3), 3),
        (click.Command("x", callback=lambda: click.get_current_context().exit(4)), 4),
        (click.Command("x", callback=lambda: signal.raise_signal(signal.SIGINT)), 130),
    ],
    ids=["returns nothing", "returns its code", "exits", "interrupted"],
)
def test_exit_code_of_a_verb(
    verb: click.Command, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "VERB", verb, raising=False)
    monkeypatch.setattr(main.cli, "verbs", {"x": Verb(f"{__name__}:VERB", "")})
    # Whoever runs the tests in the background may have had them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main.run(["x"]) == code
    finally:
        signal.signal(signal.SIGINT, before)


def test_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        result = subprocess.run(
            [sys.executable, "-m", "tailrace.cli.main", "--help"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert result.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_its_installation(shell: str) -> None:
    script = cli("completion", shell).stdout
    assert f"tailrace completion {shell}" in script
    assert "_TAILRACE_COMPLETE" in script


def test_bash_completes_verbs() -> None:
    result = cli(COMP_WORDS="tailrace de", COMP_CWORD="1", _TAILRACE_COMPLETE="bash_complete")
    assert result.stdout.splitlines() == ["plain,dead-letters", "plain,demo"]


# What is published


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    requirements = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    for requirement in requirements:
        assert re.match(r"[a-z0-9.\-\[\]]+==\S+.*\\\n +--hash=sha256:[0-9a-f]{64}", requirement)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_covers_the_dependencies(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(re.findall(r"^([a-z0-9.\-]+)==", (ROOT / lock).read_text(), re.MULTILINE))
    assert {re.split(r"[<>=!~\[]", name)[0] for name in project["dependencies"]} <= locked


def test_extra_all_has_every_extra_and_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    (everything,) = extras.pop("all")
    # An engine's half a gigabyte is asked for by name.
    spark = extras.pop("spark")
    assert spark
    assert everything == f"tailrace[{','.join(extras)}]"
    assert list(extras) == sorted(extras)
    names = {re.split(r"[<>=!~\[]", name)[0] for extra in extras.values() for name in extra}
    for lock in LOCKS[1:]:
        locked = re.findall(r"^([a-z0-9.\-]+)==", (ROOT / lock).read_text(), re.MULTILINE)
        assert names <= set(locked)


@pytest.mark.parametrize("document", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document: Path) -> None:
    links = LINK.findall(CODE.sub("", document.read_text()))
    relative = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in relative if not (document.parent / link).exists()] == []


def test_wheel_is_typed_and_complete(tmp_path: Path) -> None:
    built = run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
        *("--outdir", str(tmp_path), str(ROOT)),
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"tailrace-{tailrace.__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(path.relative_to(ROOT / "src")) for path in ROOT.glob("src/tailrace/**/*.py")}
    assert sources | {"tailrace/py.typed"} <= names
    assert {name for name in names if not name.startswith("tailrace")} == set()
