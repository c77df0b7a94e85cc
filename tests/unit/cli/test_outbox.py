import json
from pathlib import Path

import pytest
from tests.unit.engines.pipelines import lines, open_in, plan_in, run

from tailrace.cli.main import run as tailrace
from tailrace.engines.gathering import live_status, status_of_file, with_store
from tailrace.engines.status import REMOVED, ProcessStatus
from tailrace.plan.compile import check_file

PROCESS = ProcessStatus(1, 0, 1.0, 0.0, bounded=True, times={})


def test_rows_of_an_output_that_was_taken_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.ndjson").write_text(lines([0, 1, 2]))
    session = open_in(tmp_path, plan_in(tmp_path))
    (tmp_path / "out.ndjson").unlink()
    run(session)
    store = str(tmp_path / "store.duckdb")
    whole = json.loads(plan_in(tmp_path).text)["text"]
    path = tmp_path / "small.yaml"
    path.write_text(whole)

    assert tailrace(["outbox", "list", str(path), "--store", store]) == 0
    assert "out  file" in capsys.readouterr().out
    assert tailrace(["outbox", "drop", str(path), "--store", store, "--to", "out"]) == 2
    assert "a run delivers what waits for it" in capsys.readouterr().err

    kept = whole.replace(f'  out: {{file: {{path: "{tmp_path}/out.ndjson"}}}}\n', "")
    path.write_text(kept.replace("    to: [out]\n", ""))
    # It is seen while the changed pipeline runs, and then, in the store.
    session = open_in(tmp_path, check_file(path)[1])
    reader = session.store.reader()
    seen = with_store(live_status(session, PROCESS), reader)
    reader.close()
    session.close()
    for status in (seen, status_of_file(tmp_path / "store.duckdb")):
        gone = [o for o in status.outputs if o.kind == REMOVED]
        assert [(o.name, o.waiting_rows) for o in gone] == [("out", 2)]
    assert tailrace(["status", "--store", store]) == 0
    assert "! output out is not in the pipeline any more, and 2 rows" in capsys.readouterr().out

    assert tailrace(["outbox", "drop", str(path), "--store", store, "--to", "out"]) == 0
    assert capsys.readouterr().out.startswith("2 rows dropped")
    assert tailrace(["outbox", "list", str(path), "--store", store]) == 0
    assert capsys.readouterr().out == "nothing waits\n"
    assert tailrace(["outbox", "drop", str(path), "--store", store, "--to", "out"]) == 2
    assert "nothing waits for an output out" in capsys.readouterr().err
