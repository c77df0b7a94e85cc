"""A small pipeline to change, and the problems of a text as a table shows them."""

from collections.abc import Mapping, Sequence

import pytest

from tailrace.config import Loaded, loads
from tailrace.errors import PipelineError, Problem

BASE = {
    "name": "name: web",
    "source": "source: {file: {path: access.log}}",
    "time": "time: {field: timestamp}",
    "fields": "fields: {client_ip: text, host: text, status: integer, request: text}",
    "rules": "rules: [{alert: flood, window: 1m, when: count(*) > 10}]",
    "outputs": "outputs: {alerts: {terminal: {}}, rows: {table: {name: windows}}}",
}
"""One line a section."""


def pipeline(**sections: str | None) -> str:
    """The text of BASE with some of its sections replaced, added or (None) left out."""
    return "\n".join(text for text in (BASE | sections).values() if text is not None) + "\n"


def read(text: str, env: Mapping[str, str] | None = None, sets: Sequence[str] = ()) -> Loaded:
    return loads(text, "p.yaml", env=env or {}, sets=sets)


def problems(
    text: str, env: Mapping[str, str] | None = None, sets: Sequence[str] = ()
) -> list[Problem]:
    with pytest.raises(PipelineError) as caught:
        read(text, env, sets)
    return list(caught.value.problems)


def told(text: str, env: Mapping[str, str] | None = None, sets: Sequence[str] = ()) -> list[str]:
    """The problems as ``line:column message | hint``, without the file's name."""
    return [
        f"{str(p.where).removeprefix('p.yaml').removeprefix(':')} {p.message}".lstrip()
        + (f" | {p.hint}" if p.hint else "")
        for p in problems(text, env, sets)
    ]
