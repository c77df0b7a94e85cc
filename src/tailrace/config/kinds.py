"""What the reference calls the type of an option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Kind:
    """Annotation: the type's name in the reference. The last one of a type counts."""

    name: str


def kind_of(field: FieldInfo) -> str:
    """Return the words for an option's type: "duration", "`a` or `b`", "list of names"."""
    return _marked(tuple(field.metadata)) or _words(field.annotation)


def _marked(metadata: tuple[object, ...]) -> str | None:
    kinds = [item.name for item in metadata if isinstance(item, Kind)]
    return kinds[-1] if kinds else None


def _words(annotation: object) -> str:
    words = _marked(getattr(annotation, "__metadata__", ()))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if words is not None:
        return words
    if origin is Literal:
        words = ", ".join(f"`{choice}`" for choice in arguments)
    elif origin in (Union, UnionType):
        members = [_words(argument) for argument in arguments if argument is not type(None)]
        words = " or ".join(dict.fromkeys(members))
    elif origin is tuple:
        words = f"list of {_words(arguments[0])}s"
    elif origin is Mapping:
        words = f"{_words(arguments[1])}s by name"
    else:
        words = "mapping"
    return words
