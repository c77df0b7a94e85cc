"""References: rows as a case gives them, and what is found in them (semantics 17 and 22).

Every question goes through all rows of the version in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tailrace.config.references import Reference as Config
from tailrace.expr.nodes import Node
from tailrace.testing.case import Number, Scalar, TableRows
from tailrace.testing.outcome import Instant, Value
from tailrace.testing.tokens import instant

Cells = dict[str, Value]


class RefusedError(Exception):
    """The load can't be the reference's table: what there was before stays."""


@dataclass
class Reference:
    """A reference as it stands; `rows` have its key, its date and what can be looked up."""

    name: str
    config: Config
    rows: list[Cells] = field(default_factory=list)
    loads: int = 0

    def load(self, step: TableRows, start: int) -> None:
        try:
            self.rows = self._read(step, start)
            self.loads += 1
        except RefusedError:
            pass

    def _read(self, step: TableRows, start: int) -> list[Cells]:
        rows = []
        for row in step.rows:
            try:
                rows.append(self._typed(dict(row.values), start))
            except RefusedError:
                if self.config.on_bad_row == "refuse":
                    raise
        if self.config.pivot is not None:
            rows = self._wide(rows)
        kept: list[Cells] = []
        for one in rows:
            twins = [each for each in kept if self._place(each) == self._place(one)]
            if one in twins or (twins and self.config.duplicates == "first"):
                continue
            if twins and self.config.duplicates == "refuse":
                raise RefusedError
            kept.append(one)
        if not kept and self.config.empty == "refuse":
            raise RefusedError
        return kept

    def _typed(self, given: Mapping[str, Scalar], start: int) -> Cells:
        found: Cells = {}
        for name, kind in self.config.columns.items():
            cell = given.get(name)
            text = cell.text if isinstance(cell, Number) else cell
            found[name] = None if text is None else _value(str(text), kind, start)
        pivot = self.config.pivot
        needed = {*self.config.key, self.config.valid_from, pivot.name if pivot else None}
        if any(name is not None and found[name] is None for name in needed):
            raise RefusedError
        return found

    def _place(self, row: Cells) -> list[Value]:
        dated = [self.config.valid_from] if self.config.valid_from else []
        return [row[name] for name in (*self.config.key, *dated)]

    def _wide(self, rows: list[Cells]) -> list[Cells]:
        """A row for each key and date; a name without a row then keeps what it had."""
        pivot = self.config.pivot
        assert pivot is not None
        dated = self.config.valid_from
        found: list[Cells] = []
        for row in sorted(rows, key=lambda one: _time(one[dated]) if dated else 0):
            column = next((c for c, words in pivot.columns.items() if row[pivot.name] in words), "")
            if not column:
                continue
            rest = {name: v for name, v in row.items() if name not in {pivot.name, pivot.value}}
            same = [each for each in found if self._place(each) == self._place(row)]
            if same:
                wide = same[0]
            else:
                key = [row[name] for name in self.config.key]
                before = [each for each in found if [each[n] for n in self.config.key] == key]
                carried = before[-1] if before else {}
                wide = {**rest, **{c: carried.get(c) for c in pivot.columns}, f"set {column}": None}
                wide = {name: v for name, v in wide.items() if not name.startswith("set ")}
                wide["_set"] = ""
                found.append(wide)
            done = str(wide["_set"]).split()
            if column in done and wide[column] != row[pivot.value]:
                raise RefusedError
            wide[column] = row[pivot.value]
            wide["_set"] = f"{wide['_set']} {column}"
        return [{name: v for name, v in row.items() if name != "_set"} for row in found]

    def find(self, key: Mapping[str, Value], time: int) -> list[Cells]:
        """The rows that match: of all with this key, those in force at a time."""
        if any(value is None for value in key.values()):
            return []
        rows = [row for row in self.rows if all(row[name] == key[name] for name in self.config.key)]
        dated = self.config.valid_from
        if dated is None:
            return rows
        begun = [row for row in rows if _time(row[dated]) <= time]
        latest = max((_time(row[dated]) for row in begun), default=None)
        return [row for row in begun if _time(row[dated]) == latest]

    def look_up(self, column: str | None, key: Mapping[str, Value], time: int) -> Value:
        rows = self.find(key, time)
        if column is None:
            return bool(rows)
        return rows[0][column] if rows else None


@dataclass(frozen=True)
class Matching:
    """How a rule, or an event, is matched with a reference: a node for each key column."""

    reference: Reference
    nodes: Mapping[str, Node]


def _value(text: str, kind: str, start: int) -> Value:
    try:
        match kind:
            case "integer":
                return int(text)
            case "double":
                return float(text)
            case "boolean":
                return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
            case "time":
                found = instant(text, start)
                if found is None:
                    raise RefusedError
                return Instant(found)
            case _:
                return text
    except (ValueError, KeyError):
        raise RefusedError from None


def _time(value: Value) -> int:
    assert isinstance(value, Instant)
    return value.micros
