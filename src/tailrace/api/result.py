"""What a run found, as Arrow tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tailrace.api.showing import Summary, to_frame
from tailrace.errors import TailraceError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from tailrace.api.gathering import Gathered
    from tailrace.engines.state import EngineState
    from tailrace.plan.model import Plan, Rule


class Result:
    """What a run found. Each table is a pyarrow Table; times are ``timestamp[us, tz=UTC]``.

    Shown at the end of a notebook's cell it is a short summary.
    """

    def __init__(self, plan: Plan, gathered: Gathered, state: EngineState) -> None:
        self._plan = plan
        self._gathered = gathered
        self._state = state

    @cached_property
    def incidents(self) -> pa.Table:
        """The incidents that this run opened or changed, a row each: their last revision.

        Columns: ``id``, ``fingerprint``, ``revision``, ``state`` (firing, resolved), ``reason``
        (opened, updated, resolved, input_ended, rule_removed), ``pipeline``, ``rule``, ``key``,
        ``labels``, ``annotations``, ``measures`` (these four JSON), ``window_start``,
        ``window_end``, ``started_at``, ``opened_at``, ``last_firing_at``, ``resolved_at``,
        ``notices``, ``flags``.
        """
        return self._gathered.incident_table()

    @cached_property
    def revisions(self) -> pa.Table:
        """Everything that happened to incidents, in order; columns as ``incidents``."""
        return self._gathered.revision_table()

    @cached_property
    def alerts(self) -> pa.Table:
        """Events that a rule without a window fired for.

        Columns: ``id``, ``rule``, ``pipeline``, ``state``, ``time``, ``fields``, ``labels``,
        ``annotations`` (these three JSON), ``partition``, ``position``.
        """
        return self._gathered.alert_table()

    @cached_property
    def notices(self) -> pa.Table:
        """Early notices (only where input doesn't end by itself)."""
        return self._gathered.notice_table()

    def windows(self, rule: str) -> pa.Table:
        """The windows of a rule for which its condition holds, a row each (of a record: all).

        Columns: ``window_start``, ``window_end``, the key fields, the measures.
        """
        found = self._plan.rule(rule)
        names = [known.name for known in self._plan.rules]
        if found is None or found.name not in names:
            what = "has no window" if found is not None else "is not in the pipeline"
            raise TailraceError(
                f"the rule {rule!r} {what}", hint=f"rules over windows: {', '.join(names) or '-'}"
            )
        return self._gathered.window_table(next(r for r in self._plan.rules if r.name == rule))

    def labelled(self, rule: str) -> pa.Table:
        """All events with their fields, and the label and reasons that a ``classify`` gives."""
        for found in self._plan.classifications:
            if found.name == rule:
                return self._gathered.label_table(found)
        names = ", ".join(found.name for found in self._plan.classifications) or "-"
        raise TailraceError(f"no rule {rule!r} gives labels", hint=f"rules that do: {names}")

    @property
    def records(self) -> Mapping[str, pa.Table]:
        """The windows of each record rule, by its name."""
        return _Records(self, [rule for rule in self._plan.rules if not rule.alert])

    @cached_property
    def dead_letters(self) -> pa.Table:
        """Records that did not become events.

        Columns: ``id``, ``partition``, ``generation``, ``position``, ``code``, ``field``,
        ``reason``, ``raw`` (bytes).
        """
        return self._gathered.dead_table()

    @cached_property
    def counts(self) -> pa.Table:
        """One row: ``read`` = ``events`` + ``dead`` + ``blank``; ``duplicates``; ``bytes``.

        They count everything in the store: with ``store=`` earlier runs too.
        """
        import pyarrow as pa

        counts = self._state.counts
        names = ("read", "events", "dead", "blank", "duplicates", "bytes")
        return pa.table({name: pa.array([getattr(counts, name)], pa.int64()) for name in names})

    @cached_property
    def rule_counts(self) -> pa.Table:
        """A row a rule: ``events`` = ``filtered`` + ``late`` + ``evicted`` + ``accepted``.

        And ``errors`` (failed operations in its expressions), ``firings``, and ``forgotten`` (keys
        that a rule which sees events in order had no place for any more).
        """
        import pyarrow as pa

        names = (
            "events",
            "filtered",
            "late",
            "evicted",
            "accepted",
            "errors",
            "firings",
            "forgotten",
        )
        known = self._state.counts.rules
        columns: dict[str, pa.Array] = {
            "rule": pa.array([rule.name for rule in self._plan.every_rule], pa.string())
        }
        for name in names:
            values = [
                getattr(known[rule.identity], name) if rule.identity in known else 0
                for rule in self._plan.every_rule
            ]
            columns[name] = pa.array(values, pa.int64())
        return pa.table(columns)

    def to_pandas(self, table: str = "incidents") -> pd.DataFrame:
        """One of the tables as a pandas data frame: the name of a table here, or of a rule.

        TailraceError if pandas isn't installed or nothing has that name.
        """
        if table in _TABLES:
            return to_frame(getattr(self, table))
        return to_frame(self.windows(table))

    def _summary(self) -> Summary:
        return Summary.of(self._plan.name, self.counts, self.rule_counts, self.incidents)

    def __repr__(self) -> str:
        return self._summary().text()

    def _repr_html_(self) -> str:
        return self._summary().html()


_TABLES = ("incidents", "revisions", "alerts", "notices", "dead_letters", "counts", "rule_counts")


class _Records(Mapping[str, "pa.Table"]):
    def __init__(self, result: Result, rules: list[Rule]) -> None:
        self._result = result
        self._names = [rule.name for rule in rules]

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._names:
            raise KeyError(name)
        return self._result.windows(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
