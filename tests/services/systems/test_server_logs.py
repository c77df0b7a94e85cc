"""examples/server-logs between Kafka, MySQL (MariaDB) and OpenSearch, killed on the way.

One story, told once, with the example's own files; then each test looks at one of its ends.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url
from tests.cli.processes import COMMAND, environment, tailrace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.kafka import Kafka
    from tests.servers.mariadb import MariaDB
    from tests.servers.opensearch import OpenSearch

pytestmark = pytest.mark.services
EXAMPLE = Path(__file__).parents[3] / "examples" / "server-logs"
PATIENCE = 120.0
FIRST: dict[str, Any] = {
    "event_id": "141b3ff2a92111ebbfae367ddad5b1fa",
    "account_id": 684,
    "event_type": "other",
    "device": "ANDROID",
    "location_country": "FR",
    "event_timestamp": 1619724510,
}
"""The record that the seed's README shows."""


def log(number: int, **other: object) -> str:
    return json.dumps({**FIRST, "event_id": f"{number:032x}", **other})


BEFORE: list[str | bytes] = [
    json.dumps(FIRST),
    log(1, device="IOS"),
    log(2, account_id=9999),
    log(3, account_id=10001),
    log(4, event_timestamp="2021-04-29"),
    log(5, event_type=None),
    log(6, device="a device whose name is very long"),
    json.dumps({**FIRST, "event_id": "N/A"}),
    json.dumps({**FIRST, "event_id": "N/A", "location_country": "x" * 5000}),
    '{"event_id": "00000000',
    b"\xff\xfe",
    json.dumps(FIRST),
]
"""One good twice; one bad id twice: two rows; values that fit no column; no JSON, no text."""
AFTER = [log(1, device="IOS"), log(7, device="IOS"), log(8)]
"""Once more an event that was suspicious, and others, when the device is known and after a kill."""


@dataclass
class Story:
    folder: Path
    kafka: Kafka
    mysql: MariaDB
    opensearch: OpenSearch
    logs: str
    users: str

    @property
    def environment(self) -> dict[str, str]:
        def own(url: str) -> str:
            return make_url(url).set(drivername="mysql").render_as_string(hide_password=False)

        return {
            "TAILRACE_KAFKA": self.kafka.address,
            "TAILRACE_OPENSEARCH": self.opensearch.url,
            "LOGS_DATABASE": own(self.logs),
            "USERS_DATABASE": own(self.users),
        }

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.mysql.run(query, self.logs)

    @property
    def said(self) -> str:
        return (self.folder / "run.log").read_text()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "run.log").open("ab") as out:
            return subprocess.Popen(
                (
                    *(*COMMAND, "run", "kafka.yaml"),
                    *("--set", "references.users.refresh=500ms"),
                    *("--set", "references.accounts.refresh=500ms"),
                ),
                cwd=self.folder,
                env=environment() | self.environment,
                stdout=out,
                stderr=out,
            )

    def wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < until, self.said[-3000:]
            time.sleep(0.2)

    def labelled(self) -> list[dict[str, Any]]:
        values = self.kafka.values("server-logs-status")
        return [json.loads(value) for value in values if value is not None]


