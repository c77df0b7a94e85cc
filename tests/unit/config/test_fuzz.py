"""Whatever is in a file: a configuration or a PipelineError, never anything else."""

import re
from collections.abc import Sequence
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.config.pipelines import pipeline
from tests.unit.config.test_python import FULL

from tailrace.config import Loaded, dumps, loads
from tailrace.errors import PipelineError

FULL_TEXT = dumps(FULL)
WORD = re.compile(r"\S+")
KEYS = st.sampled_from(
    WORD.findall("""
    name source file folder stdin path follow fields format csv log_format columns header time
    field zone grace arrival derive dedup by within limits max_keys dead_letters max_bytes rules
    alert record window where when select for labels annotations to archive outputs terminal table
    rows store type required min max from << a
    """)
)
PLAIN = WORD.findall("""
    a b flood count(*) 1m 5 -1 0 1e999 nan true no ~ null 64KiB UTC text integer double json csv
    ${A} ${B} ${B:-x} $${ @t 'q' *x windows alerts rows [] {}
""")
ODD = ["", "20s every 1s", "1s every 20s", "(?P<a>b", "(?P<host>b)", "a\0b", "\ud800", "x" * 300]
SCALARS = st.sampled_from([*PLAIN, *ODD])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.text(st.sampled_from("abc:-{}[]&*!|>'\"%@`#,? \n\t\\$\u00e9\u2028\x85\r<~=019"))


def attempt(text: str, sets: Sequence[str] = ()) -> None:
    outcome = loaded_or_error(text, sets)
    if isinstance(outcome, Loaded):
        assert loads(dumps(outcome.config), env={}).config == outcome.config
        return
    assert outcome.problems
    for problem in outcome.problems:
        assert problem.where is not None
        assert "\n" not in problem.message
        problem.render().encode()
    assert "Input should" not in outcome.render()
    assert "not valid here" not in outcome.render()


def loaded_or_error(text: str, sets: Sequence[str]) -> Loaded | PipelineError:
    try:
        return loads(text, env={"A": "1"}, sets=sets)
    except PipelineError as error:
        return error


@given(TEXTS)
@settings(max_examples=100)
def test_any_text(text: str) -> None:
    attempt(text)


@given(st.text())
def test_any_characters(text: str) -> None:
    attempt(text)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@settings(max_examples=100)
def test_any_document_of_known_words(document: dict[str, Any]) -> None:
    attempt(yaml.safe_dump(document, allow_unicode=True))


@given(st.sampled_from(["a", "1m", "~", "[a, b]", "{a: b}"]), st.data())
@settings(max_examples=40)
def test_any_value_changed_in_a_right_document(value: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(yaml.safe_load(FULL_TEXT))))
    attempt(FULL_TEXT, [f"{'.'.join(path)}={value}"])


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all values in a document, the document's own left out."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = [path] if path else []
    for key, item in inner:
        found += paths(item, (*path, str(key)))
    return found


@given(st.text(), st.sampled_from(["", "=", "time.grace=", "rules.", "rules.flood.", "fields.a="]))
def test_any_override(text: str, start: str) -> None:
    attempt(pipeline(), [start + text])


@given(st.integers(0, 400), st.integers(0, 30), TEXTS)
@settings(max_examples=60)
def test_any_change_of_a_right_text(at: int, length: int, instead: str) -> None:
    attempt(FULL_TEXT[:at] + instead[:5] + FULL_TEXT[at + length :])
