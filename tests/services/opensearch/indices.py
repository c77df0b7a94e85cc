"""Outputs of the OpenSearch node under test: made, prepared, filled by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from tests.services.batches import window_batch

from tailrace.config.outputs import Output
from tailrace.outputs import Content, OutboxBatch, OutputContext, make_output
from tailrace.outputs import Output as MadeOutput
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import INSTANT
from tailrace.outputs.preparing import Preparation, prepare_output
from tailrace.outputs.rows import archive_rows, dead_letter_rows
from tailrace.outputs.shapes import Shape

if TYPE_CHECKING:
    from tests.servers.opensearch import OpenSearch

WINDOWS = Shape(
    Content.WINDOWS, "flood", keys={"client_ip": pa.string()}, values={"count": pa.int64()}
)
ARCHIVE = Shape(
    Content.ARCHIVE,
    values={"@timestamp": INSTANT, "path": pa.string(), "ms": pa.float64(), "ok": pa.bool_()},
    time="@timestamp",
)


class Target:
    """One output with options of its own."""

    def __init__(
        self, opensearch: OpenSearch, *shapes: Shape, index: str | None = None, **options: Any
    ) -> None:
        self.server = opensearch
        self.index = index or opensearch.fresh_index()
        given = {"url": opensearch.url, "index": self.index, **options}
        self.config = Output.model_validate({"opensearch": given, "rows": "windows"})
        self.context = OutputContext("p", "s1", shapes or (WINDOWS,))

    def made(self) -> MadeOutput:
        return make_output("o", self.config, self.context)

    @property
    def preparation(self) -> Preparation:
        prepared = prepare_output("o", self.config, self.context)
        assert prepared is not None
        return prepared

    def prepared(self) -> Target:
        for step in self.preparation.inspect():
            if step.state == "missing":
                self.preparation.create(step)
        return self

    def opened(self) -> MadeOutput:
        output = self.made()
        output.open(None)
        return output

    def windows(self, seq: int, keys: list[str], counts: list[int | None]) -> OutboxBatch:
        return window_batch(self.config, seq, keys, counts)

    def archive(
        self, seq: int, times: list[int], ids: list[str] | None = None, path: str = "/"
    ) -> OutboxBatch:
        """Events at some times (microseconds)."""
        length = len(times)
        instants = pa.array(times, pa.int64()).cast(INSTANT)
        rows = archive_rows(
            {
                "@timestamp": instants,
                "path": pa.repeat(path, length),
                "ms": pa.array([0.5] * length),
                "ok": pa.array([True] * length),
            }
        )
        own = pa.array(ids or [f"{seq}-{number}" for number in range(length)])
        templates = self.config.target.templates
        return OutboxBatch(seq, addressed(rows, own, instants, templates, {"id": own}))

    def dead_letters(self, seq: int, raw: list[str]) -> OutboxBatch:
        length = len(raw)
        ids = pa.array([f"d{seq}-{number}" for number in range(length)])
        columns = {
            "id": ids,
            "pipeline": pa.repeat("p", length),
            "partition": pa.repeat("access.log", length),
            "generation": pa.array([0] * length, pa.int64()),
            "position": pa.array(range(length), pa.int64()),
            "code": pa.repeat("malformed_json", length),
            "field": pa.nulls(length, pa.string()),
            "reason": pa.repeat("no JSON", length),
            "raw": pa.array(raw),
        }
        rows = dead_letter_rows(columns)
        return OutboxBatch(seq, addressed(rows, ids, pa.nulls(length, INSTANT), {}, {}))

    def found(self, index: str | None = None) -> dict[str, dict[str, Any]]:
        return self.server.documents(index or self.index)

    def mapping(self) -> dict[str, Any]:
        answer = self.server.client.indices.get_mapping(index=self.index)
        mapping: dict[str, Any] = answer[max(answer)]["mappings"]
        return mapping
