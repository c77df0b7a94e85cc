"""``${NAME}``: filled in, told when missing, never shown."""

import pytest
from tests.unit.config.pipelines import pipeline, read, told

from tailrace.config import FileSource
from tailrace.config.secrets import Redactor

ENV = {"DIR": "/var/log", "EMPTY": "", "YAML": "a, b: {c", "SECRET": "hunter2000"}


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("${DIR}/a.log", "/var/log/a.log"),
        ("'${DIR}/${DIR}'", "/var/log//var/log"),
        ("${NONE:-spool}", "spool"),
        ("${NONE:-}/a", "/a"),
        ("${EMPTY:-spool}", "spool"),
        ("${DIR:-spool}", "/var/log"),
        ("a${EMPTY}b", "ab"),
        ("${YAML}", "a, b: {c"),  # a value adds nothing to the file
        ("$${DIR}", "${DIR}"),
        ("$$${DIR}", "$${DIR}"),
        ("$DIR", "$DIR"),
        ("a$", "a$"),
        ("${NONE:-a:-b}", "a:-b"),
    ],
)
def test_filled_in(written: str, path: str) -> None:
    source = f"source:\n  file:\n    path: {written}\n"
    config = read(pipeline(source=source), ENV).config
    assert isinstance(config.source, FileSource)
    assert config.source.paths == (path,)


LONG = "x" * 57
"""So long that what follows is cut off where values are shown."""
PLAIN = "for a plain '${' write '$${'"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "a/${NONE}",
            (
                f"4:13 the environment variable NONE is not set | set it, or give a default:"
                f" ${{NONE:-value}}; {PLAIN}"
            ),
        ),
        (
            "'${'",
            f"4:12 '${{' begins no reference | write ${{NAME}} or ${{NAME:-default}}; {PLAIN}",
        ),
        (
            "'${DIR:?x}'",
            f"4:12 '${{' begins no reference | write ${{NAME}} or ${{NAME:-default}}; {PLAIN}",
        ),
        ("'${BAD}'", "4:12 the environment variable BAD is not UTF-8 text | set it to plain text"),
    ],
)
def test_mistakes(written: str, problem: str) -> None:
    source = f"source:\n  file:\n    path: {written}\n"
    assert told(pipeline(source=source), {**ENV, "BAD": "\udcff"}) == [problem]


def test_a_value_that_is_missing_is_told_once() -> None:
    text = pipeline(x="limits: {max_keys: '${KEYS}', max_distinct: '${KEYS}'}")
    assert [line.partition(" | ")[0] for line in told(text)] == [
        "7:21 the environment variable KEYS is not set",
        "7:46 the environment variable KEYS is not set",
    ]


def test_numbers_and_truths_come_from_the_environment_too() -> None:
    text = pipeline(
        x="limits: {max_keys: '${KEYS}', max_record_bytes: '${SIZE}'}",
        source="source: {stdin: {}}",
        time="time: {field: ts, grace: '${GRACE}'}",
    )
    config = read(text, {"KEYS": "64", "SIZE": "1KiB", "GRACE": "1m"}).config
    assert (config.limits.max_keys, config.limits.max_record_bytes) == (64, 1024)
    assert config.time.grace == 60_000_000


@pytest.mark.parametrize(
    "section",
    [
        {"x": "limits: {max_keys: '${SECRET}'}"},
        {"x": "format: '${SECRET}'"},
        {"x": "archive: {to: '${SECRET}'}"},
        {"x": "dedup: {by: '${SECRET}', within: 1s}"},
        {"name": "name: 'a ${SECRET}'"},
        {"time": f"time: {{field: ts, zone: '{LONG}${{SECRET}}'}}"},
        {"time": "time: {field: ts, grace: '${SECRET}'}"},
        {"rules": "rules: [{alert: '${SECRET}', when: a}, {alert: '${SECRET}', when: a}]"},
        {"rules": "rules: [{alert: '${SECRET}', when: a, window: x}]"},
        {"fields": "fields: {a: {type: '${SECRET}'}}"},
    ],
)
def test_secrets_are_in_no_error(section: dict[str, str]) -> None:
    shown = "\n".join(told(pipeline(**section), ENV))
    assert "hunt" not in shown
    assert "${SECRET}" in shown or "xxxx" in shown


def test_secrets_are_known_to_what_was_loaded() -> None:
    source = "source: {file: {path: '${DIR}/${NONE:-spool}/${SECRET}'}}"
    loaded = read(pipeline(source=source), ENV)
    assert loaded.secrets == {"/var/log", "hunter2000"}
    assert loaded.redact("a hunter2000 in /var/log/x") == "a ${SECRET} in ${DIR}/x"
    assert "hunter2000" not in repr(loaded)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("a 1 and 10", "a ${SHORT} and 10"),  # a short value only where it stands alone
        ("swordfishing", "${PART}ing"),
        ("a swordfish dish", "a ${WHOLE}"),  # the longest one
        ("no secret", "no secret"),
    ],
)
def test_redaction(text: str, redacted: str) -> None:
    secrets = {"1": "SHORT", "swordfish": "PART", "swordfish dish": "WHOLE"}
    assert Redactor(secrets)(text) == redacted
