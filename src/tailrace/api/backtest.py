"""What a pipeline would have told over recorded input, as an object: ``Pipeline.backtest``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from tailrace.alerts.incidents import Json
    from tailrace.backtest.report import Report

_NESTED = frozenset({"score", "per_bucket", "points"})


class Backtest:
    """The result of a backtest; what its parts mean is written in docs/backtest.md."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._body: dict[str, Json] | None = None

    def to_dict(self) -> dict[str, Json]:
        """Everything, in the form of ``tailrace backtest --json``."""
        if self._body is None:
            from tailrace.backtest.report_json import report_json

            self._body = report_json(self._report)
        return self._body

    def to_html(self) -> str:
        """A page of its own, with plots, as ``tailrace backtest --html`` writes it."""
        from tailrace.backtest.html import report_html

        return report_html(self._report)

    @property
    def rules(self) -> pa.Table:
        """A row for each rule that alerts: ``rule``, ``alerts``, ``keys``, ``firings``, ...

        Where a truth was given, ``precision``, ``recall``, ``f1`` and the other scores, too.
        """
        return _table(_objects(self.to_dict()["rules"]))

    @property
    def incidents(self) -> pa.Table:
        """A row for each incident: ``rule``, ``key``, ``opened_at``, ... ; times are ISO 8601."""
        return _table(_objects(self.to_dict()["incidents"]))

    @property
    def sweeps(self) -> pa.Table:
        """A row for each threshold that was tried: ``rule``, ``measure``, ``threshold``, ...

        ``current`` is true for that of the pipeline, ``best`` for the one with the greatest F1.
        """
        rows: list[dict[str, Json]] = []
        for sweep in _objects(self.to_dict()["sweeps"]):
            names = {name: sweep[name] for name in ("rule", "measure")}
            for point in _objects(sweep["points"]):
                best = sweep["best"] is not None and point["threshold"] == sweep["best"]
                rows.append({**names, **point, "best": best})
        return _table(rows)

    def __repr__(self) -> str:
        report = self._report
        alerts = sum(rule.alerts for rule in report.rules)
        told = f"{alerts:,} alerts over {report.input.events:,} events"
        score = report.score
        if score is not None:
            told += f"; {score.episodes_found:,} of {score.episodes:,} episodes found"
        return f"<Backtest of {report.pipeline}: {told}>"


def _objects(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _table(rows: Iterable[Mapping[str, Json]]) -> pa.Table:
    """Rows with the numbers of their scores beside the rest."""
    import pyarrow as pa

    flat = []
    for row in rows:
        score = row.get("score")
        plain = {name: value for name, value in row.items() if name not in _NESTED}
        flat.append({**plain, **(score if isinstance(score, dict) else {})})
    return pa.Table.from_pylist(flat)
