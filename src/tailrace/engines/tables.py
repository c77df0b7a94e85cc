"""Whether the tables of the store that outputs write to can take what the rules will give them.

Asked before a pipeline is taken up: an epoch that was begun is finished by the pipeline that began
it, so what its tables refuse could never be put right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.engines.shapes import window_types
from tailrace.errors import StoreError
from tailrace.expr.nodes import Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailrace.plan.model import Plan
    from tailrace.store.store import Store

_STORED = {
    "VARCHAR": Type.TEXT,
    "BIGINT": Type.INTEGER,
    "DOUBLE": Type.DOUBLE,
    "BOOLEAN": Type.BOOLEAN,
    "TIMESTAMP WITH TIME ZONE": Type.TIME,
}


def check_tables(store: Store, plan: Plan) -> None:
    """StoreError if a column would get values of another type than it has.

    A column that a table lacks is no error: it is added, and null in the rows that were there.
    """
    found: dict[str, dict[str, Type]] = {}
    for table, columns in _written(plan):
        if table not in found:
            kinds = store.column_types(table)
            found[table] = {n.lower(): _STORED[k] for n, k in kinds.items() if k in _STORED}
        known = found[table]
        for name, type_ in columns.items():
            if type_ is Type.NULL:
                continue
            before = known.setdefault(name.lower(), type_)
            if before is not type_:
                raise StoreError(
                    f"{store.path}: column {name!r} of table {table!r} is {before},"
                    f" and would get {type_}",
                    hint="give the output another table, or the value another name",
                )


def _written(plan: Plan) -> Iterator[tuple[str, Mapping[str, Type]]]:
    """Each table with the columns of one content that goes to it, where rules choose them."""
    for name, output in plan.config.outputs.items():
        if output.table is None:
            continue
        table = output.table.name
        for rule in plan.rules:
            if name in rule.to and (not rule.alert or output.rows == "windows"):
                keys, values = window_types(rule)
                yield table, keys | values
        for each in plan.classifications:
            if name in each.outputs:
                yield table, each.columns
        if name in plan.archive:
            yield table, plan.archived
