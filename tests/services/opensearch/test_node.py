"""The node that the tests start: it keeps what it confirmed, and can be broken and mended."""

from tests.servers.opensearch import OpenSearch


def test_keeps_documents_when_killed(opensearch: OpenSearch) -> None:
    index, url = opensearch.fresh_index(), opensearch.url
    for number in range(3):
        opensearch.client.index(index=index, id=str(number), body={"number": number})
    opensearch.kill()
    assert not opensearch.answers()
    opensearch.start()
    assert opensearch.url == url
    assert opensearch.documents(index) == {str(n): {"number": n} for n in range(3)}


def test_stopped_and_restarted(opensearch: OpenSearch) -> None:
    index = opensearch.fresh_index()
    opensearch.client.index(index=index, id="1", body={"a": 1})
    opensearch.restart()
    assert opensearch.documents(index) == {"1": {"a": 1}}


def test_paused_and_resumed(opensearch: OpenSearch) -> None:
    opensearch.pause()
    assert not opensearch.answers()
    opensearch.resume()
    opensearch.wait_until_it_answers()


def test_has_data_streams_and_templates(opensearch: OpenSearch) -> None:
    name = opensearch.fresh_index()
    template = {"index_patterns": [f"{name}*"], "data_stream": {}}
    opensearch.client.indices.put_index_template(name=name, body=template)
    event = {"@timestamp": "2024-01-01T00:00:00Z"}
    opensearch.client.index(index=name, body=event, params={"op_type": "create"})
    assert list(opensearch.documents(name).values()) == [event]
