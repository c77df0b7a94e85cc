"""Keys that stand for a choice: ``source: {file: ...}`` names one kind and gives its options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BeforeValidator, GetJsonSchemaHandler

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

NothingIsEmpty = BeforeValidator(lambda value: {} if value is None else value)
"""``stdin:`` with nothing behind it means ``stdin: {}``."""


def exactly_one(given: Given, kinds: tuple[str, ...], what: str) -> Iterator[Complaint]:
    """Complain unless exactly one of the keys `kinds` is given; `what` is the thing chosen."""
    chosen = [kind for kind in kinds if kind in given]
    if not chosen:
        hint = "for example " + " or ".join(f"{kind}: {{...}}" for kind in kinds[:3])
        yield Complaint((), f"no kind of {what} is given", hint, at_key=True)
    for kind in chosen[1:]:
        message = f"'{kind}' beside '{chosen[0]}': each {what} is of one kind"
        yield Complaint((kind,), message, "remove one of them", at_key=True)


@dataclass(frozen=True, slots=True)
class SchemaOf:
    """Annotation: the JSON schema is that of `model`, whatever the value in Python is."""

    model: type[Model]

    def __get_pydantic_json_schema__(
        self,
        _: CoreSchema,
        handler: GetJsonSchemaHandler,
    ) -> JsonSchemaValue:
        """Ask pydantic for the schema of the model instead."""
        return handler(self.model.__pydantic_core_schema__)
