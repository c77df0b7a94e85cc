"""From pydantic's errors to sentences for people.

A *complaint* is the one kind of pydantic error that leaves a model of the pipeline file: it carries
a finished message and hint. Where in a file it belongs is found later, from its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from tailrace.config.suggestions import suggestion
from tailrace.config.values import described, shown, written

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]
"""Where a value is in the pipeline file: keys and list indexes, from the top."""

_KIND = "tailrace"
_OF_KEY = "[key]"
"""How pydantic marks that a mapping's key is wrong and not its value."""
_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "mapping": "a mapping (keys with values)",
    "dict": "a mapping (keys with values)",
    "model": "a mapping (keys with values)",
    "tuple": "a list",
    "list": "a list",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with the value at `path`.

    `at_key`: it is shown at the value's key. `unknown`: the path's last key should not be there.
    """

    path: Path
    message: str
    hint: str | None = None
    at_key: bool = False
    unknown: bool = False


def refusal(message: str, hint: str | None = None) -> PydanticCustomError:
    """Return the error that a validator of a single value raises."""
    return _error(Complaint((), message, hint))


def refusals(complaints: Iterable[Complaint]) -> ValidationError:
    """Return the error that a validator of several values raises; paths are relative to it."""
    return ValidationError.from_exception_data(
        "pipeline",
        [InitErrorDetails(type=_error(c), loc=c.path, input=None) for c in complaints],
    )


def expected(what: str, found: object, hint: str | None = None) -> PydanticCustomError:
    """Return the error of a value that is not `what`."""
    return refusal(f"expected {what}, found {described(found)}", hint)


def complaints_of(error: ValidationError, model: type[BaseModel] | None = None) -> list[Complaint]:
    """Turn what pydantic found in one model into complaints."""
    return [_complaint(details, model) for details in error.errors(include_url=False)]


def key_of(name: str, field: FieldInfo) -> str:
    """Return the key that a model's field has in the pipeline file."""
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _error(complaint: Complaint) -> PydanticCustomError:
    context = {
        "message": complaint.message,
        "hint": complaint.hint,
        "at_key": complaint.at_key,
        "unknown": complaint.unknown,
    }
    return PydanticCustomError(_KIND, "{message}", context)


def _complaint(details: ErrorDetails, model: type[BaseModel] | None) -> Complaint:
    path, kind, found = details["loc"], details["type"], details["input"]
    if path and path[-1] == _OF_KEY:
        return replace(_complaint({**details, "loc": path[:-1]}, model), at_key=True)
    context = cast("Mapping[str, object]", details.get("ctx", {}))
    if kind == _KIND:
        hint = context["hint"]
        return Complaint(
            path,
            str(context["message"]),
            None if hint is None else str(hint),
            at_key=bool(context["at_key"]),
            unknown=bool(context["unknown"]),
        )
    if kind == "missing" and model is not None:
        return _missing(path, model)
    if kind == "extra_forbidden" and model is not None:
        known = [key_of(*item) for item in model.model_fields.items()]
        key = str(path[-1])
        hint = suggestion(key, known, "known keys")
        return Complaint(path, f"unknown key {shown(key)}", hint, at_key=True, unknown=True)
    return Complaint(path, _sentence(kind, found, context), _hint(kind, found, context))


def _missing(path: Path, model: type[BaseModel]) -> Complaint:
    key = str(path[-1])
    hint = None
    for name, field in model.model_fields.items():
        if key_of(name, field) == key and field.examples:
            hint = f"for example {key}: {written(field.examples[0])}"
    return Complaint(path[:-1], f"the key '{key}' is missing", hint, at_key=True)


def _sentence(kind: str, found: object, context: Mapping[str, object]) -> str:
    if kind == "literal_error":
        return f"expected {_either(_choices(context))}, found {described(found)}"
    if kind == "greater_than_equal":
        return f"expected at least {context['ge']}, found {described(found)}"
    if kind == "string_unicode":
        return "expected text that can be written as UTF-8"
    what = _EXPECTED.get(kind.partition("_")[0])
    if what is None:
        return f"not valid here: {described(found)}"
    return f"expected {what}, found {described(found)}"


def _hint(kind: str, found: object, context: Mapping[str, object]) -> str | None:
    if kind == "literal_error" and isinstance(found, str):
        hint = suggestion(found, _choices(context), "choices")
        return hint if hint and hint.startswith("did") else None
    if kind.startswith("string") and isinstance(found, Mapping | Sequence):
        return "text that begins with '{' or '[' needs quotes"
    return None


def _choices(context: Mapping[str, object]) -> list[str]:
    return re.findall(r"'([^']*)'", str(context["expected"]))


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
