"""Every event of a log into OpenSearch, typed and under an id of its own.

Baseline: a bare loop over the same documents with the same ids, made beforehand, by the client's
``bulk``, in requests of the same size. Whole runs are timed, reading and decoding included, and
the server works on the same cores.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from measuring import (
    Stopwatch,
    Timing,
    alternating,
    file_of,
    head,
    options,
    ordinary,
    pipeline,
    row,
    run,
    speed_ratio,
    verdict,
)
from tests.servers.opensearch import OpenSearch

from tailrace.config import loads
from tailrace.engines.shapes import shapes_of
from tailrace.outputs import OutputContext
from tailrace.outputs.preparing import prepare_output
from tailrace.plan.compile import compile_pipeline

if TYPE_CHECKING:
    from opensearchpy import OpenSearch as Client

TARGET = 0.8
REQUEST_BYTES = 2 << 20


class Archives:
    """Runs of both kinds, each into an index of its own with the same mapping."""

    def __init__(self, server: OpenSearch, log: Path) -> None:
        self._client: Client = server.client
        self._url = server.url
        self._log = log
        self._made = 0
        self._documents: list[str] = []

    def _text(self, index: str) -> str:
        text = pipeline(self._log, " []", [], archive="{to: [raw]}")
        output = f"  raw: {{opensearch: {{url: '{self._url}', index: {index}, timeout: 5m}}}}\n"
        return text.replace("outputs:\n", f"outputs:\n{output}")

    def _index(self) -> str:
        """A new empty index, made by Tailrace."""
        self._made += 1
        index = f"benchmark-{self._made}"
        plan = compile_pipeline(loads(self._text(index), env={}))
        context = OutputContext(plan.name, "benchmark", shapes_of(plan, "raw"))
        preparation = prepare_output("raw", plan.config.outputs["raw"], context)
        assert preparation is not None
        for step in preparation.inspect():
            preparation.create(step)
        return index

    def _check(self, index: str, events: int) -> None:
        self._client.indices.refresh(index=index)
        assert self._client.count(index=index)["count"] == events

    def archive(self) -> Timing:
        """The pipeline, from the log to the index."""
        index = self._index()
        done = run(self._text(index))
        self._check(index, done.events)
        if not self._documents:
            self._keep(index)
        self._client.indices.delete(index=index)
        return done.timing

    def _keep(self, index: str) -> None:
        """The documents of an index, as the baseline sends them."""
        import json

        page = self._client.search(index=index, size=10_000, scroll="5m", sort="_doc")
        while hits := page["hits"]["hits"]:
            self._documents += [
                f'{{"index":{{"_id":"{hit["_id"]}"}}}}\n'
                + json.dumps(hit["_source"], separators=(",", ":"))
                + "\n"
                for hit in hits
            ]
            page = self._client.scroll(scroll_id=page["_scroll_id"], scroll="5m")

    def bare(self) -> Timing:
        """The bare loop."""
        index = self._index()
        size = sum(map(len, self._documents)) // len(self._documents)
        at_once = REQUEST_BYTES // size
        watch = Stopwatch()
        for start in range(0, len(self._documents), at_once):
            body = "".join(self._documents[start : start + at_once])
            answer = self._client.bulk(body=body, index=index, request_timeout=300)
            assert not answer["errors"]
        timing = watch.stop()
        self._check(index, len(self._documents))
        self._client.indices.delete(index=index)
        return timing


def main() -> None:
    """Measure and print."""
    given = options(200_000)
    log = file_of(ordinary(given.rows))
    with OpenSearch(heap="1g", optimized=True) as server:
        archives = Archives(server, log)
        archives.archive()  # warms the server up, and gives the documents
        archives.bare()
        bare, archive = alternating(given.runs, archives.bare, archives.archive)
    head()
    row("bare loop over bulk", bare, given.rows)
    row("archive", archive, given.rows, bare)
    verdict("archive to a bare bulk loop", speed_ratio(bare, archive), TARGET)


if __name__ == "__main__":
    main()
