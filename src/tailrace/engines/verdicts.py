"""The lists of verdicts of a running pipeline: fed with its firings, asked who was listed.

Shared by the engines; on Spark it runs in the driver (SEMANTICS 26).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.alerts.verdict_fold import VerdictFold
from tailrace.alerts.verdicts import VerdictRule
from tailrace.engines.accusing import accusations, allowed
from tailrace.expr.nodes import Type
from tailrace.kernel.time import NEVER, known_until
from tailrace.plan.identity import Time
from tailrace.store.commit import Fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tailrace.alerts.verdict_fold import VerdictResult
    from tailrace.alerts.verdicts import Change, ManualAct
    from tailrace.engines.state import EngineState
    from tailrace.kernel.keys import DenseKeys
    from tailrace.kernel.types import RuleFirings
    from tailrace.plan.identity import Key, Scalar
    from tailrace.plan.model import Plan
    from tailrace.plan.verdicts import Marked, VerdictList

    Closed = Sequence[tuple[DenseKeys, RuleFirings]]


class Verdicts:
    """All lists of one pipeline; one thread at a time uses them."""

    def __init__(self, plan: Plan, state: EngineState) -> None:
        """Start with nobody listed; ``load`` gives back what the store has."""
        self.lists = plan.verdicts
        self._state = state
        self._pipeline = plan.name
        self._marks = plan.marks
        self._widths = {
            rule.identity: rule.window.width for rule in plan.rules if rule.ordered is not None
        }
        self.folds = {one.name: VerdictFold(verdict_rule(plan.name, one)) for one in plan.verdicts}

    def load(self, wanted: VerdictList, stored: Sequence[str]) -> None:
        """Take back what is stored of a list's keys."""
        rule = verdict_rule(self._pipeline, wanted)
        self.folds[wanted.name] = VerdictFold(rule, stored, self._state.horizon)

    @property
    def soonest(self) -> int | None:
        """Before this instant nothing happens without firings; None: nothing ever does."""
        due = (fold.soonest for fold in self.folds.values())
        return min((at for at in due if at is not None), default=None)

    def horizon(self, reached: int) -> int:
        """How far all accusing rules have come once the watermark is ``reached``.

        One for all lists, which answer for the same archived events; it never goes back: nothing is
        heard of a rule before its start, and if a list takes up one that is behind, the horizon
        stays until that has come as far.
        """
        known = [self._known(rule, reached) for wanted in self.lists for rule in wanted.rules]
        return max(min(known, default=reached), self._state.horizon)

    def _known(self, rule: str, reached: int) -> int:
        width = self._widths.get(rule)
        if width is None or reached == NEVER:
            return reached
        return min(reached, max(known_until(reached, width), self._state.rules[rule].start - 1))

    def tell(self, closed: Closed, reached: int, *, final: bool) -> Iterator[Told]:
        """Take up closed windows; ``reached``: the watermark, at the end the greatest time."""
        horizon = reached if final else self.horizon(reached)
        self._state.horizon = max(self._state.horizon, horizon)
        for wanted in self.lists:
            accusing = (pair for pair in closed if pair[1].rule.identity in wanted.rules)
            found = [
                one for keys, firings in accusing for one in accusations(wanted, keys, firings)
            ]
            fold = self.folds[wanted.name]
            told = fold.finish(found, horizon) if final else fold.advance(found, horizon)
            yield Told(wanted, told)

    def settle(self, wanted: VerdictList, becomes: VerdictList) -> Told:
        """A list goes on in another pipeline: fewer rules may accuse it, or more be allowed."""
        ended = {
            name: self._known(identity, self._state.frontier)
            for identity, name in wanted.rules.items()
            if identity not in becomes.rules
        }
        fold = self.folds[wanted.name]
        free: list[Key] = []
        if becomes.allow:
            keys = list(fold.cases)
            free = [keys[place] for place in np.flatnonzero(allowed(becomes, keys))]
        return Told(becomes, fold.settle(ended, free, self.now))

    def remove(self, wanted: VerdictList) -> Told:
        """A list is no longer in the pipeline."""
        return Told(wanted, self.folds[wanted.name].remove(self.now))

    @property
    def now(self) -> int:
        """The first instant that no list has come to: a person's act holds from there."""
        state = self._state
        reached = self.horizon(state.frontier)
        if state.finished:
            reached = max(state.greatest_time(), state.frontier)
        return 0 if reached == NEVER else reached + 1

    def act(self, name: str, key: Key, manual: ManualAct) -> Told:
        """A person's act on a key of a list."""
        wanted = next(one for one in self.lists if one.name == name)
        return Told(wanted, self.folds[name].act(key, manual))

    def marked(self, events: pa.Table, judged_at: np.ndarray) -> pa.Table:
        """Events with a field for each mark: whether they were listed at ``judged_at``."""
        for mark in self._marks:
            column = pa.array(self._listed(mark, events, judged_at))
            events = events.append_column(mark.name, column)
        return events

    def _listed(self, mark: Marked, events: pa.Table, judged_at: np.ndarray) -> np.ndarray:
        fold = self.folds[mark.list]
        listed = np.zeros(events.num_rows, np.bool_)
        known = fold.known
        if not known:
            return listed
        if any(field not in events.column_names for field in mark.fields):
            # They came before the pipeline had the field.
            return listed
        columns = [events[field] for field in mark.fields]
        # Most events are of nobody who was ever listed.
        suspects = pc.is_in(columns[0], value_set=_values(known, columns[0].type))
        rows = np.flatnonzero(suspects.to_numpy())
        chosen = [_scalars(column.take(pa.array(rows))) for column in columns]
        for row, *key in zip(rows.tolist(), *chosen, strict=True):
            listed[row] = fold.live(tuple(key), int(judged_at[row]))
        return listed


