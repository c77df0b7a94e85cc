"""The JSON schema: complete, for editors to read, and in accord with `loads`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.unit.config.pipelines import BASE, pipeline
from tests.unit.config.schemas import wrong
from tests.unit.config.test_python import FULL

from tailrace.cli.schema import command
from tailrace.config import dumps, loads
from tailrace.config.reference_text import SECTIONS
from tailrace.config.schema import DIALECT, json_schema

SCHEMA: dict[str, Any] = json_schema()


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts(part)
    if isinstance(schema, list):
        for part in schema:
            yield from parts(part)


def test_is_of_the_dialect_and_plain_json() -> None:
    assert SCHEMA["$schema"] == DIALECT
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_every_option_is_described() -> None:
    for part in parts(SCHEMA):
        for key, option in part.get("properties", {}).items():
            if isinstance(option, dict) and key not in ("properties", "patternProperties"):
                assert option.get("description") or "$ref" in option, key


def test_objects_are_closed() -> None:
    for part in parts(SCHEMA):
        if part.get("type") == "object":
            assert "additionalProperties" in part, part


@pytest.mark.parametrize("text", [pipeline(), dumps(FULL)])
def test_fits_what_loads(text: str) -> None:
    loads(text, env={})
    assert wrong(yaml.safe_load(text), SCHEMA, SCHEMA) == []


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_fits_the_examples_of_the_reference(section: Any) -> None:
    document = yaml.safe_load(pipeline()) | yaml.safe_load(section.example)
    assert wrong(document, SCHEMA, SCHEMA) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "$ required"),
        (pipeline(x="achive: {to: rows}"), "$.achive enum"),
        (pipeline(time="time: {field: ts, grace: 5}"), "$.time.grace type"),
        (pipeline(time="time: {field: ts, grace: 5x}"), "$.time.grace pattern"),
        (pipeline(time="time: {field: ts, format: iso8601}"), "$.time.format enum"),
        (pipeline(x="limits: {max_keys: 0}"), "$.limits.max_keys minimum"),
        (pipeline(x="format: jsn"), "$.format enum"),
        (pipeline(fields="fields: {a: int}"), "$.fields.a enum"),
        (pipeline(fields="fields: {a b: text}"), "$.fields.a b enum"),
        (pipeline(source="source: {file: {pth: a}}"), "$.source.file required"),
        (pipeline(rules="rules: [{alert: a, when: x, form: 1m}]"), "$.rules.0.form enum"),
        (pipeline(rules="rules: [{record: a, window: 1m}]"), "$.rules.0 required"),
        (pipeline(x="archive: {to: []}"), "$.archive.to minItems"),
    ],
)
def test_finds_mistakes(text: str, place: str) -> None:
    found = wrong(yaml.safe_load(text) or {}, SCHEMA, SCHEMA)
    assert place in found


@pytest.mark.parametrize("name", BASE)
def test_a_value_may_come_from_the_environment(name: str) -> None:
    assert name in SCHEMA["properties"]
    document = yaml.safe_load(
        pipeline(
            x="limits: {max_keys: '${A}', max_record_bytes: '${A}'}",
            time="time: {field: '${A}', grace: '${A:-5s}'}",
            source="source: {file: {path: '${A}', follow: '${A}'}}",
        )
    )
    assert wrong(document, SCHEMA, SCHEMA) == []


def test_the_verb_prints_it() -> None:
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == SCHEMA


def test_help_says_how_editors_use_it() -> None:
    shown = CliRunner().invoke(command, ["--help"]).stdout
    assert "# yaml-language-server: $schema=tailrace.schema.json" in shown
