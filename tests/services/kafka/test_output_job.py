"""The five goals of the nginx example between servers: a topic in, four topics and an index out.

What comes out must be what the same example with files gives for the same log.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.services.kafka.runs import Run

from tailrace.generate.nginx import NginxTraffic

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka
    from tests.servers.opensearch import OpenSearch

EXAMPLE = Path(__file__).parents[3] / "examples/nginx"
GOALS = ("goal1", "goal2", "goal3", "goal4")


def between_servers(kafka: Kafka, opensearch: OpenSearch, folder: Path) -> Run:
    """The example with topics and an index of its own; `tailrace init` has yet to make them."""
    name = folder.name.replace("_", "-")
    text = (EXAMPLE / "kafka.yaml").read_text()
    for goal in GOALS:
        text = text.replace(f"topic: {goal}-topic", f"topic: {name}-{goal}")
    text = text.replace("topics: [test-inter]", f"topics: [{name}-in]")
    text = text.replace("index: test-inter", f"index: {name.lower()}-raw")
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(text)
    environment = {"TAILRACE_KAFKA": kafka.address, "TAILRACE_OPENSEARCH": opensearch.url}
    topics = {goal: f"{name}-{goal}" for goal in GOALS}
    return Run(kafka, folder, topics, environment)


@pytest.mark.parametrize(
    ("count", "kills"),
    [(20_000, 1), pytest.param(200_000, 8, marks=[pytest.mark.soak, pytest.mark.timeout(900)])],
)
def test_goals(
    kafka: Kafka, opensearch: OpenSearch, tmp_path: Path, count: int, kills: int
) -> None:
    log = tmp_path / "access.ndjson"
    NginxTraffic(seed=3, profile="seed", rate=100.0, count=count, start_us=10**15).write(log)
    files = tmp_path / "files"
    (files / "out").mkdir(parents=True)
    command = [sys.executable, "-m", "tailrace.cli.main", "run", str(EXAMPLE / "pipeline.yaml")]
    options = ["--set", f"source.file.path={log}", "--store", "store.duckdb"]
    subprocess.run([*command, *options], cwd=files, check=True, stdout=subprocess.DEVNULL)
    expected = {
        goal: sorted(
            json.dumps(json.loads(line))
            for line in (files / f"out/{goal}.ndjson").read_text().splitlines()
        )
        for goal in GOALS
    }

    unique = f"job-{tmp_path.parent.name}-{tmp_path.name}".replace("_", "-").lower()
    run = between_servers(kafka, opensearch, tmp_path / unique)
    assert run.command("run").wait(60) == 2
    assert "tailrace init" in run.log
    assert run.command("init").wait(60) == 0
    lines = log.read_bytes().splitlines()
    run.start()
    for number in range(kills):
        kafka.send(f"{unique}-in", lines[number * count // kills : (number + 1) * count // kills])
        run.kill()
        run.start()
    kafka.kill()
    kafka.start()
    run.kill()
    run.finish()
    found = run.messages()
    for goal, rows in expected.items():
        assert found[goal] == rows
        assert rows
    index = f"{unique}-raw"
    assert len(opensearch.documents(index)) == count
