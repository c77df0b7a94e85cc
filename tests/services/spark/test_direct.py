"""Records, labelled and archived events that workers write to OpenSearch themselves."""

from pathlib import Path
from typing import Any

import pytest
from tests.servers.opensearch import OpenSearch
from tests.services.conftest import Fresh
from tests.services.spark.conftest import Made
from tests.services.spark.runs import Run, on_spark, traffic

COUNT = 8000

RULES = """
rules:
  - alert: goal1
    by: client_ip
    window: 20s every 1s
    when: count(*) > 10
    to: [incidents]
  - record: goal3
    by: country
    window: 1m
    select: {count: count(*)}
    to: [rows]
  - record: goal4
    by: host
    window: 1m
    select: {mean: avg(request_time)}
    to: [rows, kept]
  - classify: verdict
    labels: {failed: {server: status >= 500}, odd: {client: status >= 400}}
    else: good
    to: [labelled]
    to_label: {failed: [failed, failures]}
outputs:
  incidents: {file: {path: incidents.ndjson}}
  failures: {file: {path: failures.ndjson}}
  labelled: {opensearch: {url: "URL", index: NAME-labelled}}
  failed: {opensearch: {url: "URL", index: NAME-failed}}
  kept: {file: {path: rows.ndjson}, rows: windows}
  rows: {opensearch: {url: "URL", index: NAME-rows}}
  events: {opensearch: {url: "URL", index: NAME-events}}
"""

pytestmark = pytest.mark.timeout(1200)


def written(run: Run, url: str, name: str) -> None:
    """Make the pipeline file one whose events and records go to indices of this name."""
    path = run.folder / "pipeline.yaml"
    head, _, rest = path.read_text().partition("dead_letters:")
    store = rest.partition("store:")[2].partition("\n")[0]
    rules = RULES.replace("URL", url).replace("NAME", name)
    path.write_text(f"{head}store:{store}\n{rules}")


def documents(opensearch: OpenSearch, name: str) -> dict[str, dict[str, Any]]:
    return {
        f"{kind} {number}": body
        for kind in ("rows", "events", "labelled", "failed")
        for number, body in opensearch.documents(f"{name}-{kind}").items()
    }


def test_the_same_documents_as_embedded(opensearch: OpenSearch, tmp_path: Path, run: Made) -> None:
    log = tmp_path / "access.ndjson"
    log.write_bytes(b"".join(traffic(3, COUNT)))
    source = f"{{file: {{path: {log}}}}}"
    found = {}
    for name, options in (("embedded", ()), ("spark", on_spark("local[2]"))):
        one = run(tmp_path / name, source, options)
        written(one, opensearch.url, name)
        one.init()
        one.start()
        assert one.ended() == 0, one.said
        found[name] = documents(opensearch, name)
        assert one.lines("failures") == sum(d.startswith("failed") for d in found[name]) > 0
    assert len(found["embedded"]) > COUNT * 1.8
    assert found["spark"] == found["embedded"]


def test_what_cannot_be_written_waits_in_the_store(
    fresh: Fresh[OpenSearch], tmp_path: Path, run: Made
) -> None:
    server = fresh(OpenSearch())
    log = tmp_path / "access.ndjson"
    log.write_bytes(b"".join(traffic(3, COUNT)))
    one = run(tmp_path / "spark", f"{{file: {{path: {log}}}}}", on_spark("local[2]"))
    written(one, server.url, "late")
    one.init()
    one.start()
    # It has opened its outputs; nothing is written before the first batch.
    one.until((one.checkpoint / "tailrace.json").exists)
    server.stop()
    one.until(lambda: one.batches("commits"))
    server.start()
    assert one.ended() == 0, one.said
    assert len(documents(server, "late")) > COUNT * 1.8
