"""Outputs of the databases under test: made, prepared, filled by hand."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlalchemy import NullPool, create_engine, text

from tailrace.config.outputs import Output
from tailrace.outputs import Content, OutboxBatch, OutputContext, make_output
from tailrace.outputs import Output as MadeOutput
from tailrace.outputs.addressing import addressed
from tailrace.outputs.batches import INSTANT
from tailrace.outputs.preparing import Preparation, Step, prepare_output
from tailrace.outputs.shapes import Shape
from tailrace.outputs.typed import typed_archive

ARCHIVE = Shape(
    Content.ARCHIVE,
    values={
        "seen": INSTANT,
        "path": pa.string(),
        "ms": pa.float64(),
        "ok": pa.bool_(),
        "number": pa.int64(),
    },
    time="seen",
)
COLUMNS = tuple(ARCHIVE.values)


class Target:
    """One output to a table, with options of its own; `url` is SQLAlchemy's."""

    def __init__(self, url: str, *shapes: Shape, table: str = "kept", **options: Any) -> None:
        self.url, self.table = url, table
        given = {"url": url, "table": table, **options}
        self.config = Output.model_validate({"sql": given, "rows": "windows"})
        self.context = OutputContext("p", "s1", shapes or (ARCHIVE,))

    def made(self) -> MadeOutput:
        return make_output("o", self.config, self.context)

    def opened(self) -> MadeOutput:
        output = self.made()
        output.open(None)
        return output

    @property
    def preparation(self) -> Preparation:
        prepared = prepare_output("o", self.config, self.context)
        assert prepared is not None
        return prepared

    def steps(self) -> list[Step]:
        return self.preparation.inspect()

    def prepared(self) -> Target:
        for step in self.steps():
            if step.state == "missing":
                self.preparation.create(step)
        return self

    def batch(
        self, seq: int, *rows: tuple[object, ...], ids: list[str] | None = None
    ) -> OutboxBatch:
        """Rows of the archive, in the order of `COLUMNS`; times in microseconds."""
        own = ids or [f"{seq}-{number}" for number in range(len(rows))]
        columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
        arrays = {
            name: pa.array(columns.get(name, ()), pa.int64() if kind == INSTANT else kind).cast(
                kind
            )
            for name, kind in ARCHIVE.values.items()
        }
        ids_ = pa.array(own, pa.string())
        table = addressed(typed_archive(arrays), ids_, arrays["seen"], {}, {})
        return OutboxBatch(seq, table)

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements and return the last one's rows."""
        engine = create_engine(self.url, poolclass=NullPool)
        found: list[tuple[Any, ...]] = []
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
                found = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return found

    def count(self) -> int:
        return int(self.run(f"SELECT count(*) FROM {self.table}")[0][0])


def plain(kind: pa.DataType) -> pa.DataType:
    """The type that Python's values are given in."""
    return pa.int64() if kind == INSTANT else kind
