"""What Spark has and lacks, and its default settings, as Markdown, made from the code's own tables.

``python -m tailrace.engines.spark.reference`` prints it. It is the second part of docs/spark.md,
behind the marker; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator

from tailrace.config.format import FORMAT_NAMES
from tailrace.config.outputs import KINDS
from tailrace.config.source import SourceForm
from tailrace.engines.spark.direct import KINDS as DIRECT
from tailrace.engines.spark.settings import DEFAULTS, ROCKSDB
from tailrace.engines.spark.support import LACKS, LEFT_OUT
from tailrace.plan.classify import Classification
from tailrace.plan.model import EventRule, Rule

MARKER = "<!-- From here on: python -m tailrace.engines.spark.reference -->"

SOURCES = {
    "file": "workers read slices of it",
    "folder": "workers read slices of its files",
    "stdin": "the driver reads it; what it read travels in the plan",
    "kafka": "workers read topics, by Spark's connector",
    "http": "the driver receives it; what was sent travels in the plan",
    "pcap": "workers read slices of it",
    "capture": "",
}
"""How each kind of source is read; nothing for those that are lacking."""

RULES = {
    Rule: ("alert or record over windows", "counted by workers, judged by shards"),
    EventRule: ("alert on single events", "judged by workers"),
    Classification: ("labels of events (`classify`)", "given by workers"),
}
"""Each kind of rule, and who does its work."""


def reference() -> str:
    """The whole reference, ending in a line break."""
    return "\n".join((*_support(), "", *_settings())) + "\n"


def _support() -> Iterator[str]:
    yield "## What the engines have"
    yield ""
    yield "| | embedded | Spark | |"
    yield "|---|---|---|---|"
    for kind in SourceForm.model_fields:
        if SOURCES[kind]:
            yield f"| source `{kind}` | yes | yes | {SOURCES[kind]} |"
    formats = ", ".join(f"`{name}`" for name in (*FORMAT_NAMES, "log_format"))
    yield f"| formats {formats} | yes | yes | decoded by workers |"
    for what, how in RULES.values():
        yield f"| {what} | yes | yes | {how} |"
    outputs = ", ".join(f"`{kind}`" for kind in KINDS if kind not in DIRECT)
    yield f"| outputs {outputs} | yes | yes | delivered by the driver |"
    for kind in sorted(DIRECT):
        who = "records, labelled and archived events by workers; alerts, and all rows with an `id`"
        who += " that the file chooses, by the driver"
        yield f"| output `{kind}` | yes | yes | {who} |"
    yield "| `archive`, `dead_letters`, `web` | yes | yes | |"
    for lack in LACKS:
        yield f"| {lack.what} (`{'.'.join(lack.path)}`) | yes | **refused** | {lack.hint} |"
    for what, why in LEFT_OUT:
        yield f"| {what} | yes | left out | {why} |"
    yield ""
    yield "What is refused is told by `tailrace check --engine spark`, with its place in the file."


def _settings() -> Iterator[str]:
    yield "## Default settings"
    yield ""
    yield "What a run gives Spark beside `spark.conf`, which goes before it."
    yield ""
    yield "| setting | value | reason |"
    yield "|---|---|---|"
    for setting in DEFAULTS:
        value = "RocksDB's" if setting.value == ROCKSDB else f"`{setting.value}`"
        only = " (`local` masters only)" if setting.local else ""
        yield f"| `{setting.name}` | {value} | {setting.reason}{only} |"


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - the page is what this prints
