"""Rows as documents of a real node: typed, under their ids, each once, wherever they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.services.batches import SECOND, START
from tests.services.opensearch.indices import ARCHIVE, WINDOWS, Target

from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs import Content
from tailrace.outputs.shapes import Shape

if TYPE_CHECKING:
    from tests.servers.opensearch import OpenSearch

pytestmark = pytest.mark.services
DAY = 86_400 * SECOND
HOSTILE = '\x1b[2J\r\n"},{"\u202e\0\u2028é\x7f\x9b1m\\'


def test_documents_are_rows_with_their_time_under_their_ids(opensearch: OpenSearch) -> None:
    target = Target(opensearch).prepared()
    batch = target.windows(0, [HOSTILE, "b"], [1, None])
    assert target.opened().deliver(batch).refused == ()
    first = {"start": "2026-01-01T00:00:00.000Z", "end": "2026-01-01T00:00:01.000Z"}
    second = {"start": "2026-01-01T00:00:01.000Z", "end": "2026-01-01T00:00:02.000Z"}
    assert target.found() == {
        "0-0": {"@timestamp": first["end"], "window": first, "client_ip": HOSTILE, "count": 1},
        "0-1": {"@timestamp": second["end"], "window": second, "client_ip": "b", "count": None},
    }
    assert target.mapping()["properties"] == {
        "@timestamp": {"type": "date"},
        "window": {"properties": {"start": {"type": "date"}, "end": {"type": "date"}}},
        "client_ip": {"type": "keyword", "ignore_above": 8191},
        "count": {"type": "long"},
    }


def test_what_comes_again_changes_nothing(opensearch: OpenSearch) -> None:
    target = Target(opensearch).prepared()
    state = target.opened().deliver(target.windows(0, ["a", "b"], [1, 2])).state
    before = target.found()
    again = target.made()
    assert again.open(state) == state
    assert again.deliver(target.windows(0, ["a", "b"], [1, 2])).state == state
    assert target.found() == before
    assert len(before) == 2


def test_archive_keeps_its_own_time(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE).prepared()
    assert target.opened().deliver(target.archive(0, [START + 5])).refused == ()
    event = {"@timestamp": "2026-01-01T00:00:00.000005Z", "path": "/", "ms": 0.5, "ok": True}
    assert target.found() == {"0-0": event}
    types = {name: one["type"] for name, one in target.mapping()["properties"].items()}
    assert types == {"@timestamp": "date", "path": "keyword", "ms": "double", "ok": "boolean"}


def test_dead_letters_have_no_time(opensearch: OpenSearch) -> None:
    target = Target(opensearch, Shape(Content.DEAD_LETTERS)).prepared()
    long = "x" * 50_000
    assert target.opened().deliver(target.dead_letters(0, [HOSTILE, long])).refused == ()
    found = target.found()
    assert [found[name]["raw"] for name in ("d0-0", "d0-1")] == [HOSTILE, long]
    assert "@timestamp" not in found["d0-0"]


def test_rows_of_one_id_replace_each_other_in_order(opensearch: OpenSearch) -> None:
    target = Target(opensearch, id="{client_ip}").prepared()
    output = target.opened()
    output.deliver(target.windows(0, ["a", "b", "a"], [1, 2, 3]))
    output.deliver(target.windows(1, ["b"], [4]))
    assert {name: one["count"] for name, one in target.found().items()} == {"a": 3, "b": 4}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", ["2026.01.01", "2026.01.02"]),
        ("hour", ["2026.01.01.00", "2026.01.02.00"]),
        ("month", ["2026.01"]),
        ("year", ["2026"]),
    ],
)
def test_an_index_for_each_period(opensearch: OpenSearch, by: str, names: list[str]) -> None:
    target = Target(opensearch, ARCHIVE, Shape(Content.DEAD_LETTERS), by=by).prepared()
    output = target.opened()
    output.deliver(target.archive(0, [START, START + DAY]))
    output.deliver(target.dead_letters(1, ["x"]))
    answer = opensearch.client.indices.get(index=f"{target.index}-*")
    assert sorted(answer) == [f"{target.index}-{name}" for name in [*names, "undated"]]
    for found in answer.values():
        assert found["mappings"]["properties"]["ms"] == {"type": "double"}
    assert len(target.found(f"{target.index}-*")) == 3


def test_a_data_stream_takes_each_document_once(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE, data_stream=True).prepared()
    output = target.opened()
    assert output.deliver(target.archive(0, [START, START + 1])).refused == ()
    assert output.deliver(target.archive(0, [START, START + 1, START + 2])).refused == ()
    assert sorted(target.found()) == ["0-0", "0-1", "0-2"]
    assert target.mapping()["properties"]["ms"] == {"type": "double"}


def test_a_data_stream_takes_no_dead_letters(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE, Shape(Content.DEAD_LETTERS), data_stream=True).prepared()
    with pytest.raises(OutputError, match="dead letters have no time"):
        target.opened()


def test_requests_are_bounded_in_bytes(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE, max_request_bytes=2000).prepared()
    output = target.opened()
    times = [START + number for number in range(100)]
    assert output.deliver(target.archive(0, times, path="/" + "x" * 1000)).refused == ()
    assert len(target.found()) == 100


def test_refused_documents_leave_the_others_in(opensearch: OpenSearch) -> None:
    target = Target(opensearch)
    strict: dict[str, Any] = {
        "@timestamp": {"type": "date"},
        "window": {"properties": {"start": {"type": "date"}, "end": {"type": "date"}}},
        "client_ip": {"type": "ip"},
        "count": {"type": "long"},
    }
    opensearch.client.indices.create(index=target.index, body={"mappings": {"properties": strict}})
    keys = ["10.0.0.1", "no address", "10.0.0.2"]
    receipt = target.opened().deliver(target.windows(0, keys, [1, 2, 3]))
    assert [refused.row for refused in receipt.refused] == [1]
    assert "no address" in receipt.refused[0].reason
    assert sorted(target.found()) == ["0-0", "0-2"]


@pytest.mark.parametrize(("length", "refused"), [(0, [1]), (512, []), (513, [1])])
def test_ids_that_cannot_be(opensearch: OpenSearch, length: int, refused: list[int]) -> None:
    target = Target(opensearch, id="{client_ip}").prepared()
    receipt = target.opened().deliver(target.windows(0, ["a", "x" * length, "c"], [1, 2, 3]))
    assert [one.row for one in receipt.refused] == refused
    assert len(target.found()) == 3 - len(refused)


def test_a_document_above_the_servers_limit_is_refused(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE).prepared()
    output = target.opened()
    # By default OpenSearch takes requests of up to 100 MB.
    receipt = output.deliver(target.archive(0, [START], path="x" * 105_000_000))
    assert [one.row for one in receipt.refused] == [0]
    assert output.deliver(target.archive(1, [START])).refused == ()
    assert sorted(target.found()) == ["1-0"]


def test_without_an_index_there_is_an_error_and_no_index(opensearch: OpenSearch) -> None:
    for options in ({}, {"by": "day"}, {"data_stream": True}):
        target = Target(opensearch, ARCHIVE, **options)
        with pytest.raises(OutputError, match="there is no") as error:
            target.opened()
        assert "tailrace init" in error.value.render()
        assert not opensearch.client.indices.exists(
            index=f"{target.index}*", allow_no_indices=False
        )


def test_an_index_that_vanishes_is_not_made_by_the_way(opensearch: OpenSearch) -> None:
    target = Target(opensearch).prepared()
    output = target.opened()
    opensearch.client.indices.delete(index=target.index)
    with pytest.raises(OutputError, match="is gone"):
        output.deliver(target.windows(0, ["a"], [1]))
    assert not opensearch.client.indices.exists(index=target.index)
    target.prepared()
    output.deliver(target.windows(0, ["a"], [1]))
    assert len(target.found()) == 1


def test_an_index_that_differs(opensearch: OpenSearch) -> None:
    target = Target(opensearch, ARCHIVE)
    opensearch.client.indices.create(
        index=target.index,
        body={"mappings": {"properties": {"ms": {"type": "text"}, "path": {"type": "text"}}}},
    )
    with pytest.raises(OutputError, match="ms is text, not double") as error:
        target.opened()
    assert "init --plan" in error.value.render()
    (step,) = target.preparation.inspect()
    assert step.state == "differs"
    assert [word for line in step.by_hand for word in line.split() if "/_reindex" in word]


def test_a_field_that_is_missing_is_told_and_added_by_documents(opensearch: OpenSearch) -> None:
    Target(opensearch, index=(index := opensearch.fresh_index())).prepared()
    more = {"count": WINDOWS.values["count"], "mean": ARCHIVE.values["ms"]}
    shape = Shape(Content.WINDOWS, "flood", keys=WINDOWS.keys, values=more)
    target = Target(opensearch, shape, index=index)
    (step,) = target.preparation.inspect()
    assert (step.state, step.detail) == ("differs", "mean is missing (double)")
    assert "_mapping" in step.by_hand[0]
    target.opened()


def test_init_makes_what_is_missing_and_changes_nothing(opensearch: OpenSearch) -> None:
    for options in ({}, {"by": "month"}, {"data_stream": True}):
        target = Target(opensearch, ARCHIVE, **options)
        steps = target.preparation.inspect()
        assert {step.state for step in steps} == {"missing"}
        for _ in range(2):
            for step in steps:
                target.preparation.create(step)
        assert {step.state for step in target.preparation.inspect()} == {"present"}


def test_nobody_there(opensearch: OpenSearch) -> None:
    for url in ("http://127.0.0.1:9", "http://user:secret@no-such-host.invalid:9200"):
        target = Target(opensearch, url=url)
        with pytest.raises(UnreachableError) as error:
            target.opened()
        assert "secret" not in error.value.render()


def test_another_node_when_one_is_gone(opensearch: OpenSearch) -> None:
    target = Target(opensearch).prepared()
    both = Target(opensearch, index=target.index, url=f"http://127.0.0.1:9, {opensearch.url}")
    both.opened().deliver(both.windows(0, ["a"], [1]))
    assert len(target.found()) == 1
