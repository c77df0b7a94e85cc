"""`tailrace backtest` over what a topic holds now."""

import json
from pathlib import Path

import pytest
from tests.cli.processes import tailrace
from tests.servers.kafka import Kafka

PIPELINE = """
name: topic
source: {{kafka: {{brokers: "{brokers}", topics: [{topic}], start: {start}}}}}
time: {{field: at, grace: 0s}}
fields: {{ip: text}}
rules:
  - {{alert: flood, by: ip, window: 10s, when: count(*) > 5, to: [out]}}
outputs:
  out: {{kafka: {{topic: nobody-makes-it}}}}
"""


@pytest.mark.parametrize("start", ["earliest", "latest"])
def test_a_topic_is_read_from_its_beginning_to_its_present_end(
    kafka: Kafka, tmp_path: Path, start: str
) -> None:
    topic = kafka.fresh_topic()
    kafka.send(topic, [json.dumps({"at": at, "ip": "192.0.2.1"}).encode() for at in range(20)])
    text = PIPELINE.format(brokers=kafka.address, topic=topic, start=start)
    (tmp_path / "pipeline.yaml").write_text(text)
    ran = tailrace("backtest", "pipeline.yaml", "--json", "-", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    body = json.loads(ran.stdout)
    assert (body["input"]["names"], body["input"]["read"]) == ([f"topic {topic}"], 20)
    assert [(i["key"], i["opened_at"]) for i in body["incidents"]] == [
        ({"ip": "192.0.2.1"}, "1970-01-01T00:00:10.000Z")
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "pipeline.yaml"]
