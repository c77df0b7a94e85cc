"""From the pipeline file to what a decoder is told."""

from __future__ import annotations

from tailrace.config import Csv, Json, KafkaSource, LogFormat, PipelineConfig
from tailrace.config.kafka import beside_name
from tailrace.config.several import steps
from tailrace.expr.nodes import Type
from tailrace.formats import spec
from tailrace.formats.decoder import Decoder
from tailrace.formats.odd import FIELDS

_NAMED: dict[str, spec.Format] = {
    "json": spec.JsonFormat(),
    "combined": spec.COMBINED,
    "common": spec.COMMON,
    "plain": spec.PlainFormat(),
}


def decode_spec(config: PipelineConfig) -> spec.DecodeSpec:
    """What a pipeline says about its records."""
    declared = [
        spec.FieldSpec(
            name=name,
            type=Type(field.type),
            path=field.source_key(name),
            required=field.required,
            minimum=field.min,
            maximum=field.max,
            beside=_beside(config, name if field.from_ is None else field.from_),
        )
        for name, field in config.fields.items()
    ]
    from_path = [
        spec.FieldSpec(name=name, type=Type.TEXT, path=None)
        for name in config.path_fields
        if name not in config.fields
    ]
    odd_too = config.on_error == "classify"
    fields = (*declared, *from_path, *(FIELDS if odd_too else ()))
    return spec.DecodeSpec(_format(config), fields, _time(config), odd_too)


def make_decoder(config: PipelineConfig) -> Decoder:
    """A decoder for one thread; PipelineError if the format lacks what is asked of it."""
    return Decoder(decode_spec(config))


def _format(config: PipelineConfig) -> spec.Format:
    match config.format:
        case Csv() as csv:
            # A message is no file: the first one is no header.
            header = csv.header and not isinstance(config.source, KafkaSource)
            return spec.CsvFormat(csv.columns, header, csv.delimiter)
        case LogFormat() as log_format:
            return spec.LogFormat(log_format.log_format, spec.Escape(log_format.escape))
        case Json() as json:
            return spec.JsonFormat(json.array_lines, json.envelope is not None)
        case str() as name:
            return _NAMED[name]


def _beside(config: PipelineConfig, key: str | tuple[str, ...]) -> str | None:
    return beside_name(key) if isinstance(config.source, KafkaSource) else None


def _time(config: PipelineConfig) -> spec.TimeSpec:
    time = config.time
    path = steps(time.field)
    return spec.TimeSpec(
        name=".".join(path),
        path=path,
        form=spec.TimeForm(time.format),
        zone=time.zone,
        year=time.year,
        arrival=None if time.arrival is None else steps(time.arrival),
        max_future_skew=int(time.max_future_skew),
        beside=_beside(config, time.field),
    )
