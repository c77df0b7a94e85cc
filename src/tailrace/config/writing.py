"""A configuration back to YAML: what is not the default, in the order of the reference."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from tailrace.config.pipeline import PipelineConfig


def dumps(config: PipelineConfig) -> str:
    """Return the canonical text of a pipeline; reading it gives an equal configuration."""
    values = config.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.dump(
        _unreferenced(values),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML's signature)
        """Never write anchors: they would name texts that are equal by chance."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Lines as lines; other characters that don't print as escapes, not folded at as breaks."""
    lines = text.split("\n")
    style = None
    if not all(line.isprintable() for line in lines):
        style = '"'
    elif len(lines) > 1:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def _unreferenced(value: object) -> object:
    """Write every ``${`` so that reading does not take it for a reference."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {key: _unreferenced(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unreferenced(item) for item in value]
    return value
