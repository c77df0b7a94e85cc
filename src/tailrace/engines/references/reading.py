"""Reading a reference's cells from where it is; TableError, without secrets, if that can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.config.reference_places import FileTable, HttpTable, RedisTable, SqlTable
from tailrace.errors import Problem, TableError, TailraceError
from tailrace.reference.build import Built, build

if TYPE_CHECKING:
    from tailrace.config.references import Reference
    from tailrace.reference.raw import RawTable


def load(name: str, config: Reference) -> Built:
    """Read the reference now; TableError if it can't be read, or can't be its table."""
    try:
        try:
            raw = _read(config)
        except TailraceError as error:
            raise failure(name, error) from error
        return build(name, config, raw)
    except TableError:
        raise
    except Exception as error:  # noqa: BLE001 - contents of any kind end no thread and no run
        raise failure(name, error) from None


def failure(name: str, error: Exception) -> TableError:
    """What is told of an error: of ours its words, of others their kind alone.

    What a library says may have an address, a header or a cell in it.
    """
    if isinstance(error, TailraceError):
        told = [Problem(f"reference '{name}': {p.message}", None, p.hint) for p in error.problems]
        return TableError(problems=tuple(told))
    return TableError(f"reference '{name}': it can't be loaded ({type(error).__name__})")


def _read(config: Reference) -> RawTable:
    columns = tuple(config.columns)
    match config.place:
        case FileTable() as place:
            from tailrace.engines.references.files import read_file

            return read_file(place, columns)
        case SqlTable() as place:
            from tailrace.engines.references.sql import has_order, read_sql

            raw = read_sql(place, columns, config.max_rows)
            # Two loads of the same rows must take the same of them.
            first = config.duplicates == "first" and not has_order(place)
            return raw.ordered() if first else raw
        case RedisTable() as place:
            from tailrace.engines.references.keys import read_redis

            return read_redis(place, columns, config.max_rows)
        case HttpTable() as place:
            from tailrace.engines.references.web import read_http

            return read_http(place, columns)