class Told:
    """What one list has to say of an epoch."""

    def __init__(self, wanted: VerdictList, result: VerdictResult) -> None:
        self.list = wanted
        self.changes: tuple[Change, ...] = result.changes
        self.folds = tuple(Fold(wanted.identity, place, body) for place, body in result.kept)


def verdict_rule(pipeline: str, wanted: VerdictList) -> VerdictRule:
    """What the fold needs to know of a list."""
    return VerdictRule(
        identity=wanted.identity,
        name=wanted.name,
        pipeline=pipeline,
        key_names=tuple(name for name, _ in wanted.keys),
        rules=tuple(wanted.rules.values()),
        for_=wanted.for_,
        refresh=wanted.refresh,
        factor=wanted.factor,
        most=wanted.most,
        within=wanted.within,
        tell_every=wanted.tell_every,
    )


def key_of(wanted: VerdictList, texts: Mapping[str, str]) -> Key:
    """A key from what a person wrote; ValueError if a value isn't of its field's type."""
    found: list[Scalar] = []
    for name, kind in wanted.keys:
        text = texts[name]
        match kind:
            case Type.INTEGER:
                found.append(int(text))
            case Type.BOOLEAN if text in ("true", "false"):
                found.append(text == "true")
            case Type.TEXT:
                found.append(text)
            case _:
                raise ValueError(f"{text!r} is not a {kind}")
    return tuple(found)


def _values(known: Sequence[Key], kind: pa.DataType) -> pa.Array:
    plain = [int(key[0]) if isinstance(key[0], Time) else key[0] for key in known]
    if pa.types.is_timestamp(kind):
        return pa.array(plain, pa.int64()).cast(kind)
    return pa.array(plain, kind)


def _scalars(column: pa.ChunkedArray) -> list[Scalar]:
    if pa.types.is_timestamp(column.type):
        times = column.cast(pa.int64()).to_pylist()
        return [None if value is None else Time(value) for value in times]
    values: list[Scalar] = column.to_pylist()
    return values
