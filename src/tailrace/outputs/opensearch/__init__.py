"""Documents of OpenSearch or Elasticsearch, one for each row's id, however often it is sent.

``cluster`` speaks HTTP, ``mapping`` knows fields' types, ``naming`` indices, ``existing`` compares
with what the server has, ``documents`` writes rows, ``bulk`` sends them, ``index`` delivers.
"""

from __future__ import annotations

from tailrace.config.outputs import Output as OutputConfig
from tailrace.config.targets.opensearch import OpenSearchOutput
from tailrace.outputs.extras import extra
from tailrace.outputs.making import OutputContext
from tailrace.outputs.output import Output
from tailrace.outputs.preparing import Preparation


def make(name: str, config: OutputConfig, context: OutputContext) -> Output:  # noqa: ARG001 - the name tells nothing
    """The output called ``name``, not yet open; OutputError if the library is missing."""
    extra("opensearch", "urllib3")
    from tailrace.outputs.opensearch.cluster import Cluster
    from tailrace.outputs.opensearch.index import Index

    options = _options(config)
    return Index(options, Cluster(options), context.shapes)


def prepare(name: str, config: OutputConfig, context: OutputContext) -> Preparation:  # noqa: ARG001 - the name tells nothing
    """The index or template that the output needs; OutputError if the library is missing."""
    extra("opensearch", "urllib3")
    from tailrace.outputs.opensearch.cluster import Cluster
    from tailrace.outputs.opensearch.preparing import IndexPreparation

    options = _options(config)
    return IndexPreparation(options, Cluster(options), context.shapes)


def _options(config: OutputConfig) -> OpenSearchOutput:
    options = config.opensearch
    assert options is not None  # noqa: S101 - that is why it is made here
    return options
