"""Lists of verdicts as tables of real databases: one row a key, which says whether it is listed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

pytestmark = pytest.mark.services
KINDS = ("postgresql", "mariadb", "sqlite")

PIPELINE = """\
name: bots
source: {file: {path: log.ndjson}}
time: {field: t, grace: 0s}
fields: {ip: text}
rules:
  - {alert: flood, by: ip, window: 10s, when: count(*) >= 3}
verdicts:
  bots: {from: [flood], for: 1m, to: [offenders]}
outputs:
  offenders: {sql: {url: "URL", table: offenders}}
"""


def tailrace(*words: str, cwd: Path) -> None:
    run = subprocess.run(
        (sys.executable, "-m", "tailrace.cli.main", *words),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_current_offenders(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'rows.db'}"
    if kind != "sqlite":
        url = str(request.getfixturevalue(kind).fresh_database())
    (tmp_path / "p.yaml").write_text(PIPELINE.replace("URL", url))
    times = {"a": (1, 2, 3, 51, 52, 53), "b": (4, 5, 6), "c": (81, 82, 83), "z": (130,)}
    rows = sorted((at, ip) for ip, each in times.items() for at in each)
    (tmp_path / "log.ndjson").write_text(
        "".join(json.dumps({"t": at, "ip": ip}) + "\n" for at, ip in rows)
    )
    tailrace("init", cwd=tmp_path)
    tailrace("run", cwd=tmp_path)
    with create_engine(url).connect() as connection:
        found = connection.execute(
            text("SELECT state, live, count, listings FROM offenders ORDER BY since, count")
        ).all()
    told = [(state, bool(live), count, listings) for state, live, count, listings in found]
    assert told == [
        ("expired", False, 1, 1),
        ("expired", False, 2, 1),
        ("listed", True, 1, 1),
    ]
