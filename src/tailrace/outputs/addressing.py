"""What rows for a server carry beside their values: an id, a time, texts that templates make.

They are made when the rows are, in the epoch's transaction: a row that is delivered later, or
again, is the same row with the same id, whatever the pipeline file says by then (SEMANTICS 24).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import UTC, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from tailrace.outputs.batches import ID, INSTANT, TIME, text_column
from tailrace.outputs.texts import as_json, joined, json_texts, plain_texts
from tailrace.plan.templates import Template, parse

Words = Mapping[str, pa.Array | str]
"""What names in templates stand for: a column of typed values, or one text for all rows."""


def addressed(
    rows: pa.Table,
    ids: pa.Array,
    times: pa.Array,
    templates: Mapping[str, str],
    words: Words,
    zone: tzinfo = UTC,
    *,
    json_templates: Container[str] = (),
) -> pa.Table:
    """``rows`` with the columns that ``OutboxBatch`` gives as ``ids``, ``times`` and ``texts``.

    ``ids``: strings; ``times``: event times in microseconds (int64 or timestamp), null where a row
    has none. Times in templates are written in ``zone``; in ``json_templates`` values are escaped
    as they must be within a string of JSON.
    """
    length = rows.num_rows
    columns = {ID: ids, TIME: times.cast(pa.int64()).cast(INSTANT)}
    for option, text in templates.items():
        escaped = option in json_templates
        columns[text_column(option)] = filled(parse(text), words, length, zone, escaped=escaped)
    for name, column in columns.items():
        rows = rows.append_column(name, column)
    return rows


def filled(
    template: Template, words: Words, length: int, zone: tzinfo = UTC, *, escaped: bool = False
) -> pa.Array:
    """A template filled for each row, as ``Template.fill`` does it for one.

    ``escaped``: the template is JSON and its names stand within strings of it.
    """
    parts: list[pa.Array | str] = [pa.repeat(template.texts[0], length)]
    for word, following in zip(template.names, template.texts[1:], strict=True):
        value = words.get(word)
        if value is None:
            value = f"{{{word}}}"
        elif not isinstance(value, str):
            value = pc.fill_null(plain_texts(value, zone), "null")
            value = pc.utf8_slice_codeunits(json_texts(value), 1, -1) if escaped else value
        elif escaped:
            value = as_json(value)[1:-1]
        parts += [value, following]
    return joined(*parts)
