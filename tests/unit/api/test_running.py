"""One pipeline over every kind of input: the same answers."""

import gzip
import itertools
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.unit.api.pipelines import TEXT, line, pipeline

import tailrace
from tailrace import Pipeline, SourceError, StoreError, TailraceError

LINES = [line(0), line(1), line(2), line(3, "192.0.2.2", 418), "", "{broken", line(70)]


def rows() -> pa.Table:
    return pa.table(
        {
            "at": pa.array([0, 1, 2, 3, 70]),
            "client_ip": ["192.0.2.1"] * 3 + ["192.0.2.2", "192.0.2.1"],
            "status": pa.array([200, 200, 200, 418, 200], pa.int16()),
            "took": [0.5] * 5,
            "cached": pa.nulls(5),
            "more": ["is ignored"] * 5,
        }
    )


def written(folder: Path) -> Path:
    path = folder / "access.ndjson"
    path.write_text("\n".join(LINES) + "\n")
    return path


def zipped(folder: Path) -> Path:
    path = folder / "access.ndjson.gz"
    path.write_bytes(gzip.compress(("\n".join(LINES) + "\n").encode()))
    return path


INPUTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "lines of text": lambda _: {"records": LINES},
    "lines from a generator": lambda _: {"records": (one for one in LINES)},
    "bytes": lambda _: {"records": "\n".join(LINES).encode()},
    "a partition": lambda _: {"records": {"access": "\n".join(LINES)}},
    "a file": lambda folder: {"files": written(folder)},
    "files": lambda folder: {"files": [str(written(folder))]},
    "a compressed file": lambda folder: {"files": zipped(folder)},
    "a table": lambda _: {"tables": rows()},
    "a list of tables": lambda _: {"tables": [rows().slice(0, 2), rows().slice(2)]},
    "an iterator of batches": lambda _: {"tables": iter(rows().to_batches(max_chunksize=2))},
    "a data frame": lambda _: {"tables": rows().to_pandas()},
    "tables of a partition": lambda _: {"tables": {"access": rows()}},
}


@pytest.mark.parametrize("kind", INPUTS)
def test_inputs(kind: str, tmp_path: Path) -> None:
    given = INPUTS[kind](tmp_path)
    result = pipeline().run(**given)
    typed = "tables" in given
    assert result.counts.to_pylist()[0] | {"bytes": 0} == {
        "read": 5 if typed else 7,
        "events": 5,
        "dead": 0 if typed else 1,
        "blank": 0 if typed else 1,
        "duplicates": 0,
        "bytes": 0,
    }
    assert result.incidents["key"].to_pylist() == ['{"client_ip":"192.0.2.1"}']
    assert result.revisions["reason"].to_pylist() == ["opened", "resolved"]
    assert result.alerts["rule"].to_pylist() == ["teapot"]
    assert result.windows("flood").select(["client_ip", "count"]).to_pylist() == [
        {"client_ip": "192.0.2.1", "count": 3}
    ]
    record = result.records["per_status"].sort_by(
        [("window_start", "ascending"), ("status", "ascending")]
    )
    assert record.to_pylist() == [
        {
            "window_start": moment(0),
            "window_end": moment(60),
            "status": 200,
            "requests": 3,
            "mean": 0.5,
        },
        {
            "window_start": moment(0),
            "window_end": moment(60),
            "status": 418,
            "requests": 1,
            "mean": 0.5,
        },
        {
            "window_start": moment(60),
            "window_end": moment(120),
            "status": 200,
            "requests": 1,
            "mean": 0.5,
        },
    ]
    assert result.dead_letters["code"].to_pylist() == ([] if typed else ["malformed_json"])
    accepted = {row["rule"]: row["accepted"] for row in result.rule_counts.to_pylist()}
    assert accepted == {"flood": 5, "per_status": 5, "teapot": 5}


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_own_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert pipeline().run().counts["read"].to_pylist() == [7]


def test_store_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "web.duckdb"
    first = pipeline().run(records={"a": line(0)}, store=store)
    assert first.counts["read"].to_pylist() == [1]
    again = pipeline().run(records={"a": line(0)}, store=store)
    assert again.counts["read"].to_pylist() == [1]
    assert again.records["per_status"].num_rows == 0


def test_store_of_another_pipeline(tmp_path: Path) -> None:
    store = tmp_path / "web.duckdb"
    pipeline().run(records=LINES, store=store)
    with pytest.raises(StoreError, match="belongs to pipeline 'web'"):
        pipeline(TEXT.replace("name: web", "name: other")).run(records=LINES, store=store)


def test_deliver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("when: count(*) > 2", "when: count(*) > 2\n    to: [out]")
    text += "outputs: {out: {file: {path: out.ndjson}}}\n"
    pipeline(text).run(records=LINES)
    assert not Path("out.ndjson").exists()
    pipeline(text).run(records=LINES, deliver=True)
    assert len(Path("out.ndjson").read_text().splitlines()) == 2


