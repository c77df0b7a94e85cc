"""Labels of events: the columns that classifications add to a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailrace.expr.sql import failure_sql, to_sql
from tailrace.expr.sqltext import text_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

    from tailrace.kernel.row_lookups import RowLookups
    from tailrace.plan.classify import Classification

    Failed = dict[str, NDArray[np.bool_]]


class Classifier:
    """Classifies the events of one batch after the other; used by one thread at a time."""

    def __init__(
        self,
        rules: Sequence[Classification],
        connection: duckdb.DuckDBPyConnection,
        lookups: RowLookups,
    ) -> None:
        """Prepare the statement of every rule once."""
        self._queries = [(rule, _query(rule)) for rule in rules]
        self._connection, self._lookups = connection, lookups

    def add(self, events: pa.Table) -> tuple[pa.Table, Failed]:
        """The events with labels and reasons, and for each rule on which events it failed."""
        failed: Failed = {}
        if not events.num_rows:
            return events, failed
        for rule, query in self._queries:
            self._connection.register("plain", self._lookups.add(events, rule.nodes))
            found = self._connection.sql(query).to_arrow_table()
            self._connection.unregister("plain")
            for name, column in ((rule.name, "label"), (rule.reasons, "reasons")):
                events = events.append_column(name, found[column])
            failed[rule.identity] = found["failed"].to_numpy().astype(np.bool_)
        return events, failed


def _query(rule: Classification) -> str:
    """Each condition is computed once, and then asked for the label and for the reasons."""
    conditions = [
        (label.name, code, node) for label in rule.labels for code, node in label.conditions
    ]
    columns = [
        f"coalesce({to_sql(node)}, false) as c{at}" for at, (_, _, node) in enumerate(conditions)
    ]
    failures = [failure for _, _, node in conditions if (failure := failure_sql(node))]
    failed = " or ".join(f"coalesce({failure}, false)" for failure in failures) or "false"
    labels = " ".join(
        f"when c{at} then {text_literal(label)}" for at, (label, _, _) in enumerate(conditions)
    )
    reasons = ", ".join(
        f"case when c{at} then {text_literal(code)} end"
        for at, (_, code, _) in enumerate(conditions)
    )
    return (
        f"select case {labels} else {text_literal(rule.otherwise)} end as label,"
        f" nullif(concat_ws(',', {reasons}), '') as reasons, failed"
        f" from (select {', '.join(columns)}, ({failed}) as failed from plain)"
    )
