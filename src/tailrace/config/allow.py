"""Allow-lists: whose events rules never see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, GetJsonSchemaHandler, PlainSerializer, PlainValidator

from tailrace.config.base import Model
from tailrace.config.kinds import Kind
from tailrace.config.scalars import FieldName
from tailrace.config.several import Several

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Allowed(Model):
    """Those that a reference lists."""

    kind: ClassVar[str] = "allowed"

    reference: FieldName = Field(
        description="A reference with one column as its key, which the field is looked up in.",
        examples=["trusted"],
    )


class _Values(Model):
    values: Several


def _chosen(value: object) -> Allowed | tuple[str, ...]:
    if isinstance(value, Allowed):
        return value
    if isinstance(value, Mapping):
        return Allowed.model_validate(value, by_alias=True, by_name=False)
    return _Values.model_validate({"values": value}, by_name=True).values


class _Schema:
    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        text: JsonSchemaValue = {"type": "string"}
        several = {"type": "array", "items": text, "minItems": 1}
        return {"anyOf": [handler(Allowed.__pydantic_core_schema__), text, several]}


AllowedOrValues = Annotated[
    Allowed | tuple[str, ...],
    PlainValidator(_chosen),
    PlainSerializer(lambda value: value if isinstance(value, Allowed) else list(value)),
    _Schema(),
    Kind("text, list of texts, or `{reference: NAME}`"),
]

Allow = Mapping[FieldName, AllowedOrValues]
"""By field: values, networks such as `10.0.0.0/8`, or a reference."""
