"""Allow-lists: whose events rules never see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_interface, ip_network
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, GetJsonSchemaHandler, PlainSerializer, PlainValidator

from tailrace.config.base import Model
from tailrace.config.complaints import Complaint, refusal, refusals
from tailrace.config.kinds import Kind
from tailrace.config.scalars import FieldName
from tailrace.config.several import Several
from tailrace.config.values import shown

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
    values = _Values.model_validate({"values": value}, by_name=True).values
    wrong = [(index, told) for index, text in enumerate(values) if (told := _not_a_network(text))]
    if wrong and isinstance(value, str):
        raise refusal(*wrong[0][1])
    if wrong:
        raise refusals(Complaint((index,), *told) for index, told in wrong)
    return values


_ADDRESS = re.compile(
    r"\s*([0-9]+(?:\.[0-9]+)+|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*)(%[^/]*)?(/[0-9a-f:.\s]*)?",
    re.IGNORECASE,
)
"""What is meant as an address or a network, rightly written or not."""


def _not_a_network(text: str) -> tuple[str, str] | None:
    """What is wrong with a value that is meant as a network, and what to write; None if nothing.

    As a mere text it would match nothing, and who is to be allowed would not be.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or (found[2] is None and found[3] is None):
        return None
    address, zone, width = found.groups(default="")
    meant = _meant(address + width)
    if zone:
        message = f"{shown(text)} has a zone, which is of one machine alone"
        return None if meant == _EXAMPLE else (message, f"write {meant}")
    if _is_network(text):
        return None
    if re.fullmatch(r"/[0-9]+", width, re.ASCII) and meant != _EXAMPLE:
        return f"{shown(text)} has bits set behind its width", f"the network is {meant}"
    message = f"{shown(text)} is not a network: an address, '/' and a number of bits"
    return message, f"write {meant}"


def _is_network(text: str) -> bool:
    """Whether it is one as it must be written: the width in bits, none set behind it."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return re.fullmatch(r".*/[0-9]+", text, re.ASCII) is not None


_EXAMPLE = "10.0.0.0/8, for example"


def _meant(text: str) -> str:
    try:
        found = ip_interface(text.strip())
    except ValueError:
        return _EXAMPLE
    return str(found.network) if "/" in text else str(found.ip)


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
