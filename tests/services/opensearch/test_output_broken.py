"""Documents while the node or Tailrace breaks: none lost, none twice, none different."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.services.batches import START
from tests.services.opensearch.indices import ARCHIVE, Target
from tests.services.running import OUTPUTS, Running, disturbed

from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.opensearch import bulk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.opensearch import OpenSearch
    from tests.services.running import Contents

pytestmark = pytest.mark.services


def test_a_node_that_is_killed_and_comes_back(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE).prepared()
    output = target.opened()
    batch = target.archive(0, [START + number for number in range(5000)])
    opensearch.kill()
    with pytest.raises(UnreachableError, match="nobody listens"):
        output.deliver(batch)
    opensearch.start()
    assert output.deliver(batch).refused == ()
    assert len(target.found()) == 5000


def test_a_node_that_is_paused_past_the_timeout(opensearch: OpenSearch) -> None:
    index = Target(opensearch, ARCHIVE).prepared().index
    target = Target(opensearch, ARCHIVE, index=index, timeout="1s")
    output = target.made()
    batch = target.archive(0, [START + number for number in range(100)])
    opensearch.pause()
    try:
        with pytest.raises(UnreachableError, match="no answer in time"):
            output.deliver(batch)
        with pytest.raises(UnreachableError):
            target.opened()
    finally:
        opensearch.resume()
    opensearch.wait_until_it_answers()
    assert output.deliver(batch).refused == ()
    assert len(target.found()) == 100


def block(opensearch: OpenSearch, index: str, *, on: bool) -> None:
    """What the node does to an index when its disk is nearly full: it answers 429 to writes."""
    setting = {"index.blocks.read_only_allow_delete": True if on else None}
    opensearch.client.indices.put_settings(index=index, body=setting)


def test_a_busy_node_is_asked_again(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE).prepared()
    output = target.opened()
    block(opensearch, target.index, on=True)
    later = threading.Timer(1.0, block, [opensearch, target.index], {"on": False})
    later.start()
    try:
        assert output.deliver(target.archive(0, [START, START + 1])).refused == ()
    finally:
        later.join()
    assert len(target.found()) == 2


def test_a_node_that_stays_busy_is_left_for_later(
    opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PATIENCE_SECONDS", 0.5)
    target = Target(opensearch, ARCHIVE, max_request_bytes=1024).prepared()
    output = target.opened()
    batch = target.archive(0, [START + number for number in range(50)])
    block(opensearch, target.index, on=True)
    with pytest.raises(OutputError, match="too busy"):
        output.deliver(batch)
    block(opensearch, target.index, on=False)
    assert output.deliver(batch).refused == ()
    assert len(target.found()) == 50


# -- whole runs ------------------------------------------------------------------------------------


def outputs(opensearch: OpenSearch, begin: str, **more: str) -> Callable[[str], str]:
    def text(prefix: str) -> str:
        lines = []
        for name in OUTPUTS:
            given = {
                "url": opensearch.url,
                "index": f"{begin}-{prefix}-{name}",
                "timeout": "5s",
                **more,
            }
            if name == "rejects":
                given.pop("data_stream", None)
            options = ", ".join(f"{key}: {value!r}" for key, value in given.items())
            lines.append(f"  {name}: {{opensearch: {{{options}}}}}\n")
        return "".join(lines).replace("'true'", "true")

    return text


def contents(opensearch: OpenSearch, begin: str) -> Callable[[str], Contents]:
    def read(prefix: str) -> dict[str, dict[str, Any]]:
        found = {}
        for name in OUTPUTS:
            rows = opensearch.documents(f"{begin}-{prefix}-{name}*")
            found[name] = {
                key: {field: value for field, value in row.items() if field != "notices"}
                for key, row in rows.items()
                if row.get("state") != "notice"
            }
        return found

    return read


def crash(running: Running, _step: int) -> None:
    running.kill()
    running.start()


def run(
    opensearch: OpenSearch,
    tmp_path: Path,
    disturb: Callable[[Running, int], None],
    more: dict[str, str] | None = None,
    **options: Any,
) -> None:
    begin = opensearch.fresh_index()
    given = outputs(opensearch, begin, **(more or {}))
    disturbed(tmp_path, given, contents(opensearch, begin), disturb, **options)


def test_tailrace_killed(opensearch: OpenSearch, tmp_path: Path) -> None:
    run(opensearch, tmp_path, crash)


def server_killed(opensearch: OpenSearch) -> Callable[[Running, int], None]:
    def disturb(_running: Running, step: int) -> None:
        if step == 1:
            opensearch.kill()
            opensearch.start()

    return disturb


def test_node_killed_under_load(opensearch: OpenSearch, tmp_path: Path) -> None:
    run(opensearch, tmp_path, server_killed(opensearch))


def test_an_outbox_that_fills_and_drains(opensearch: OpenSearch, tmp_path: Path) -> None:
    def disturb(running: Running, step: int) -> None:
        if step == 0:
            opensearch.pause()
        if step == 2:
            # So little fits that reading has stopped.
            opensearch.resume()
            opensearch.wait_until_it_answers()
        if step == 3:
            assert running.process is not None
            assert running.process.poll() is None

    run(opensearch, tmp_path, disturb, outbox="64KiB")


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("more", [{}, {"by": "day"}, {"data_stream": "true"}], ids=str)
@pytest.mark.parametrize("seed", range(2, 5))
def test_everything_breaks(
    opensearch: OpenSearch, tmp_path: Path, seed: int, more: dict[str, str]
) -> None:
    def disturb(running: Running, step: int) -> None:
        match (step + seed) % 4:
            case 0:
                opensearch.kill()
                crash(running, step)
                opensearch.start()
            case 1:
                crash(running, step)
            case 2:
                opensearch.pause()
                time.sleep(3)
                opensearch.resume()
            case 3:
                opensearch.kill()
                opensearch.start()

    run(opensearch, tmp_path, disturb, more, seed=seed, steps=12, count=12_000)