@pytest.fixture(scope="module")
def story(
    kafka: Kafka,
    mariadb: MariaDB,
    opensearch: OpenSearch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("server-logs")
    shutil.copy(EXAMPLE / "kafka.yaml", folder)
    story = Story(
        folder, kafka, mariadb, opensearch, mariadb.fresh_database(), mariadb.fresh_database()
    )
    mariadb.run("CREATE TABLE users (account_id varchar(15), device varchar(15))", story.users)
    mariadb.run("INSERT INTO users VALUES ('684', 'ANDROID'), ('1', 'ANDROID')", story.users)
    # What somebody had before must be there in the end.
    made = tailrace("init", "kafka.yaml", cwd=folder, **story.environment)
    assert made.returncode == 0, made.stdout + made.stderr
    mariadb.run("INSERT INTO good_logs (event_id, status) VALUES ('before', 'good')", story.logs)
    kafka.send("server-logs", BEFORE)
    process = story.start()
    try:
        story.wait(lambda: len(story.labelled()) == len(BEFORE))
        mariadb.run("INSERT INTO users VALUES ('684', 'IOS')", story.users)
        # The reference is asked every half second.
        story.wait(lambda: story.said.count("reference users: version") == 2)
        process.kill()
        process.wait()
        process = story.start()
        kafka.send("server-logs", AFTER)
        story.wait(lambda: len(story.labelled()) == len(BEFORE) + len(AFTER))
        story.wait(lambda: len(story.rows("SELECT 1 FROM good_logs")) == 5)
        process.terminate()
        assert process.wait(60) in (0, 143)
        yield story
    finally:
        process.kill()
        process.wait()


def test_the_topic_has_every_log_once(story: Story) -> None:
    found = [(row["status"], row["status_reasons"]) for row in story.labelled()]
    assert sorted(found, key=str) == sorted(
        [
            *[("good", None)] * 5,
            ("suspicious", "other_device"),
            ("suspicious", "unknown_account"),
            ("bad", "bad_account,unknown_account"),
            ("bad", "bad_timestamp"),
            ("bad", "bad_type"),
            ("bad", "bad_device,other_device"),
            ("bad", "bad_event_id"),
            ("bad", "bad_event_id,bad_country"),
            *[("bad", EVERYTHING)] * 2,
        ],
        key=str,
    )


EVERYTHING = "unreadable,bad_event_id,bad_account,bad_type,bad_device,bad_country,unknown_account"


def test_the_first_record(story: Story) -> None:
    query = f"SELECT * FROM good_logs WHERE event_id = '{FIRST['event_id']}'"
    (row,) = story.rows(query)
    at = datetime(2021, 4, 29, 19, 28, 30)  # noqa: DTZ001 - the column has no zone
    assert row == (FIRST["event_id"], 684, "other", "ANDROID", "FR", at, "good")
    document = story.opensearch.documents("server-logs")[FIRST["event_id"]]
    assert (document["status"], document["account"]) == ("good", 684)
    assert document["event_timestamp"].startswith("2021-04-29T19:28:30")


def test_one_row_for_each_event(story: Story) -> None:
    good = [row[0] for row in story.rows("SELECT event_id FROM good_logs ORDER BY event_id")]
    ids = [f"{number:032x}" for number in (1, 7, 8)]
    assert sorted(good) == sorted([*ids, FIRST["event_id"], "before"])
    rows = story.rows("SELECT event_id, reasons FROM suspicious_logs ORDER BY event_id")
    assert rows == [(ids[0], "other_device"), (f"{2:032x}", "unknown_account")]


def test_bad_rows_keep_everything(story: Story) -> None:
    rows = story.rows("SELECT event_id, device, event_timestamp, reasons, raw FROM bad_logs")
    assert len(rows) == 8
    raw = sorted(row[4] for row in rows)
    assert raw == sorted("\\xff\\xfe" if isinstance(one, bytes) else one for one in BEFORE[3:11])
    by_reason = {row[3]: row for row in rows}
    assert by_reason["bad_timestamp"][2] == "2021-04-29"
    assert by_reason["bad_device,other_device"][1] == "a device whose "
    assert by_reason["bad_event_id"][0] == "N/A"
    assert by_reason[EVERYTHING][0] is None


def test_the_index_has_each_event_once(story: Story) -> None:
    documents = story.opensearch.documents("server-logs")
    good = [name for name, body in documents.items() if body["status"] == "good"]
    assert sorted(good) == sorted([*(f"{n:032x}" for n in (1, 7, 8)), FIRST["event_id"]])
    assert sum(body["status"] == "suspicious" for body in documents.values()) == 1
    assert sum(body["status"] == "bad" for body in documents.values()) == 8


def test_a_device_is_made_legitimate_in_one_transaction(story: Story) -> None:
    logs, users = (str(make_url(url).database) for url in (story.logs, story.users))
    lines = (EXAMPLE / "legitimate.sql").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    text = text.replace("logs.", f"{logs}.")
    text = text.replace("dim_users.", f"{users}.").replace("@account", "'9999'")
    text = text.replace("@device", "'ANDROID'")
    statements = [one for one in text.split(";") if one.strip()]
    with story.mysql.engine(story.logs).connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    assert story.rows("SELECT reasons FROM suspicious_logs") == [("other_device",)]
    moved = story.rows(f"SELECT status FROM good_logs WHERE event_id = '{2:032x}'")
    assert moved == [("good",)]
    known = story.mysql.run("SELECT device FROM users WHERE account_id = '9999'", story.users)
    assert known == [("ANDROID",)]
