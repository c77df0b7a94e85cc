"""How a case's pipeline wants its records written."""

from __future__ import annotations

import os
from functools import lru_cache

from tailrace.config import Loaded, PipelineConfig, loads
from tailrace.config.format import Csv, Json
from tailrace.config.several import steps
from tailrace.testing.case import Case
from tailrace.testing.records import Layout


def config_of(case: Case) -> PipelineConfig:
    """Read the case's pipeline, with its `set`s; raises PipelineError if it is wrong."""
    return loaded(case, case.pipeline_text).config


def loaded(case: Case, text: str) -> Loaded:
    """Read a pipeline of the case, as above; what was read before is known."""
    return _read(text, case.pipeline_file, case.sets, tuple(os.environ.items()))


@lru_cache(maxsize=512)
def _read(text: str, file: str, sets: tuple[str, ...], env: tuple[tuple[str, str], ...]) -> Loaded:
    return loads(text, file, env=dict(env), sets=sets)


def layout_of(case: Case) -> Layout:
    """The layout of the records of a case; raises PipelineError if its pipeline is wrong."""
    config = config_of(case)
    csv = config.format if isinstance(config.format, Csv) else None
    json = config.format if isinstance(config.format, Json) else None
    wrapping = ("payload",) if json is not None and json.envelope is not None else ()
    return Layout(
        time_path=(*wrapping, *steps(config.time.field)),
        time_format=config.time.format,
        zone=config.time.zone,
        wrapping=wrapping,
        paths={n: (*wrapping, *each.source_key(n)) for n, each in config.fields.items()},
        columns=csv.columns if csv else None,
        header=bool(csv and csv.columns and csv.header),
        delimiter=csv.delimiter if csv else ",",
        # A plain value stands for its record in JSON, beside what the message has.
        written=config.format in ("json", "plain") or json is not None or bool(csv and csv.columns),
    )
