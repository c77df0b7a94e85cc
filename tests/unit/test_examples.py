"""Every example compiles and passes its own tests; its README names the files that there are."""

import re
from pathlib import Path

import pytest

from tailrace.config import load
from tailrace.engines.embedded.testing import embedded_engine
from tailrace.plan.compile import compile_pipeline
from tailrace.testing import format as test_format
from tailrace.testing.runner import run

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())


def named(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.yaml")), ids=named)
def test_pipelines_compile(path: Path) -> None:
    plan = compile_pipeline(load(path, env={}))
    assert plan.rules


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/tests/*.txt")), ids=named)
def test_rule_tests_pass(path: Path) -> None:
    results = list(run(test_format.load(path), embedded_engine()))
    assert results
    assert [failure.render() for result in results for failure in result.failures] == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.yaml")), ids=named)
def test_every_rule_is_tested(path: Path) -> None:
    rules = {rule.name for rule in load(path, env={}).config.rules}
    tested = set()
    for file in path.parent.glob("tests/*.txt"):
        for case in test_format.load(file):
            if Path(case.pipeline_file).resolve() == path:
                tested |= {each.rule for each in case.expectations}
    assert rules <= tested


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_readmes_are_short_and_name_files(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    commands = re.findall(r"^\$ (.+)$", text, re.MULTILINE)
    assert len(commands) <= 10
    assert commands[0].startswith(f"cd examples/{folder.name}")
    for name in re.findall(r"\b[\w-]+\.yaml\b", text):
        assert (folder / name).exists()
