"""From the ``source`` of a pipeline file to the source that reads it."""

from __future__ import annotations

from tailrace.config.source import AnySource, FileSource, FolderSource
from tailrace.sources.files import FinishedFiles
from tailrace.sources.folder import FolderSource as Folder
from tailrace.sources.following import FollowedFiles
from tailrace.sources.standard_input import StandardInput
from tailrace.sources.types import Source


def open_source(config: AnySource, *, until_end: bool = False, max_record_bytes: int) -> Source:
    """Return the source that a pipeline names; its ``open`` is called next.

    ``until_end``: it ends where its files end when it is opened, followed or not; then a last line
    of a followed file that has no end stays unread. SourceError if the source can't be.
    """
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
