"""What a server has of an output's index, and how that compares with the output's fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.batches import Content
from tailrace.outputs.opensearch.cluster import BUSY, Answer, Cluster
from tailrace.outputs.opensearch.mapping import (
    Difference,
    Types,
    differences,
    field_types,
    types_of,
)
from tailrace.outputs.opensearch.naming import UNDATED, Indices
from tailrace.outputs.shapes import Shape


@dataclass(frozen=True, slots=True)
class Found:
    """The fields that documents would get, and whether ones that are not among them are welcome."""

    types: Types
    closed: bool


class Existing:
    """Asks a server about the index, the template or the data stream of an output."""

    def __init__(self, cluster: Cluster, indices: Indices, shapes: Iterable[Shape]) -> None:
        self._cluster = cluster
        self._indices = indices
        shapes = tuple(shapes)
        self.expected = field_types(shapes)
        self._timeless = any(shape.content is Content.DEAD_LETTERS for shape in shapes)

    def check(self) -> None:
        """OutputError if rows can't go there; UnreachableError if that can't be found out now."""
        indices = self._indices
        if indices.stream and self._timeless:
            raise OutputError(
                f"dead letters have no time, and the data stream {indices.name} is ordered by it",
                hint="send them to an output with an ordinary index",
            )
        found = self.template() if indices.by else self.index()
        if found is None:
            what = "data stream" if indices.stream else "index"
            what = "template for indices" if indices.by else what
            raise OutputError(
                f"there is no {what} {indices.pattern} at {self._cluster.name}",
                hint="`tailrace init PIPELINE` makes it, with a type for each field",
            )
        wrong = [d for d in self.differences(found) if d.found is not None or found.closed]
        if wrong:
            raise OutputError(
                f"the index {indices.pattern} at {self._cluster.name} has other types:"
                f" {'; '.join(map(str, wrong))}",
                hint="`tailrace init --plan PIPELINE` prints what to do about it",
            )

    def differences(self, found: Found) -> list[Difference]:
        """What isn't as it should be."""
        return differences(self.expected, found.types)

    def index(self) -> Found | None:
        """The index itself (of a data stream the one that is written); None if there is none."""
        answer = self._asked("GET", f"/{self._indices.name}/_mapping")
        if answer is None:
            return None
        # The backing indices of a data stream are numbered.
        newest = max(answer.body, default="")
        return _found(cast("Mapping[str, object]", answer.body.get(newest, {})))

    def template(self) -> Found | None:
        """What a new index would get from templates, whoever made them; None without types."""
        name = f"{self._indices.name}-{UNDATED}" if self._indices.by else self._indices.name
        path = f"/_index_template/_simulate_index/{name}"
        if self._indices.stream and (answer := self._asked("GET", f"/_data_stream/{name}")):
            # What exists has a template already, and can't be simulated.
            (stream,) = cast("list[Mapping[str, str]]", answer.body["data_streams"])
            path = f"/_index_template/_simulate/{stream['template']}"
        answer = self._asked("POST", path)
        if answer is None:
            return None
        found = _found(cast("Mapping[str, object]", answer.body.get("template", {})))
        return found if found.types else None

    def _asked(self, method: str, path: str) -> Answer | None:
        """The answer; None if what is asked about isn't there."""
        answer = self._cluster.ask(method, path)
        if answer.ok:
            return answer
        if answer.status == 404:
            return None
        error = UnreachableError if answer.status in BUSY else OutputError
        raise error(f"{self._cluster.name} doesn't answer as OpenSearch does: {answer.why}")


def _found(described: Mapping[str, object]) -> Found:
    mapping = cast("Mapping[str, object]", described.get("mappings") or {})
    closed = str(mapping.get("dynamic", "true")).lower() in ("strict", "false")
    return Found(types_of(mapping), closed)
