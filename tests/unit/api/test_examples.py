"""Every example in the Python interface's docstrings and in its documentation runs."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs" / "python-api.md"
MODULES = ("tailrace", "tailrace.api.pipeline", "tailrace.sources.memory")


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    outcome = doctest.testmod(import_module(name))
    assert outcome.attempted
    assert not outcome.failed


def test_documentation() -> None:
    text = DOCS.read_text()
    blocks = [
        (text.count("\n", 0, found.start(1)), found[1])
        for found in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
    assert len(blocks) > 5
    names: dict[str, object] = {}
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    for line, block in blocks:
        test = parser.get_doctest(block, names, f"{DOCS.name}:{line}", str(DOCS), line)
        runner.run(test, clear_globs=False)
        names = test.globs
    assert not runner.failures
