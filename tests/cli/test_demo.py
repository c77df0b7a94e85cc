import re
from pathlib import Path

from tests.cli.processes import tailrace

SECONDS = "17"
"""Long enough for all attacks of a round, and for the first of them to be resolved."""


def test_attacks_are_found(tmp_path: Path) -> None:
    result = tailrace(
        "demo", "--seconds", SECONDS, "--seed", "1", cwd=tmp_path, TMPDIR=str(tmp_path)
    )
    assert (result.returncode, result.stderr) == (0, "")
    table = result.stdout[result.stdout.index("attacks found") - 10 :]
    for kind, rule in (
        ("flood", "client_flood"),
        ("failing-host", "host_errors"),
        ("slow-host", "slow_host"),
        ("scanner", "scanner"),
    ):
        assert re.search(rf"^  {kind} .* {rule} +\d+\.\d s ", table, re.MULTILINE), result.stdout
    assert "4 of 4 attacks found" in table
    assert re.search(r"resolved +client_flood", result.stdout)
    assert list(tmp_path.iterdir()) == []
