"""Running cases on an engine: outcomes in, results out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tailrace.testing.canonical import Numbers
from tailrace.testing.case import Case, Kind
from tailrace.testing.compare import Failure, check
from tailrace.testing.layout import layout_of
from tailrace.testing.outcome import WHOLE, Engine, Outcome, Variation
from tailrace.testing.records import records


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case; `outcome` is what the engine answered."""

    case: Case
    outcome: Outcome
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything expected holds."""
        return not self.failures


def run(cases: Iterable[Case], engine: Engine, variation: Variation = WHOLE) -> Iterator[Result]:
    """Run cases one after the other, giving each result as soon as it is there.

    Raises PipelineError for a wrong pipeline and CaseFileError for a row that it can't hold.
    """
    for case in cases:
        started = time.perf_counter()
        outcome = engine.run(case, variation)
        failures = check(case, outcome, numbers_of(case))
        yield Result(case, outcome, failures, time.perf_counter() - started)


def numbers_of(case: Case) -> Numbers:
    """The number of each record by partition and position, for cases that speak of records."""
    if not any(each.kind in {Kind.EVENTS, Kind.DEAD, Kind.ARCHIVE} for each in case.expectations):
        return {}
    return {
        (record.partition, record.position): record.number
        for step in records(case, layout_of(case)).values()
        for record in step
    }
