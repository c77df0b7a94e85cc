"""The JSON Schema of the pipeline file, for editors that complete and check as one types."""

from __future__ import annotations

from pydantic.json_schema import GenerateJsonSchema

from tailrace.config.pipeline import PipelineConfig
from tailrace.config.units import Duration, render_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    schema_dialect = DIALECT

    def encode_default(self, dft: object) -> object:
        """Durations are written as text."""
        return render_duration(dft) if isinstance(dft, Duration) else super().encode_default(dft)


def json_schema() -> dict[str, object]:
    """Return the schema (draft 2020-12) of the pipeline file.

    It is looser than `load` where one key depends on another.
    """
    schema = PipelineConfig.model_json_schema(by_alias=True, schema_generator=_Generator)
    _close(schema)
    return {"$schema": DIALECT, **schema, "title": "Tailrace pipeline"}


def _close(schema: object) -> None:
    """Refuse names that fit none of the patterns of a mapping's names."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema["additionalProperties"] = False
            schema.pop("propertyNames", None)
        for part in schema.values():
            _close(part)
    if isinstance(schema, list):
        for part in schema:
            _close(part)
