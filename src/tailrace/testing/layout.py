"""How a case's pipeline wants its records written."""

from __future__ import annotations

import os

from tailrace.config import PipelineConfig, loads
from tailrace.config.format import Csv
from tailrace.config.several import steps
from tailrace.testing.case import Case
from tailrace.testing.records import Layout


def config_of(case: Case) -> PipelineConfig:
    """Read the case's pipeline, with its `set`s; raises PipelineError if it is wrong."""
    return loads(case.pipeline_text, case.pipeline_file, env=os.environ, sets=case.sets).config


def layout_of(case: Case) -> Layout:
    """The layout of the records of a case; raises PipelineError if its pipeline is wrong."""
    config = config_of(case)
    csv = config.format if isinstance(config.format, Csv) else None
    return Layout(
        time_path=steps(config.time.field),
        time_format=config.time.format,
        zone=config.time.zone,
        paths={name: each.source_key(name) for name, each in config.fields.items()},
        columns=csv.columns if csv else None,
        header=bool(csv and csv.columns and csv.header),
        delimiter=csv.delimiter if csv else ",",
        written=config.format == "json" or bool(csv and csv.columns),
    )
