"""What all models of the pipeline file have in common.

Frozen; unknown keys are refused; every mistake of a model is found in one go, also those that
concern several keys at once; a mistake in Python is a PipelineError, as one in a file is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from tailrace.config.complaints import Complaint, complaints_of, key_of, refusals
from tailrace.config.values import escaped
from tailrace.errors import PipelineError, Problem

Given = Mapping[str, object]
"""What was given for a model, by the keys of the pipeline file; the values not yet validated."""


if TYPE_CHECKING:
    # It has no public name, and type checkers know it for what makes dataclasses.
    from pydantic._internal._model_construction import ModelMetaclass as _Meta
else:

    class _Meta(type(BaseModel)):
        """Lets ``Model(...)`` in Python raise PipelineError, but leaves nested validation alone."""

        def __call__(cls, *args: object, **values: object) -> object:
            try:
                return super().__call__(*args, **values)
            except ValidationError as error:
                problems = tuple(
                    Problem(titled(c, cls.__name__), hint=c.hint) for c in complaints_of(error)
                )
                raise PipelineError(problems=problems) from None


class Model(BaseModel, metaclass=_Meta):
    """Base of the models; see the module."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Hints for keys that this model doesn't have, where a guess at the spelling would mislead."""

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:  # noqa: ARG003 (models override it)
        """Yield what is wrong with several keys taken together; paths are relative to the model.

        Called whether or not the single values are right, and so must take any value as it is.
        """
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _complain_once(cls, data: Any, handler: ModelWrapValidatorHandler[Model]) -> Model:  # noqa: ANN401 (whatever the user gave)
        found: list[Complaint] = []
        made: Model | None = None
        try:
            made = handler(data)
        except ValidationError as error:
            found += (cls._by_key(c) for c in complaints_of(error, cls))
        if isinstance(data, Mapping):
            paths = {complaint.path for complaint in found}
            found += (c for c in cls.complaints(cls._given(data)) if c.path not in paths)
        if made is None or found:
            raise refusals(found)
        return made

    @classmethod
    def _by_key(cls, complaint: Complaint) -> Complaint:
        """Speak of keys as the pipeline file has them, and of those that belong elsewhere."""
        path, hint = complaint.path, complaint.hint
        if path and path[0] in cls.model_fields:
            name = str(path[0])
            path = (key_of(name, cls.model_fields[name]), *path[1:])
        if complaint.unknown and len(path) == 1:
            hint = cls.elsewhere.get(str(path[0]), hint)
        return replace(complaint, path=path, hint=hint)

    @classmethod
    def _given(cls, data: Mapping[str, object]) -> Given:
        given = dict(data)
        for name, field in cls.model_fields.items():
            key = key_of(name, field)
            if key != name and name in given:
                given[key] = given.pop(name)
        return given


def titled(complaint: Complaint, title: str = "", names: Given | None = None) -> str:
    """Return a complaint's message with the place in the pipeline file that it speaks of.

    ``title`` stands for the top. ``names``: the whole document, so that a rule is called by name.
    """
    path = complaint.path[:-1] if complaint.unknown else complaint.path
    place = dotted(path, names) or title
    return f"{place}: {complaint.message}" if place else complaint.message


def dotted(path: tuple[str | int, ...], document: Given | None = None) -> str:
    """Return a path as ``--set`` takes it: ``rules.client_flood.when``."""
    parts: list[str] = []
    value: object = document
    for step in path:
        value = _child(value, step)
        name = _rule_name(value) if parts == ["rules"] else None
        parts.append(escaped(name or str(step)))
    return ".".join(parts)


def _child(value: object, step: str | int) -> object:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _rule_name(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return None
    name = value.get("alert", value.get("record", value.get("classify")))
    return name if isinstance(name, str) and name else None
