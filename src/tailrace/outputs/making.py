"""From an output of the pipeline file to the object that takes rows.

Those for servers need libraries that not everybody has: their modules are loaded when a pipeline
names one, and each has ``make(name, config, context)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from tailrace.config.outputs import FileOutput, TableOutput, TerminalOutput
from tailrace.config.outputs import Output as OutputConfig
from tailrace.outputs.ndjson import NdjsonFile
from tailrace.outputs.output import Output
from tailrace.outputs.parquet import ParquetFolder
from tailrace.outputs.shapes import Shape
from tailrace.outputs.terminal import Terminal

SERVERS = {
    "kafka": "tailrace.outputs.kafka",
    "opensearch": "tailrace.outputs.opensearch",
    "sql": "tailrace.outputs.sql",
    "redis": "tailrace.outputs.redis",
    "webhook": "tailrace.outputs.webhook",
    "alertmanager": "tailrace.outputs.alertmanager",
}
"""The module of each kind of output that is a server."""


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What an output may need to know of the pipeline that it serves.

    ``store_id`` is fixed for the life of a store; ``shapes`` are the rows that the output gets.
    """

    pipeline: str
    store_id: str
    shapes: tuple[Shape, ...] = ()


def make_output(name: str, config: OutputConfig, context: OutputContext) -> Output:
    """The output called ``name`` that ``config`` describes, not yet open.

    ValueError for a table: its rows go into the store with the epoch that makes them. OutputError
    if a library is missing.
    """
    target = config.target
    match target:
        case FileOutput():
            path = Path(target.path)
            if target.resolved_format == "parquet":
                return ParquetFolder(
                    path,
                    by=target.partition_by,
                    roll_bytes=target.roll_bytes,
                    roll_seconds=int(target.roll_after) / 1_000_000,
                )
            return NdjsonFile(path, ZoneInfo(config.zone))
        case TableOutput():
            raise ValueError(f"the output {name} is a table of the store")
        case TerminalOutput():
            return Terminal()
        case _:
            module = import_module(SERVERS[target.kind])
            make = cast("Callable[[str, OutputConfig, OutputContext], Output]", module.make)
            return make(name, config, context)
