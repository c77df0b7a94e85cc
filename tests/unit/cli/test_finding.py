from pathlib import Path

import pytest

from tailrace.cli.finding import find_pipeline, find_store
from tailrace.errors import TailraceError

PIPELINE = """
name: {name}
source: {{stdin: {{}}}}
time: {{field: t}}
fields: {{a: text}}
rules: [{{alert: x, when: "a = 'b'"}}]
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return Path(path)


def test_what_is_named_counts() -> None:
    write("a.yaml", PIPELINE.format(name="a"))
    assert find_store(None, Path("x.duckdb")) == Path("x.duckdb")
    assert find_store(Path("y.duckdb"), None) == Path("y.duckdb")
    assert find_store(Path("a.yaml"), None) == Path(".tailrace/a.duckdb")
    assert find_store(Path("a.yaml"), None, ["store.path=z.duckdb"]) == Path("z.duckdb")


def test_the_only_pipeline_here() -> None:
    write("a.yaml", PIPELINE.format(name="a"))
    write("docker-compose.yml", "name: x\nservices: {}\n")
    write(".tailrace/a.duckdb", "")
    write(".tailrace/other.duckdb", "")
    assert find_store(None, None) == Path(".tailrace/a.duckdb")
    assert find_pipeline(None) == Path("a.yaml")


def test_the_only_store_here() -> None:
    write(".tailrace/other.duckdb", "")
    assert find_store(None, None) == Path(".tailrace/other.duckdb")


@pytest.mark.parametrize("text", [PIPELINE.format(name="renamed"), "name: [\nsource: x\n"])
def test_the_only_store_while_the_file_is_being_changed(text: str) -> None:
    write("a.yaml", text)
    write(".tailrace/a.duckdb", "")
    assert find_store(None, None) == Path(".tailrace/a.duckdb")


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        ([], "there is no pipeline file in this folder", "name one: PIPELINE, or --store PATH"),
        (["a.yaml", "b.yml"], "there are several pipeline files here", "name one: a.yaml, b.yml"),
        (
            [".tailrace/a.duckdb", ".tailrace/b.duckdb"],
            "there are several stores here",
            "name one: .tailrace/a.duckdb, .tailrace/b.duckdb",
        ),
    ],
)
def test_what_is_not_clear(files: list[str], message: str, hint: str) -> None:
    for file in files:
        write(file, PIPELINE.format(name="a"))
    with pytest.raises(TailraceError, match=message) as caught:
        find_store(None, None)
    assert caught.value.problems[0].hint == hint


@pytest.mark.parametrize(
    ("text", "store"),
    [
        ("name: web\nsource: [\n", None),
        ("name: web\nsource: {kafak: {}}\n", ".tailrace/web.duckdb"),
        ("name: web\nstore: {path: s.duckdb}\nsource: {}\n", "s.duckdb"),
        ("name: web\nsource: {file: {path: '${UNSET_HERE}'}}\n", ".tailrace/web.duckdb"),
        ("name: web\nstore: {path: '${UNSET_HERE}/s.duckdb'}\nsource: {}\n", None),
        ("name: '${UNSET_HERE:-web}'\nsource: {}\n", ".tailrace/web.duckdb"),
        ("- name\n", None),
    ],
)
def test_a_file_with_mistakes_says_where_its_store_is(text: str, store: str | None) -> None:
    path = write("a.yaml", text)
    if store is None:
        with pytest.raises(TailraceError):
            find_store(path, None)
    else:
        assert find_store(path, None) == Path(store)
