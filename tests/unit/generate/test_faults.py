from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.unit.generate.clean import READERS, json_row, lines_of, time_us

from tailrace.generate.delivery import Tally
from tailrace.generate.faults import CLEAN, DUPLICATE, LATE, MALFORMED, NOT_A_LINE
from tailrace.generate.nginx import NginxTraffic
from tailrace.generate.options import SECOND_US

ROWS = 40_000
FORMATS = sorted(READERS)


def run(**options: Any) -> tuple[list[bytes], list[int], list[int]]:
    """Lines, faults and arrivals."""
    blocks = list(NginxTraffic(**{"start_us": 10**15, "count": ROWS, **options}).blocks())
    return (
        lines_of(block.lines for block in blocks),
        np.concatenate([block.faults for block in blocks]).tolist(),
        np.concatenate([block.arrivals_us for block in blocks]).tolist(),
    )


@pytest.mark.parametrize("form", FORMATS)
def test_shares(form: str) -> None:
    made = NginxTraffic(
        start_us=0, count=ROWS, format=form, late=0.05, duplicates=0.1, malformed=0.02
    )
    tally = Tally()
    for block in made.blocks():
        tally.add(block)
    assert tally.lines == ROWS
    assert tally.late / ROWS == pytest.approx(0.05, abs=0.005)
    assert tally.duplicates / ROWS == pytest.approx(0.1, abs=0.01)
    assert tally.malformed / ROWS == pytest.approx(0.02, abs=0.004)


@pytest.mark.parametrize("form", FORMATS)
def test_exactly_the_malformed_rows_are_not_clean(form: str) -> None:
    lines, faults, _ = run(format=form, late=0.1, duplicates=0.1, malformed=0.3)
    read = READERS[form]
    assert [read(line) is None for line in lines] == [fault == MALFORMED for fault in faults]


@pytest.mark.parametrize("form", FORMATS)
def test_rows_are_malformed_in_every_way(form: str) -> None:
    lines, _, _ = run(format=form, malformed=1.0)
    assert all(lines)  # blank lines are something else
    complete = b'"}' if form == "json" else b'"'
    ways = {
        "cut": lambda line: line[:20].count(b".") < 4 and not line.endswith(complete),
        "no line": lambda line: line in NOT_A_LINE.tolist(),
        "status": lambda line: b"abc" in line,
        "NaN": lambda line: b"NaN" in line,
        "empty": lambda line: b'"@timestamp":""' in line or b" [] " in line,
        "UTF-8": lambda line: b"\xff" in line,
    }
    for name, shows in ways.items():
        assert sum(map(shows, lines)) / ROWS > 0.1, name


def test_late_rows_are_older_than_their_arrival() -> None:
    lines, faults, arrivals = run(late=0.2, late_by_us=3 * SECOND_US)
    delays = []
    for line, fault, arrival in zip(lines, faults, arrivals, strict=True):
        row = json_row(line)
        assert row
        if fault == LATE:
            delays.append(arrival - time_us(row))
        else:
            assert fault == CLEAN
            assert time_us(row) == arrival
    assert 0 < min(delays) < 0.1 * SECOND_US
    assert 2.9 * SECOND_US < max(delays) <= 3 * SECOND_US


def test_late_rows_at_the_epoch() -> None:
    lines, _, _ = run(start_us=0, late=1.0, count=100)
    assert all(json_row(line) for line in lines)


def test_duplicates_repeat_the_line_before() -> None:
    lines, faults, _ = run(duplicates=0.4)
    repeats = [(one, two) for one, two in pairwise(range(ROWS)) if faults[two] == DUPLICATE]
    assert len(repeats) > 0.35 * ROWS
    assert all(lines[one] == lines[two] for one, two in repeats)


def test_duplicates_never_repeat_malformed_rows() -> None:
    lines, faults, _ = run(duplicates=0.5, malformed=0.5, count=1000)
    clean = {line for line, fault in zip(lines, faults, strict=True) if fault == CLEAN}
    assert len(clean) == 1
    assert {line for line, fault in zip(lines, faults, strict=True) if fault == DUPLICATE} == clean


def test_the_first_row_has_nothing_to_repeat() -> None:
    lines, faults, _ = run(duplicates=1.0, count=100)
    assert faults == [CLEAN] + [DUPLICATE] * 99
    assert set(lines) == {lines[0]}


@pytest.mark.parametrize("form", FORMATS)
def test_faults_leave_the_other_rows_alone(form: str) -> None:
    lines, _, _ = run(format=form)
    faulty, faults, _ = run(format=form, malformed=0.2, duplicates=0.1)
    clean = [row for row, fault in enumerate(faults) if fault == CLEAN]
    assert len(clean) < 0.75 * ROWS
    assert all(lines[row] == faulty[row] for row in clean)
