"""``tailrace schema``: print the JSON schema of the pipeline file."""

from __future__ import annotations

import json

import click

_EPILOG = """\
\b
Editors with a YAML language server complete and check a pipeline file by it:
  tailrace schema > tailrace.schema.json
\b
and, as the first line of pipeline.yaml (VS Code with the YAML extension, Neovim, Helix):
  # yaml-language-server: $schema=tailrace.schema.json
"""


@click.command("schema", epilog=_EPILOG)
def command() -> None:
    """Print the JSON schema (draft 2020-12) of the pipeline file."""
    from tailrace.config.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