WRONG: Mapping[str, tuple[dict[str, Any], str]] = {
    "two inputs": ({"records": b"", "files": "x"}, "files and records are given"),
    "no such file": ({"files": "/nowhere/x.ndjson"}, "/nowhere/x.ndjson"),
    "no lines": ({"records": 7}, "records of type int"),
    "no table": ({"tables": [7]}, "int is no table"),
    "missing columns": (
        {"tables": rows().select(["at"])},
        "no column 'client_ip'.*no column 'took'",
    ),
    "no time": ({"tables": rows().drop_columns(["at"])}, "no column 'at' for the time"),
    "a wrong type": (
        {"tables": rows().set_column(2, "status", pa.array(["200"] * 5))},
        "column 'status' is string, which is no field of type integer",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input(case: str) -> None:
    given, message = WRONG[case]
    with pytest.raises(TailraceError, match=message) as caught:
        pipeline().run(**given)
    assert caught.value.problems


def test_followed_source_never_ends() -> None:
    text = TEXT.replace('path: "access*.ndjson"', 'path: "access.ndjson", follow: true')
    with pytest.raises(TailraceError, match="would never end"):
        pipeline(text).run()


def test_unknown_rule() -> None:
    result = pipeline().run(records=LINES)
    with pytest.raises(TailraceError, match="'floods' is not in the pipeline"):
        result.windows("floods")
    with pytest.raises(TailraceError, match="'teapot' has no window"):
        result.windows("teapot")


def test_iterator_of_tables_begins_once(tmp_path: Path) -> None:
    """A store that stands further back than an iterator that was used up can't be served."""
    tables = iter([rows()])
    pipeline().run(tables=tables, store=tmp_path / "one.duckdb")
    left = pipeline().run(tables=tables, store=tmp_path / "two.duckdb")
    assert left.counts["read"].to_pylist() == [0]
    with pytest.raises(SourceError, match="end at row 0"):
        pipeline().run(tables=iter([]), store=tmp_path / "one.duckdb")


def test_partitions_are_read_by_time() -> None:
    """Two partitions of the same times: neither makes the other late."""
    many = [line(second / 10) for second in range(2000)]
    result = pipeline().run(records={"a": many, "b": many})
    assert result.rule_counts["late"].to_pylist() == [0, 0, 0]
    tables = {
        name: pa.table(
            {
                "at": [second / 10 for second in range(2000)],
                "client_ip": ["192.0.2.1"] * 2000,
                "status": [200] * 2000,
                "took": [0.5] * 2000,
                "cached": [True] * 2000,
            }
        )
        for name in "ab"
    }
    typed = pipeline().run(tables=tables)
    windows = [r.records["per_status"].sort_by("window_start") for r in (result, typed)]
    assert windows[0] == windows[1]


def test_result_keeps_keys_beyond_compaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """More keys than are kept without compacting: each window still names its own key."""
    monkeypatch.setattr("tailrace.engines.embedded.engine.BATCH_BYTES", 1 << 19)
    monkeypatch.setattr("tailrace.engines.embedded.engine.EPOCH_BYTES", 1)
    lines = [line(at, f"10.0.{at // 250}.{at % 250}") for at in range(9000) for _ in range(3)]
    windows = pipeline().run(records=lines).windows("flood")
    found = set(
        zip(windows["window_start"].to_pylist(), windows["client_ip"].to_pylist(), strict=True)
    )
    expected = {(moment(at // 10 * 10), f"10.0.{at // 250}.{at % 250}") for at in range(9000)}
    assert found == expected


def test_import_is_cheap() -> None:
    heavy = "{'duckdb', 'numpy', 'pyarrow', 'pydantic'}"
    code = f"import tailrace, sys; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_every_name_is_there() -> None:
    assert all(getattr(tailrace, name) is not None for name in tailrace.__all__)
    assert dir(tailrace) == sorted(tailrace.__all__)
    with pytest.raises(AttributeError, match="'Pipelines'"):
        _ = tailrace.Pipelines


def test_chunks_do_not_matter() -> None:
    """However tables are cut, the result is the same."""
    whole = pipeline().run(tables=rows()).records["per_status"]
    for cuts in itertools.combinations(range(1, 5), 2):
        edges = [0, *cuts, 5]
        parts = [rows().slice(a, b - a) for a, b in itertools.pairwise(edges)]
        assert pipeline().run(tables=parts).records["per_status"] == whole


def test_loading(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(TEXT.replace("grace: 0s", 'grace: "${GRACE:-0s}"'))
    loaded = Pipeline.load(path, sets=["name=shop"], env={"GRACE": "3s"})
    assert (loaded.name, int(loaded.config.time.grace)) == ("shop", 3_000_000)
    assert loaded.rules == ("flood", "per_status", "teapot")
    assert repr(loaded) == "<Pipeline shop: flood, per_status, teapot>"
