"""What a pipeline can be run over, as a source: its own, files, records or tables from memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.errors import TailraceError

if TYPE_CHECKING:
    import pyarrow as pa

    from tailrace.plan.model import Plan
    from tailrace.sources.types import Source

Records = bytes | str | Iterable[bytes | str]
"""Records of one partition: lines in one piece, or one by one (their line ends may be missing)."""


def source_of(
    plan: Plan,
    *,
    files: str | Path | Sequence[str | Path] | None,
    records: Records | Mapping[str, Records] | None,
    tables: object,
    follow: bool,
    until_end: bool,
) -> Source:
    """The source that is meant; TailraceError if more than one is."""
    given = {"files": files, "records": records, "tables": tables}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise TailraceError(f"{' and '.join(named)} are given; a run has one input")
    limit = plan.config.limits.max_record_bytes
    if files is not None:
        return _files(plan, files, follow=follow, until_end=until_end)
    if records is not None:
        from tailrace.sources.memory import MemorySource

        contents = {name: _lines(value) for name, value in _by_name(records, "records").items()}
        return MemorySource(contents, max_record_bytes=limit)
    if tables is not None:
        from tailrace.formats.build import decode_spec
        from tailrace.sources.tables import TableSource

        parts = {name: _Tables(value) for name, value in _by_name(tables, "tables").items()}
        return TableSource(parts, decode_spec(plan.config))
    from tailrace.sources.opening import open_source

    return open_source(plan.config, until_end=until_end)


def _files(
    plan: Plan, files: str | Path | Sequence[str | Path], *, follow: bool, until_end: bool
) -> Source:
    from tailrace.config import FileSource, PcapSource
    from tailrace.config.packets import PacketSource
    from tailrace.sources.opening import open_source

    paths = [files] if isinstance(files, str | Path) else list(files)
    own = plan.config.source
    if isinstance(own, PacketSource):
        captures = PcapSource(path=tuple(str(path) for path in paths))
        return open_source(plan.config, source=captures, until_end=until_end)
    source = FileSource(
        path=tuple(str(path) for path in paths),
        follow=follow,
        fields=own.fields if isinstance(own, FileSource) else None,
    )
    return open_source(plan.config, source=source, until_end=until_end)


def _by_name(value: object, name: str) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {name: value}


def _lines(given: object) -> bytes:
    if isinstance(given, str):
        return given.encode()
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    if not isinstance(given, Iterable):
        raise TailraceError(
            f"records of type {type(given).__name__} can't be read",
            hint="give bytes, or an iterable of lines, or a mapping from partitions to these",
        )
    parts = []
    for line in given:
        data = line.encode() if isinstance(line, str) else bytes(line)
        parts.append(data if data.endswith(b"\n") else data + b"\n")
    return b"".join(parts)


class _Tables:
    """Tables, batches and data frames as tables; begins anew where what it was given does."""

    def __init__(self, given: object) -> None:
        self._given = given
        self._once = isinstance(given, Iterator)

    def __iter__(self) -> Iterator[pa.Table]:
        return self if self._once else self._all()

    def __next__(self) -> pa.Table:
        assert isinstance(self._given, Iterator)  # noqa: S101 - ``_once`` says so
        return _table(next(self._given))

    def _all(self) -> Iterator[pa.Table]:
        import pyarrow as pa

        given = self._given
        if isinstance(given, pa.Table | pa.RecordBatch) or _is_frame(given):
            yield _table(given)
        elif isinstance(given, Iterable):
            for part in given:
                yield _table(part)
        else:
            yield _table(given)


def _table(given: object) -> pa.Table:
    import pyarrow as pa

    if isinstance(given, pa.Table):
        return given
    if isinstance(given, pa.RecordBatch):
        return pa.Table.from_batches([given])
    if _is_frame(given):
        return pa.Table.from_pandas(given, preserve_index=False)
    raise TailraceError(
        f"{type(given).__name__} is no table",
        hint="give Arrow tables, record batches or pandas data frames, or an iterable of them",
    )


def _is_frame(value: object) -> bool:
    """Whether it is a pandas data frame, without importing pandas."""
    return type(value).__name__ == "DataFrame" and type(value).__module__.startswith("pandas")
