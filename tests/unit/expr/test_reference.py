"""The page of the docs and the registry say the same, and every function has its evaluator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tailrace.expr import elements
from tailrace.expr.aggregates import NAMES
from tailrace.expr.functions import REGISTRY
from tailrace.expr.hints import INSTEAD
from tailrace.expr.reference import MARKER, reference

PAGE = Path(__file__).parents[3] / "docs" / "expressions.md"
VECTORISED = {"abs", "round", "floor", "ceil", "sqrt", "coalesce", "nullif", "least", "greatest"}


def test_the_page_ends_in_the_reference() -> None:
    assert PAGE.read_text(encoding="utf-8").partition(MARKER)[2].lstrip("\n") == reference()


@pytest.mark.parametrize("name", REGISTRY)
def test_every_function_has_one_evaluator(name: str) -> None:
    places = [name in VECTORISED, name in elements.ELEMENTS, REGISTRY[name].row_only]
    assert sum(places) == 1


def test_hints_are_about_what_is_not_there_and_name_what_is() -> None:
    known = {*REGISTRY, *NAMES, "case", "where"}
    assert not known & set(INSTEAD)
    named = {name for hint in INSTEAD.values() for name in re.findall(r"(\w+)\(", hint)}
    assert named <= known
