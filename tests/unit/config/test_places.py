"""Where a value, a key, and each character of a text stand in the file."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.config.pipelines import pipeline, read

from tailrace.config import Alert, Positions
from tailrace.config.document import Document
from tailrace.config.scalar_places import places_of
from tailrace.config.yaml_tree import compose
from tailrace.errors import Problem, Where

# The text of a rule's condition; § stands before the character that `find` names.
WRITTEN = [
    ("when: count(*) §> 10", ">"),
    ("when: 'path = ''/§x'''", "x"),
    ("when: 'path = §''/x'''", "'"),
    (r'when: "a = §\"b\""', '"'),
    (r'when: "a\t\x41\u00e9 §> 10"', ">"),
    ('when: "a\n        §> 10"', ">"),
    ('when: "a \\\n        §> 10"', ">"),
    ("when: count(*)\n      §> 10", ">"),
    ("when: |\n      count(*)\n      §> 10", ">"),
    ("when: |2-\n      count(*)\n        §> 10", ">"),
    ("when: >-\n      count(*)\n\n      §> 10", ">"),
    ("when: > # a comment > here\n      count(*)\n      §= 10", "="),
    ("when: &limit  count(*) §> 10", ">"),
]


@pytest.mark.parametrize(("marked", "find"), WRITTEN)
def test_inside_a_text(marked: str, find: str) -> None:
    text = pipeline(rules=f"rules:\n  - alert: a\n    window: 1m\n    {marked}")
    before = text.partition("§")[0]
    loaded = read(text.replace("§", ""))
    rule = loaded.config.rules[0]
    assert isinstance(rule, Alert)
    when = rule.when
    assert when is not None
    place = loaded.positions.where(("rules", 0, "when"), when.index(find))
    assert place == Where("p.yaml", before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_inside_a_text_with_the_environment() -> None:
    text = pipeline(rules="rules: [{alert: a, when: 'x > ${LOW:-1} and $${y} < ${HIGH} or'}]")
    loaded = read(text, {"HIGH": "1000"})
    rule = loaded.config.rules[0]
    assert isinstance(rule, Alert)
    when = rule.when
    assert when == "x > 1 and ${y} < 1000 or"
    line = text.splitlines()[4]

    def column(offset: int) -> int | None:
        return loaded.positions.where(("rules", 0, "when"), offset).column

    assert column(when.index(">")) == line.index(">") + 1
    assert column(when.index("1 and")) == line.index("${LOW") + 1
    assert column(when.index("and")) == line.index("and") + 1
    assert column(when.index("y")) == line.index("y}") + 1
    assert column(when.index("000")) == line.index("${HIGH") + 1
    assert column(when.index("or")) == line.index("or'") + 1
    assert column(len(when)) == line.index("or'") + 3


TEXT = pipeline(time="time:\n  field: ts\n  grace: 5s")


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), "1:1", "1:1"),
        (("name",), "1:7", "1:1"),
        (("time",), "4:3", "3:1"),
        (("time", "grace"), "5:10", "5:3"),
        (("time", "zone"), "4:3", "4:3"),  # a default: what is around it
        (("rules", 0), "7:9", "7:9"),
        (("rules", 0, "window"), "7:32", "7:24"),
        (("limits", "max_keys"), "1:1", "1:1"),
    ],
)
def test_of_values_and_keys(path: tuple[str | int, ...], value: str, key: str) -> None:
    positions = read(TEXT).positions
    assert str(positions.where(path)) == f"p.yaml:{value}"
    assert str(positions.where_key(path)) == f"p.yaml:{key}"


def test_of_a_pipeline_from_python_are_paths() -> None:
    assert str(Positions().where(("rules", 0, "when"), 3)) == "rules.0.when"
    assert str(Positions().where(())) == "pipeline"


_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n '\"\\")
)


@example(text="0 01", style='"', width=10)
@given(_TEXTS, st.sampled_from([None, "'", '"', "|", ">"]), st.integers(10, 80))
def test_visible_characters_are_found_in_every_style(
    text: str, style: str | None, width: int
) -> None:
    written = yaml.dump(
        {"key": {"text": text}}, default_style=style, allow_unicode=True, width=width
    )
    node = compose(written, "f")
    assert node is not None
    assert not isinstance(node, Problem)
    ((_, inner),) = node.value
    ((_, scalar),) = inner.value
    assert scalar.value == text
    source = written[scalar.start_mark.index : scalar.end_mark.index]
    places = places_of(text, source, scalar.style)
    assert len(places) == len(text) + 1
    assert places == sorted(places)
    for character, place in zip(text, places, strict=False):
        if not character.isspace() and source[place] != "\\":
            assert source[place] == character


def test_lines_are_counted_as_editors_do() -> None:
    document = Document("a: 'b\r\n  c'", "f", {})
    node = compose(document.text, "f")
    assert node is not None
    assert not isinstance(node, Problem)
    document.read(node)
    inside = document.places["a",].inside
    assert inside is not None
    assert inside(2) == Where("f", 2, 3)
