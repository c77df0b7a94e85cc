"""Batches as the outbox gives them to a server, made of rows and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from tailrace.config.outputs import Output
from tailrace.outputs import OutboxBatch, OutputContext, make_output
from tailrace.outputs import Output as MadeOutput
from tailrace.outputs.addressing import addressed
from tailrace.outputs.rows import window_rows

SECOND = 1_000_000
START = 1_767_225_600 * SECOND


def window_batch(
    config: Output, seq: int, keys: Sequence[str], counts: Sequence[int | None]
) -> OutboxBatch:
    """A row for each key, with its count; the windows end a second after each other."""
    import numpy as np

    ends = np.arange(1, len(keys) + 1, dtype=np.int64) * SECOND + START
    fields = {"client_ip": pa.array(keys, pa.string())}
    measures = {"count": pa.array(counts, pa.int64())}
    rows = window_rows("flood", fields, ends, SECOND, measures)
    ids = pa.array([f"{seq}-{number}" for number in range(len(keys))])
    words: Mapping[str, pa.Array | str] = {
        "id": ids,
        "rule": "flood",
        "end": pa.array(ends).cast(pa.timestamp("us", "UTC")),
        **fields,
        **measures,
    }
    target = config.target
    table = addressed(
        rows,
        ids,
        pa.array(ends),
        target.templates,
        words,
        json_templates=target.json_templates,
    )
    return OutboxBatch(seq, table)


def made(config: Output, name: str = "alerts", store: str = "s1") -> MadeOutput:
    return make_output(name, config, OutputContext("p", store))
