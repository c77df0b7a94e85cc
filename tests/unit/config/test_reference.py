"""docs/pipeline.md: generated, complete, and its examples load."""

import re
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from tests.unit.config.pipelines import BASE, pipeline

from tailrace.config import PipelineConfig, loads
from tailrace.config.complaints import key_of
from tailrace.config.reference import render
from tailrace.config.reference_text import SECTIONS

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHOLE = [
    pytest.param(block, id=f"{path.name}:{number}")
    for path in sorted(ROOT.glob("docs/**/*.md"))
    for number, block in enumerate(BLOCK.findall(path.read_text()))
    if block.startswith("name:") and "rules:" in block
]


def test_is_generated() -> None:
    committed = (ROOT / "docs/pipeline.md").read_text()
    assert committed == render(), "python -m tailrace.config.reference > docs/pipeline.md"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_examples_load(section: Any) -> None:
    sections = {
        key: yaml.safe_dump({key: value}) for key, value in yaml.safe_load(section.example).items()
    }
    loads(pipeline(**sections), env={})


@pytest.mark.parametrize("text", WHOLE)
def test_whole_pipelines_in_the_docs_load(text: str) -> None:
    loads(text, env={})


def test_the_python_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", render(), re.MULTILINE | re.DOTALL)
    exec(code, {})  # noqa: S102 (it is our own page)
    config = loads(capsys.readouterr().out, env={}).config
    assert config.rules[0].name == "client_flood"


def models(annotation: Any) -> set[type[BaseModel]]:
    """Every model within a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = (models(field.annotation) for field in annotation.model_fields.values())
        return {annotation}.union(*inner)
    if get_origin(annotation) in (Union, UnionType) or get_args(annotation):
        return set().union(*(models(argument) for argument in get_args(annotation)))
    return set()


def test_every_model_has_its_section() -> None:
    assert models(PipelineConfig) <= {section.model for section in SECTIONS}


def test_every_option_is_in_a_table_with_its_meaning() -> None:
    text = render()
    for section in SECTIONS:
        for name, field in section.model.model_fields.items() if section.model else ():
            assert field.description, (section.title, name)
            assert f"| `{key_of(name, field)}` |" in text


def test_base_names_sections_of_the_file() -> None:
    assert set(BASE) <= set(PipelineConfig.model_fields)
