"""The words and examples of the pipeline reference that are not in the models."""

from __future__ import annotations

from tailrace.config import (
    reference_of_events,
    reference_of_operation,
    reference_of_outputs,
    reference_of_rules,
)
from tailrace.config.reference_section import Section

INTRODUCTION = """\
A pipeline is one YAML file. This page lists every key; it is generated from the code that reads
the file, by `python -m tailrace.config.reference`. An unknown key is an error, and all errors of a
file are shown at once, each with its line and column.
"""

WRITING = """\
## How values are written

**Durations** are whole numbers with a unit, `500ms`, `20s`, `5m`, `2h`, `1d`, `1w`, or several in
that order of size: `1h30m`. `0` needs no unit.

**Sizes** are bytes, or whole numbers with `kB`, `MB`, `GB` (thousands) or `KiB`, `MiB`, `GiB`
(1024s): `64MiB`.

**Text** stays text: `no`, `1:30` and `2024-01-01` need no quotes. YAML needs quotes around text
that begins with `@`, `{`, `[`, `*`, `&`, `!`, `%`, a quote or a backtick, and around text with
`: ` or ` #` in it. The backslash means itself in single quotes and begins an escape in double ones.

**Environment.** `${NAME}` in a value stands for an environment variable and `${NAME:-default}` for
one that may be missing or empty. It is filled in after the YAML was read, so a value can't add
keys, and it is shown in no error. `$${` is a plain `${`; nginx's `${name}` is best written `$name`.

**Overrides.** `--set key=value` replaces one value of the file: `--set time.grace=10s`. Rules are
addressed by name, other lists by index from 0: `--set 'rules.client_flood.when=count(*) > 5'`.

**Anchors.** `&name`, `*name` and `<<: *name` work as everywhere in YAML; tags don't.

**Editors.** `tailrace schema` prints a JSON schema with which editors complete and check.

**Paths** are relative to the folder in which the command runs.
"""

PYTHON = """\
## The same in Python

The models behind the file can be built directly; names that are Python's own words end in `_`
(`for_`, `from_`), and a rule's name is `name`. Durations are text, `timedelta` or
`Duration("5s")`. Mistakes raise `tailrace.errors.PipelineError`, as in a file.

```python
from tailrace.config import (
    Alert,
    FileSource,
    Output,
    PipelineConfig,
    TerminalOutput,
    TimeSettings,
    Window,
    dumps,
)

pipeline = PipelineConfig(
    name="nginx",
    source=FileSource(path="access.ndjson"),
    time=TimeSettings(field="timestamp", grace="10s"),
    fields={"client_ip": "text", "status": "integer"},
    rules=[
        Alert(
            name="client_flood",
            by="client_ip",
            window=Window.parse("20s every 1s"),
            when="count(*) > 10",
            for_="2m",
            to=("alerts",),
        )
    ],
    outputs={"alerts": Output(terminal=TerminalOutput())},
)
print(dumps(pipeline))  # the YAML that means the same
```
"""

SECTIONS: tuple[Section, ...] = (
    *reference_of_events.SECTIONS,
    *reference_of_rules.SECTIONS,
    *reference_of_outputs.SECTIONS,
    *reference_of_operation.SECTIONS,
)
