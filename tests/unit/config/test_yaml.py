"""YAML: what is malformed, what is refused, and what stays text."""

from pathlib import Path

import pytest
from tests.unit.config.pipelines import pipeline, problems, read, told

from tailrace.config import Alert, load
from tailrace.errors import PipelineError, Where

MALFORMED = [
    ("§", "the file is empty", "a pipeline file begins with 'name: ...'"),
    ("§# nothing\n", "the file is empty", "a pipeline file begins with 'name: ...'"),
    ("§~", "expected keys with values, found nothing", "a pipeline file begins with 'name: ...'"),
    ("§web", "expected keys with values, found 'web'", "a pipeline file begins with 'name: ...'"),
    ("§- a", "expected keys with values, found a list", "a pipeline file begins with 'name: ...'"),
    (
        "time: {field: §@timestamp}",
        "text can't begin with '@' outside quotes",
        'put it in quotes: "@..."',
    ),
    (
        "a: §`b`",
        "text can't begin with '`' outside quotes",
        'put it in quotes: "`..."',
    ),
    (
        "a: §%b",
        "text can't begin with '%' outside quotes",
        'put it in quotes: "%..."',
    ),
    ("a:\n§\tb: c", "a tab can't indent YAML", "use spaces"),
    ("a: b\nc: §'d\n", "a quote is opened here and never closed", None),
    ('a: b\nc: §"d\n', "a quote is opened here and never closed", None),
    (
        "a: b§: c",
        "a ':' is not allowed here",
        "a text with ': ' in it needs quotes; otherwise check the indentation of this line",
    ),
    (
        "a: b\n§c\nd: e",
        "this line has no ':' after its key",
        "a key is written 'key: value'",
    ),
    (
        "a: {b: c§",
        "',' or '}' is missing here",
        "if '{' began a text, put the whole text in quotes",
    ),
    (
        "a: [b, c§",
        "',' or ']' is missing here",
        "if '[' began a text, put the whole text in quotes",
    ),
    (
        "summary: {host} §is down",
        "text goes on after the end of a quoted text, '}' or ']'",
        "put the whole text in quotes, of the other kind if it has quotes itself",
    ),
    (
        "when: 'GET' §= method",
        "text goes on after the end of a quoted text, '}' or ']'",
        "put the whole text in quotes, of the other kind if it has quotes itself",
    ),
    (
        "a:\n  b: c\n §d: e",
        "this doesn't belong here",
        "compare the indentation with the lines above; text with ': ', '{' or quotes needs quotes",
    ),
    (
        "a: §- b",
        "a '-' is not allowed here",
        "compare the indentation with the lines above; text with ': ', '{' or quotes needs quotes",
    ),
    ("§: b", "there is no key before this ':'", "a key is written 'key: value'"),
    (
        "a: §*b",
        "text that begins with '*' refers to an anchor, and there is none of this name",
        "if it is a text, put the whole text in quotes",
    ),
    (
        "a: §* b",
        "'*' and '&' refer to anchors in YAML",
        "if it is a text, put the whole text in quotes",
    ),
    (
        "a: b\n§---\nc: d\n",
        "a second document begins here",
        "a pipeline file has one; remove the '---'",
    ),
    (
        r'a: "\§d"',
        r"there is no escape '\d' in double quotes",
        r"use single quotes, or write '\\' for a backslash",
    ),
    (
        r'a: "\x§1"',
        "an escape in double quotes is not complete",
        r"use single quotes, or write '\\' for a backslash",
    ),
    (
        "a: |§b\n c",
        "nothing but a comment may follow '|' or '>' in its line",
        "begin the text in the next line",
    ),
    (
        "a: b\nc: d§\x01",
        "the character U+0001 is not allowed in YAML",
        'in double quotes it can be written as "\\u0001"',
    ),
    ("[" * 32 + "§[", "nested more than 32 levels deep", None),
]


@pytest.mark.parametrize(("marked", "message", "hint"), MALFORMED)
def test_malformed(marked: str, message: str, hint: str | None) -> None:
    before = marked.partition("§")[0]
    place = Where("p.yaml", before.count("\n") + 1, len(before) - before.rfind("\n"))
    (problem,) = problems(marked.replace("§", ""))
    where = problem.where if problem.where and problem.where.line else Where("p.yaml", 1, 1)
    assert (problem.message, problem.hint, where) == (message, hint, place)


