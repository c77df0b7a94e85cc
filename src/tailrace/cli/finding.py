"""Which store a verb is about: a pipeline file's, one that was named, or the only one here."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tailrace.errors import PipelineError, TailraceError

STORES = ".tailrace/*.duckdb"
_NAME = re.compile(r"^name\s*:", re.MULTILINE)
_SOURCE = re.compile(r"^source\s*:", re.MULTILINE)


def find_store(pipeline: Path | None, store: Path | None, sets: Sequence[str] = ()) -> Path:
    """The path of the store that is meant; TailraceError, naming the choices, if it isn't clear.

    Without ``pipeline`` and ``store``: that of the only pipeline file in the current folder, else
    the only one under ``.tailrace``.
    """
    if store is not None:
        return store
    if pipeline is not None:
        return pipeline if pipeline.suffix == ".duckdb" else store_of(pipeline, sets)
    pipelines = pipelines_here()
    stores = sorted(Path().glob(STORES))
    if len(pipelines) == 1:
        return _store_here(pipelines[0], sets, stores)
    if len(stores) == 1:
        return stores[0]
    choices = [*map(str, pipelines or stores)]
    if not choices:
        hint = "name one: PIPELINE, or --store PATH"
        raise TailraceError("there is no pipeline file in this folder", hint=hint)
    kind = "pipeline files" if pipelines else "stores"
    raise TailraceError(f"there are several {kind} here", hint=f"name one: {', '.join(choices)}")


def _store_here(pipeline: Path, sets: Sequence[str], stores: Sequence[Path]) -> Path:
    """The store of the only pipeline; the only store, if the file was changed since it ran."""
    try:
        path = store_of(pipeline, sets)
    except PipelineError:
        if len(stores) != 1:
            raise
        return stores[0]
    return stores[0] if len(stores) == 1 and not path.exists() else path


def find_pipeline(pipeline: Path | None) -> Path:
    """The pipeline file that is meant: the one named, else the only one in the current folder."""
    if pipeline is not None:
        return pipeline
    pipelines = pipelines_here()
    if len(pipelines) == 1:
        return pipelines[0]
    if not pipelines:
        raise TailraceError("there is no pipeline file in this folder", hint="name one: PIPELINE")
    names = ", ".join(map(str, pipelines))
    raise TailraceError("there are several pipeline files here", hint=f"name one: {names}")


def pipelines_here() -> list[Path]:
    """The files of the current folder that look like pipelines."""
    return [
        path
        for path in sorted((*Path().glob("*.yaml"), *Path().glob("*.yml")))
        if _is_pipeline(path)
    ]


def store_of(pipeline: Path, sets: Sequence[str] = ()) -> Path:
    """Where the store of a pipeline file is.

    A file with mistakes, or whose environment isn't set here, still says it if it can: somebody
    wants to know how the pipeline stands that was started from it.
    """
    from tailrace.config import load

    try:
        return load(pipeline, sets=sets).store_path
    except PipelineError:
        path = None if sets else _said(pipeline)
        if path is None:
            raise
        return path


def _said(pipeline: Path) -> Path | None:
    import yaml

    from tailrace.config.environment import fill

    try:
        top = yaml.safe_load(pipeline.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError):
        return None
    if not isinstance(top, dict):
        return None
    store = top.get("store") or {}
    path = store.get("path") if isinstance(store, dict) else None
    for text in (path, top.get("name")):
        if isinstance(text, str):
            filled = fill(text, os.environ)
            if filled.mistakes:
                return None
            if text is path:
                return Path(filled.text)
            return pipeline.parent / ".tailrace" / f"{filled.text}.duckdb"
    return None


def _is_pipeline(path: Path) -> bool:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return bool(_NAME.search(text) and _SOURCE.search(text))
