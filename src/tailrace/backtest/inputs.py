"""What a backtest reads: files that are given, or a pipeline's own source to its present end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.errors import TailraceError

if TYPE_CHECKING:
    from tailrace.config.source import AnySource
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Source


def history_source(plan: Plan, own: Plan) -> Source:
    """The source of ``own``, for ``plan`` to read to its end; TailraceError if it has no history.

    A topic is read from its first message on, whatever ``start`` says: behind the latest one
    there is nothing.
    """
    from tailrace.config import CaptureSource, HttpSource, KafkaSource, StdinSource
    from tailrace.sources.opening import open_source

    source: AnySource = own.config.source
    if isinstance(source, HttpSource):
        raise TailraceError("what is sent by HTTP can't be read a second time", hint=_INPUT)
    if isinstance(source, CaptureSource):
        raise TailraceError(
            "packets can't be captured a second time",
            hint=f"{_INPUT}; tailrace capture --out FILE records packets",
        )
    if isinstance(source, StdinSource) and plan is not own:
        raise TailraceError("standard input can't be read a second time for --against", hint=_INPUT)
    if isinstance(source, KafkaSource) and source.start == "latest":
        source = source.model_copy(update={"start": "earliest"})
    return open_source(plan.config, source=source, until_end=True)


def source_names(plan: Plan) -> tuple[str, ...]:
    """What the pipeline's own source reads, for people."""
    from tailrace.config import FileSource, FolderSource, KafkaSource, PcapSource

    source = plan.config.source
    if isinstance(source, FileSource | PcapSource):
        return source.paths
    if isinstance(source, FolderSource):
        return (source.path,)
    if isinstance(source, KafkaSource):
        return tuple(f"topic {topic}" for topic in source.topics)
    return ("standard input",)


_INPUT = "give recorded input: --input"
