"""The index, the template or the data stream that an output needs, for ``tailrace init``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable

from tailrace.config.targets.opensearch import OpenSearchOutput
from tailrace.errors import OutputError, UnreachableError
from tailrace.outputs.opensearch.cluster import BUSY, Cluster, Json
from tailrace.outputs.opensearch.existing import Existing, Found
from tailrace.outputs.opensearch.mapping import Difference, mapping
from tailrace.outputs.opensearch.naming import Indices
from tailrace.outputs.preparing import Step, StepState
from tailrace.outputs.shapes import Shape

_ByHand = Callable[[list[Difference]], Iterable[str]]

_PRIORITY = 200
"""Of the templates; those that come with servers have 100 or 500 for names that are not ours."""


class IndexPreparation:
    """Looks, and makes what is missing; what exists is never changed."""

    def __init__(self, config: OpenSearchOutput, cluster: Cluster, shapes: Iterable[Shape]) -> None:
        self._cluster = cluster
        self._indices = Indices.of_config(config)
        self._existing = Existing(cluster, self._indices, shapes)

    def inspect(self) -> list[Step]:
        """See ``Preparation.inspect``."""
        indices = self._indices
        if indices.template is None:
            return [self._step(self._named("index"), self._existing.index(), self._reindexing)]
        template = self._existing.template()
        steps = [self._step(self._named("template"), template, self._new_template)]
        if indices.stream:
            stream = self._existing.index()
            steps.append(self._step(self._named("data stream"), stream, self._rollover))
        return steps

    def create(self, step: Step) -> None:
        """See ``Preparation.create``."""
        indices = self._indices
        if step.target == self._named("template"):
            path = f"/_index_template/{indices.template}?create=true"
            self._make(path, self._template(), step.target)
        elif step.target == self._named("data stream"):
            self._make(f"/_data_stream/{indices.name}", None, step.target)
        else:
            self._make(f"/{indices.name}", self._body(), step.target)

    def _named(self, what: str) -> str:
        name = self._indices.template if what == "template" else self._indices.name
        return f"{what} {name} at {self._cluster.name}"

    def _make(self, path: str, body: Json | None, target: str) -> None:
        answer = self._cluster.ask("PUT", path, body)
        there = answer.status == 400 and "already exists" in answer.why
        if not answer.ok and not there:
            error = UnreachableError if answer.status in BUSY else OutputError
            raise error(f"the {target} can't be made: {answer.why}")

    def _body(self) -> Json:
        return {"mappings": mapping(self._existing.expected)}

    def _template(self) -> Json:
        stream: Json = {"data_stream": {}} if self._indices.stream else {}
        return {
            "index_patterns": [self._indices.pattern],
            "priority": _PRIORITY,
            "template": self._body(),
            **stream,
        }

    def _step(self, target: str, found: Found | None, by_hand: _ByHand) -> Step:
        if found is None:
            detail = f"{len(self._existing.expected)} fields"
            return Step(target, StepState.MISSING, detail)
        wrong = self._existing.differences(found)
        if not wrong:
            return Step(target, StepState.PRESENT, "all fields have their types")
        detail = "; ".join(map(str, wrong))
        return Step(target, StepState.DIFFERS, detail, tuple(by_hand(wrong)))

    def _reindexing(self, wrong: list[Difference]) -> Iterable[str]:
        name = self._indices.name
        if all(difference.found is None for difference in wrong):
            types = {difference.field: difference.expected for difference in wrong}
            fields = {"properties": mapping(types)["properties"]}
            yield self._curl("PUT", f"/{name}/_mapping", fields)
            return
        fresh = f"{name}-2"
        swap = [
            {"remove_index": {"index": name}},
            {"add": {"index": fresh, "alias": name, "is_write_index": True}},
        ]
        yield self._curl("PUT", f"/{fresh}", self._body())
        copy: Json = {"source": {"index": name}, "dest": {"index": fresh}}
        yield self._curl("POST", "/_reindex", copy)
        yield self._curl("POST", "/_aliases", {"actions": swap})

    def _new_template(self, wrong: list[Difference]) -> Iterable[str]:  # noqa: ARG002 - a template is replaced as a whole
        yield self._curl("PUT", f"/_index_template/{self._indices.template}", self._template())

    def _rollover(self, wrong: list[Difference]) -> Iterable[str]:  # noqa: ARG002 - the template has the types
        yield self._curl("POST", f"/{self._indices.name}/_rollover", {})

    def _curl(self, method: str, path: str, body: Json) -> str:
        url = shlex.quote(self._cluster.name.partition(", ")[0] + path)
        data = shlex.quote(json.dumps(body))
        return f"curl -X {method} {url} -H 'Content-Type: application/json' -d {data}"