REFUSED = [
    ("name: §!!python/object:os.system x", "tags such as '!!python/object:os.system' are not"),
    ("name: §!secret x", "tags such as '!secret' are not supported"),
    ("name: §!!int 3", "tags such as '!!int' are not supported"),
    ("? §[a]\n: b", "a key must be text"),
    ("§{a: b}: c", "a key must be text"),
    ("§~: c", "a key is empty"),
    ("name: web\n§name: app", "the key 'name' is there twice; first in line 1"),
    ("time: {field: a, §field: b}", "the key 'field' is there twice; first in line 1"),
    ("name: §&a [*a]", "an alias stands within its own anchor"),
    ("name: §&a {x: *a}", "an alias stands within its own anchor"),
    ("name: §&a {<<: *a}", "an alias stands within its own anchor"),
    ("<<: §web", "'<<' merges mappings: <<: *anchor"),
    ('name: §"a\\0b"', "the text has NUL or half of a surrogate pair in it"),
    ('name: §"\\ud800"', "the text has NUL or half of a surrogate pair in it"),
]


@pytest.mark.parametrize(("marked", "message"), REFUSED)
def test_refused(marked: str, message: str) -> None:
    before = marked.partition("§")[0].replace("§", "")
    place = Where("p.yaml", before.count("\n") + 1, len(before) - before.rfind("\n"))
    found = problems(marked.replace("§", ""))
    assert any(p.message.startswith(message) and p.where == place for p in found), found


def test_laughs_are_not_expanded() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 20)]
    assert any("aliases expand the file to over" in line for line in told("\n".join(lines)))


def test_a_long_file_is_not_read() -> None:
    assert told("# " + "x" * (1 << 20)) == [
        "the file is longer than 1048576 characters | is it the pipeline file?"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "on",
        "y",
        "True",
        "1:30",
        "0x1F",
        "010",
        "1_000",
        "1e3",
        ".inf",
        "2024-01-01",
        "=",
        "5",
    ],
)
def test_text_stays_text(text: str) -> None:
    rules = f"rules: [{{alert: a, when: {text}, labels: {{team: {text}}}}}]"
    (rule,) = read(pipeline(rules=rules)).config.rules
    assert isinstance(rule, Alert)
    assert rule.when == text
    assert dict(getattr(rule, "labels")) == {"team": text}  # noqa: B009 (a union of rules)


@pytest.mark.parametrize(
    ("written", "value"),
    [("yes", True), ("on", True), ("true", True), ("'true'", True), ("no", False), ("OFF", False)],
)
def test_truths(written: str, value: bool) -> None:
    source = f"source: {{folder: {{path: spool, follow: {written}}}}}"
    assert getattr(read(pipeline(source=source)).config.source, "follow") is value  # noqa: B009


def test_anchors_and_merges() -> None:
    rules = """\
rules:
  - &base
    alert: slow
    window: &size 1m
    when: avg(status) > 3
    labels: {severity: page}
  - <<: *base
    alert: slower
    window: 5m
  - <<: [{record: rate}, *base]
    labels: {severity: page}
"""
    text = pipeline(rules=rules)
    # The last one merges a record and an alert.
    assert told(text) == [
        (
            "7:12 rules.slow.alert: the name 'slow' is taken by rule 1 of this file | each rule has"
            " a name of its own"
        ),
        "14:5 rules.slow: a rule is one of alert, record, not all | make two rules of it",
    ]
    text = text[: text.index("  - <<: [")] + BASE_OUTPUTS
    first, second = read(text).config.rules
    assert isinstance(first, Alert)
    assert isinstance(second, Alert)
    assert (first.name, str(first.window)) == ("slow", "1m")
    assert (second.name, str(second.window), second.when) == ("slower", "5m", first.when)


BASE_OUTPUTS = "outputs: {alerts: {terminal: {}}}\n"


@pytest.mark.parametrize(
    ("contents", "place", "message"),
    [
        (None, "", "there is no such file"),
        (b"name: web\nsource: \xff\n", ":2", "the byte 0xff is not UTF-8"),
        (b"name: [a\n", ":2:1", "',' or ']' is missing here"),
    ],
)
def test_file(contents: bytes | None, place: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(PipelineError) as caught:
        load(path, env={})
    (problem,) = caught.value.problems
    assert (str(problem.where), problem.message) == (f"{path}{place}", message)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="can't be read: Is a directory"):
        load(tmp_path, env={})


def test_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + pipeline().replace("\n", "\r\n").encode())
    loaded = load(path, env={})
    assert loaded.config.name == "web"
    assert loaded.store_path == tmp_path / ".tailrace" / "web.duckdb"
    assert loaded.positions.where(("time", "field")) == Where(str(path), 3, 15)
