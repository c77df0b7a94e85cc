"""The logical contents of a store: what the promise of equality is about, and nothing else.

Two runs over the same input give the same dump, however they were cut, killed or timed. Left out
is what belongs to one run: epoch numbers, the outbox (it is empty once everything is delivered),
early notices, the salt, file identities.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.store.store import Store

_MERGES = {"n": "sum", "count": "sum", "sum": "sum", "least": "min", "greatest": "max"}
"""How partials of a (key, pane) merge, by the beginning of their column's name."""

_OWN = ("epoch", "next_seq", "evicted")

_NUMBERS = {"refused": ("seq", "row", "payload")}
"""Columns that say how a run was cut, by table; in all others it is ``id``."""


def dump(store: Store) -> list[str]:
    """Lines of JSON, sorted; equal for stores with equal contents."""
    return sorted(json.dumps(line, sort_keys=True) for line in _lines(store))


def _lines(store: Store) -> Iterator[list[object]]:
    state = store.last_state() or {}
    for name, value in state.items():
        if name == "partitions":
            assert isinstance(value, dict)  # noqa: S101 - written by the engine
            for partition, place in value.items():
                yield ["partition", partition, {k: v for k, v in place.items() if k != "resume"}]
        elif name not in _OWN:
            yield ["state", name, value]
    for fold in store.every_fold():
        yield ["fold", {**json.loads(fold), "notices": None}]
    for name in store.user_tables():
        for row in store.query(f'select * from "{name.replace(chr(34), chr(34) * 2)}"').to_pylist():
            shown = {k: _without_notices(v) if k == "body" else str(v) for k, v in row.items()}
            hidden = _NUMBERS.get(name, ("id",))
            yield ["row", name, {k: v for k, v in shown.items() if k not in hidden}]
    yield from (["pane", *row] for row in _panes(store))


def _without_notices(body: object) -> object:
    return {**json.loads(str(body)), "notices": None}


def _panes(store: Store) -> Iterator[list[object]]:
    """Partials by group, key and pane, merged: how they were cut into rows says nothing."""
    for table in store.pane_tables():
        names = store.columns(table)
        keys = [name for name in ("code", "pane", "item") if name in names]
        merged = [
            f'{_MERGES[kind]}("{n}")::varchar'
            for n in names
            if (kind := n.split("_")[0]) in _MERGES
        ]
        wanted = ", ".join([*keys, *(merged if table.startswith("panes_") else [])])
        by = ", ".join(keys)
        for row in store.query(f'select {wanted} from "{table}" group by {by}').to_pylist():
            yield [table, *row.values()]
