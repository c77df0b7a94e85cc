"""From the ``source`` of a pipeline file to the source that reads it."""

from __future__ import annotations

from tailrace.config.source import AnySource, FileSource
from tailrace.errors import SourceError
from tailrace.sources.files import FinishedFiles
from tailrace.sources.following import FollowedFiles
from tailrace.sources.types import Source


def open_source(config: AnySource, *, until_end: bool = False, max_record_bytes: int) -> Source:
    """Return the source that a pipeline names; its ``open`` is called next.

    ``until_end``: it ends where its files end when it is opened, followed or not; then a last line
    of a followed file that has no end stays unread. SourceError if that can't be.
    """
    if isinstance(config, FileSource) and not config.follow:
        return FinishedFiles(config.paths, fields=config.fields, max_record_bytes=max_record_bytes)
    if isinstance(config, FileSource):
        return FollowedFiles(
            config.paths,
            fields=config.fields,
            until_end=until_end,
            max_record_bytes=max_record_bytes,
        )
    raise SourceError(f"the {config.kind} source is not there yet, until_end: {until_end}")
