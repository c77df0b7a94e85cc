"""The pipeline file: its models, reading it with places and overrides, writing it.

What the expressions in it mean is not known here; nothing here reads logs.
"""

from tailrace.config.classify import Classify
from tailrace.config.event import Dedup, EventField, TimeSettings
from tailrace.config.format import Csv, Json, LogFormat
from tailrace.config.http_source import HttpSource
from tailrace.config.kafka import KafkaSource
from tailrace.config.keys import KeyPart
from tailrace.config.loading import Loaded, load, loads
from tailrace.config.operation import DeadLetterSettings, ExplainSettings, Limits, StoreSettings
from tailrace.config.outputs import Archive, FileOutput, Output, TableOutput, TerminalOutput
from tailrace.config.packets import CaptureSource, PcapSource
from tailrace.config.pipeline import PipelineConfig
from tailrace.config.positions import Positions
from tailrace.config.rules import Alert, Record
from tailrace.config.source import FileSource, FolderSource, StdinSource
from tailrace.config.units import Duration
from tailrace.config.windows import Window
from tailrace.config.writing import dumps

__all__ = [
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
    "KeyPart",
    "Limits",
    "Loaded",
    "LogFormat",
    "Output",
    "PcapSource",
    "PipelineConfig",
    "Positions",
    "Record",
    "StdinSource",
    "StoreSettings",
    "TableOutput",
    "TerminalOutput",
    "TimeSettings",
    "Window",
    "dumps",
    "load",
    "loads",
]
