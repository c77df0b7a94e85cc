"""From the ``source`` of a pipeline file to the source that reads it."""

from __future__ import annotations

from pathlib import Path

from tailrace.config import (
    CaptureSource,
    FileSource,
    FolderSource,
    HttpSource,
    KafkaSource,
    PcapSource,
    PipelineConfig,
    StdinSource,
)
from tailrace.config.kafka import beside_names
from tailrace.config.source import AnySource
from tailrace.errors import SourceError
from tailrace.sources.captures.files import capture_files
from tailrace.sources.files import FinishedFiles
from tailrace.sources.folder import FolderSource as Folder
from tailrace.sources.following import FollowedFiles
from tailrace.sources.live.source import CapturedPackets
from tailrace.sources.standard_input import StandardInput
from tailrace.sources.types import Source


def open_source(
    pipeline: PipelineConfig,
    *,
    source: AnySource | None = None,
    until_end: bool = False,
    holder: str | None = None,
    store: str | Path | None = None,
) -> Source:
    """Return the source that a pipeline names, or another in its place; its ``open`` comes next.

    ``until_end``: it ends where its input ends when it is opened, followed or not; then a last line
    of a followed file that has no end stays unread. ``holder``: the store for which it is read, so
    that no other reads it at the same time; None only looks. ``store``: its file, beside which a
    source may keep what it can't read again. SourceError if the source can't be.
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
    if isinstance(config, HttpSource):
        return _http(config, max_record_bytes, store, listens=holder is not None and not until_end)
    if isinstance(config, CaptureSource):
        return CapturedPackets(config, captures=holder is not None and not until_end)
    if isinstance(config, StdinSource):
        return StandardInput(max_record_bytes=max_record_bytes)
    return _files(config, max_record_bytes, until_end=until_end)


def _files(
    config: FileSource | FolderSource | PcapSource, max_record_bytes: int, *, until_end: bool
) -> Source:
    if isinstance(config, PcapSource):
        return capture_files(config.paths)
    if isinstance(config, FolderSource):
        return Folder(
            config.path,
            pattern=config.pattern,
            follow=config.follow,
            until_end=until_end,
            max_record_bytes=max_record_bytes,
        )
    if not config.follow:
        return FinishedFiles(config.paths, fields=config.fields, max_record_bytes=max_record_bytes)
    return FollowedFiles(
        config.paths,
        fields=config.fields,
        until_end=until_end,
        max_record_bytes=max_record_bytes,
    )


def _http(
    config: HttpSource, max_record_bytes: int, store: str | Path | None, *, listens: bool
) -> Source:
    from tailrace.sources.http.source import HttpRecords

    if store is None or str(store) == ":memory:":
        raise SourceError(
            "what is sent by HTTP is kept beside the store, and this store is no file",
            hint="tailrace run PIPELINE",
        )
    if listens:
        try:
            import h11  # noqa: F401 - looked for before anything is made
        except ImportError as error:
            raise SourceError(
                "a source of this kind needs the library h11", hint="pip install 'tailrace[http]'"
            ) from error
    folder = f"{store}.received"
    return HttpRecords(config, folder, listens=listens, max_record_bytes=max_record_bytes)
