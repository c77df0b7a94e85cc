"""From an output of the pipeline file to the object that takes rows."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from tailrace.config.outputs import FileOutput, TableOutput
from tailrace.config.outputs import Output as OutputConfig
from tailrace.outputs.batches import Form
from tailrace.outputs.ndjson import NdjsonFile
from tailrace.outputs.output import Output
from tailrace.outputs.parquet import ParquetFolder
from tailrace.outputs.terminal import Terminal


def make_output(name: str, config: OutputConfig) -> Output:
    """The output called ``name`` that ``config`` describes, not yet open.

    ValueError for a table: its rows go into the store with the epoch that makes them.
    """
    target = config.target
    match target:
        case FileOutput():
            path = Path(target.path)
            if target.resolved_format == "parquet":
                return ParquetFolder(path)
            return NdjsonFile(path, ZoneInfo(config.zone))
        case TableOutput():
            raise ValueError(f"the output {name} is a table of the store")
        case _:
            return Terminal()


def form_of(config: OutputConfig) -> Form:
    """The form in which an output wants its rows."""
    target = config.target
    if isinstance(target, TableOutput):
        return Form.TYPED
    if isinstance(target, FileOutput) and target.resolved_format == "parquet":
        return Form.TYPED
    return Form.ROWS
