"""From the ``source`` of a pipeline file to the source that reads it."""

from __future__ import annotations

from tailrace.config import FileSource, FolderSource, KafkaSource, PipelineConfig
from tailrace.config.kafka import beside_names
from tailrace.config.source import AnySource
from tailrace.sources.files import FinishedFiles
from tailrace.sources.folder import FolderSource as Folder
from tailrace.sources.following import FollowedFiles
from tailrace.sources.standard_input import StandardInput
from tailrace.sources.types import Source


def open_source(
    pipeline: PipelineConfig,
    *,
    source: AnySource | None = None,
    until_end: bool = False,
    holder: str | None = None,
) -> Source:
    """Return the source that a pipeline names, or another in its place; its ``open`` comes next.

    ``until_end``: it ends where its input ends when it is opened, followed or not; then a last line
    of a followed file that has no end stays unread. ``holder``: the store for which it is read, so
    that no other reads it at the same time; None only looks. SourceError if the source can't be.
    """
    config = pipeline.source if source is None else source
    max_record_bytes = pipeline.limits.max_record_bytes
    if isinstance(config, KafkaSource):
        from tailrace.sources.kafka.source import KafkaTopics

        return KafkaTopics(
            config,
            pipeline=pipeline.name,
            holder=holder,
            until_end=until_end,
            max_record_bytes=max_record_bytes,
            wanted=beside_names(pipeline.time, pipeline.fields),
        )
    if isinstance(config, FolderSource):
        return Folder(
            config.path,
            pattern=config.pattern,
            follow=config.follow,
            until_end=until_end,
            max_record_bytes=max_record_bytes,
        )
    if not isinstance(config, FileSource):
        return StandardInput(max_record_bytes=max_record_bytes)
    if not config.follow:
        return FinishedFiles(config.paths, fields=config.fields, max_record_bytes=max_record_bytes)
    return FollowedFiles(
        config.paths,
        fields=config.fields,
        until_end=until_end,
        max_record_bytes=max_record_bytes,
    )
