"""examples/server-logs on logs of which it is known what they are: every label agrees."""

import json
import shutil
from pathlib import Path

from tests.cli.processes import tailrace

EXAMPLE = Path(__file__).parents[2] / "examples" / "server-logs"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_label_agrees_with_the_truth(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "pipeline.yaml", tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    made = tailrace(
        *("generate", "server-logs", "--count", "5000", "--seed", "7", "--known", "500"),
        *("--malformed", "0.01", "--late", "0.02", "--start", "1619724510"),
        *("--out", "out/server-logs.ndjson", "--truth", "out/truth.ndjson"),
        *("--users", "out/users.csv"),
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    ran = tailrace("run", "pipeline.yaml", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    found = [row["status"] for row in lines(out / "server-logs-status.ndjson")]
    wanted = [row["status"] for row in lines(out / "truth.ndjson")]
    assert found == wanted
    assert {status: wanted.count(status) > 100 for status in ("good", "suspicious", "bad")} == {
        "good": True,
        "suspicious": True,
        "bad": True,
    }
