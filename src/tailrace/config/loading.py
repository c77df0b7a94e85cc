"""Reading a pipeline file: text, environment and overrides in; a checked configuration out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from yaml.nodes import MappingNode, Node

from tailrace.config.base import titled
from tailrace.config.complaints import Complaint, complaints_of
from tailrace.config.document import Document, Value
from tailrace.config.environment import meaning_env
from tailrace.config.overrides import override
from tailrace.config.pipeline import PipelineConfig
from tailrace.config.positions import Positions
from tailrace.config.salvage import salvaged
from tailrace.config.secrets import Redactor
from tailrace.config.values import described, redacting
from tailrace.config.writing import dumps
from tailrace.config.yaml_tree import compose
from tailrace.errors import PipelineError, Problem, Where

_BEGIN = "a pipeline file begins with 'name: ...'"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pipeline file that was read: what it says, and where each value is written.

    ``text`` is the file as it stands, nothing filled in; ``sets`` are the overrides given.
    ``meaning_env``: the environment as far as the meaning of rules depends on it.
    ``secrets`` are the values that came from the environment; nothing shown may hold one.
    """

    config: PipelineConfig = field(repr=False)
    positions: Positions = field(repr=False)
    file: str
    text: str = field(repr=False)
    redactor: Redactor = field(default_factory=Redactor, repr=False)
    sets: tuple[str, ...] = field(default=(), repr=False)
    meaning_env: Mapping[str, str | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, config: PipelineConfig) -> Self:
        """Return a pipeline built in Python as if it had been read; its places are paths."""
        return cls(config, Positions(), "<python>", dumps(config))

    @property
    def secrets(self) -> frozenset[str]:
        """The values that came from the environment."""
        return frozenset(self.redactor.secrets)

    def redact(self, text: str) -> str:
        """Return `text` with each secret replaced by the reference it came from, ``${NAME}``."""
        return self.redactor(text)

    @property
    def store_path(self) -> Path:
        """Where the store is: as given, or ``.tailrace/NAME.duckdb`` beside the pipeline file."""
        if self.config.store.path is not None:
            return Path(self.config.store.path)
        return Path(self.file).parent / ".tailrace" / f"{self.config.name}.duckdb"


@dataclass(frozen=True, slots=True)
class Examined:
    """A pipeline file that was looked at: ``loaded`` if nothing is wrong, else ``problems``.

    ``rest`` is what is left when what is wrong is taken out, so that the expressions in it can be
    checked too; None if they can't be. ``doubtful``: fields of it whose types aren't known.
    """

    loaded: Loaded | None
    problems: tuple[Problem, ...] = ()
    rest: Loaded | None = None
    doubtful: frozenset[str] = frozenset()


def load(path: Path, *, env: Mapping[str, str] | None = None, sets: Sequence[str] = ()) -> Loaded:
    """Read the pipeline file at `path`.

    ``env`` fills in ``${NAME}`` (by default the process's environment); ``sets`` are the texts of
    ``--set``. Raises PipelineError with every problem found.
    """
    return loads(read_text(path), str(path), env=env, sets=sets)


def read_text(path: Path) -> str:
    """Return the text of a pipeline file; PipelineError if there is none."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise PipelineError("there is no such file", where=Where(str(path))) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        raise PipelineError(message, where=Where(str(path), line), hint=hint) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PipelineError(f"can't be read: {reason}", where=Where(str(path))) from None


def loads(
    text: str,
    file: str = "<text>",
    *,
    env: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
) -> Loaded:
    """Read a pipeline from YAML text; as `load`, ``file`` being its name in errors."""
    examined = examine(text, file, env=env, sets=sets)
    if examined.loaded is None:
        raise PipelineError(problems=examined.problems)
    return examined.loaded


def examine(
    text: str,
    file: str = "<text>",
    *,
    env: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
) -> Examined:
    """Read a pipeline from YAML text as `loads` does, keeping what is left of a wrong one."""
    document = Document(text, file, os.environ if env is None else env)
    top = _top(compose(text, file), document)
    if top is None:
        return Examined(None, tuple(document.problems))
    for setting in sets:
        override(top, setting, document)
    positions = Positions(document.places)
    redactor = Redactor(document.secrets)

    def loaded(config: PipelineConfig) -> Loaded:
        meaning = meaning_env(text, os.environ if env is None else env)
        return Loaded(config, positions, file, text, redactor, tuple(sets), meaning)

    problems = list(document.problems)
    with redacting(redactor):
        try:
            config = PipelineConfig.model_validate(top, by_alias=True, by_name=False)
            if not problems:
                return Examined(loaded(config))
        except ValidationError as error:
            problems += _problems(complaints_of(error), top, document, positions)
        rest = salvaged(top)
    problems = [_redacted(problem, redactor) for problem in problems]
    return Examined(
        None,
        tuple(sorted(problems, key=_order)),
        None if rest is None else loaded(rest.config),
        frozenset() if rest is None else rest.doubtful,
    )


def _top(node: Node | Problem | None, document: Document) -> dict[str, Value] | None:
    match node:
        case None:
            document.fault("the file is empty", Where(document.file), _BEGIN)
        case Problem():
            document.faults.append(((), node))
        case MappingNode():
            top = document.read(node)
            return top if isinstance(top, dict) else None
        case _:
            value = document.read(node)
            if not document.problems:
                message = f"expected keys with values, found {described(value)}"
                document.fault(message, Where(document.file, 1, 1), _BEGIN)
    return None


def _problems(
    complaints: list[Complaint],
    top: dict[str, Value],
    document: Document,
    positions: Positions,
) -> list[Problem]:
    problems = []
    for complaint in complaints:
        path = complaint.path
        if any(path[:length] in document.broken for length in range(len(path) + 1)):
            continue
        where = positions.where_key(path) if complaint.at_key else positions.where(path)
        problems.append(Problem(titled(complaint, names=top), where, complaint.hint))
    return problems


def _redacted(problem: Problem, redact: Redactor) -> Problem:
    hint = None if problem.hint is None else redact(problem.hint)
    return Problem(redact(problem.message), problem.where, hint)


def _order(problem: Problem) -> tuple[int, int]:
    where = problem.where
    if where is None or where.line is None:
        return 1 << 30, 0
    return where.line, where.column or 0
