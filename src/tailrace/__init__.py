"""Detections over live logs: rules written once, exact in event time, tested before they run.

Importing this package loads nothing heavy: what it offers is imported when it is first used.

>>> import tailrace
>>> pipeline = tailrace.Pipeline.parse('''
... name: web
... source: {file: {path: access.ndjson}}
... time: {field: at}
... fields: {status: integer}
... rules:
...   - record: requests
...     window: 1m
...     select: {requests: count(*), errors: count(*) filter (where status >= 500)}
... ''')
>>> result = pipeline.run(records=[b'{"at": 1, "status": 200}', b'{"at": 2, "status": 503}'])
>>> result.records["requests"].select(["requests", "errors"]).to_pylist()
[{'requests': 2, 'errors': 1}]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace._version import __version__

if TYPE_CHECKING:
    from tailrace.alerts.incidents import Revision
    from tailrace.api import Backtest, Following, Pipeline, Result
    from tailrace.config import (
        Alert,
        Archive,
        CaptureSource,
        Classify,
        Csv,
        DeadLetterSettings,
        Dedup,
        Duration,
        EventField,
        ExplainSettings,
        FileOutput,
        FileSource,
        FolderSource,
        HttpSource,
        Json,
        KafkaSource,
        Limits,
        LogFormat,
        Output,
        PcapSource,
        PipelineConfig,
        Record,
        StdinSource,
        StoreSettings,
        TableOutput,
        TerminalOutput,
        TimeSettings,
        Window,
    )
    from tailrace.errors import (
        OutputError,
        PipelineError,
        Problem,
        SourceError,
        StoreError,
        TailraceError,
        Where,
    )

_HOMES = {
    "tailrace.alerts.incidents": ("Revision",),
    "tailrace.api": ("Backtest", "Following", "Pipeline", "Result"),
    "tailrace.config": (
        "Alert",
        "Archive",
        "CaptureSource",
        "Classify",
        "Csv",
        "DeadLetterSettings",
        "Dedup",
        "Duration",
        "EventField",
        "ExplainSettings",
        "FileOutput",
        "FileSource",
        "FolderSource",
        "HttpSource",
        "Json",
        "KafkaSource",
        "Limits",
        "LogFormat",
        "Output",
        "PcapSource",
        "PipelineConfig",
        "Record",
        "StdinSource",
        "StoreSettings",
        "TableOutput",
        "TerminalOutput",
        "TimeSettings",
        "Window",
    ),
    "tailrace.errors": (
        "OutputError",
        "PipelineError",
        "Problem",
        "SourceError",
        "StoreError",
        "TailraceError",
        "Where",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Alert",
    "Archive",
    "Backtest",
    "CaptureSource",
    "Classify",
    "Csv",
    "DeadLetterSettings",
    "Dedup",
    "Duration",
    "EventField",
    "ExplainSettings",
    "FileOutput",
    "FileSource",
    "FolderSource",
    "Following",
    "HttpSource",
    "Json",
    "KafkaSource",
    "Limits",
    "LogFormat",
    "Output",
    "OutputError",
    "PcapSource",
    "Pipeline",
    "PipelineConfig",
    "PipelineError",
    "Problem",
    "Record",
    "Result",
    "Revision",
    "SourceError",
    "StdinSource",
    "StoreError",
    "StoreSettings",
    "TableOutput",
    "TailraceError",
    "TerminalOutput",
    "TimeSettings",
    "Where",
    "Window",
    "__version__",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'tailrace' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
