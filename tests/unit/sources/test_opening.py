"""From the configuration to a source."""

from pathlib import Path

import pytest
from tests.unit.sources.taking import take_all

from tailrace.config import Alert, EventField, Limits, PipelineConfig, TimeSettings
from tailrace.config.source import AnySource, FileSource, FolderSource, StdinSource
from tailrace.sources.opening import open_source


def pipeline(source: AnySource) -> PipelineConfig:
    return PipelineConfig(
        name="opening",
        source=source,
        time=TimeSettings(field="t"),
        fields={"a": EventField(type="text")},
        limits=Limits(max_record_bytes=4),
        rules=(Alert(name="any", when="true"),),
    )


@pytest.mark.parametrize("until_end", [False, True])
@pytest.mark.parametrize(
    ("kind", "follow"), [("file", False), ("file", True), ("folder", False), ("folder", True)]
)
def test_kinds(tmp_path: Path, kind: str, *, follow: bool, until_end: bool) -> None:
    (tmp_path / "a.log").write_text("one\ntoo long\nhalf")
    (tmp_path / "b.txt").write_text("two\n")
    config: AnySource
    if kind == "file":
        path = (str(tmp_path / "*.log"),)
        config = FileSource(path=path, follow=follow, fields="(?P<name>[^/]+).log")
    else:
        config = FolderSource(path=str(tmp_path), pattern="*.log", follow=follow)
    source = open_source(pipeline(config), until_end=until_end)
    assert source.bounded == (until_end or not follow)
    taking = take_all(source)
    assert taking.all_lines == [b"one\n", b"too "] + ([] if follow else [b"half"])
    assert taking.slices[0].fields == ({"name": "a"} if kind == "file" else {})
    assert bool(taking.ended) == source.bounded


def test_stdin() -> None:
    assert open_source(pipeline(StdinSource())).bounded
