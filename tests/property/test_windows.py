"""Laws of window arithmetic: panes, windows, lateness, the watermark (semantics 9 to 12)."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tailrace.kernel.time import (
    NEVER,
    earlier_maximum,
    ends_between,
    frontier,
    last_end,
    late_mask,
    next_end,
    pane_width,
    panes_of,
    window_starts,
)

TIMES = st.one_of(
    st.integers(-100, 100),
    st.integers(-(10**17), 10**17),
    st.sampled_from((-62_135_596_800_000_000, 253_402_300_799_999_999, 0, -1)),
)
SMALL = st.integers(-60, 60)


@st.composite
def windows(draw: st.DrawFn, most: int = 40) -> tuple[int, int]:
    """Size and every."""
    every = draw(st.integers(1, most))
    return draw(st.integers(every, 3 * most)), every


def array(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


@given(windows())
def test_the_pane_is_the_largest_slice_that_all_windows_share(window: tuple[int, int]) -> None:
    size, every = window
    width = pane_width(size, every)
    edges = {k * every + offset for k in range(-3, 4) for offset in (0, size)}
    assert all(edge % width == 0 for edge in edges)
    assert not any(all(edge % more == 0 for edge in edges) for more in range(width + 1, every + 1))


@given(TIMES, st.integers(1, 10**12))
def test_a_time_lies_in_exactly_one_pane(time: int, width: int) -> None:
    (pane,) = panes_of(array(time), width).tolist()
    assert pane * width <= time < (pane + 1) * width


@given(TIMES, windows())
def test_a_time_lies_in_the_windows_that_begin_at_or_before_it_and_end_after_it(
    time: int, window: tuple[int, int]
) -> None:
    size, every = window
    near = range((time - size) // every - 2, time // every + 3)
    inside = [k * every for k in near if k * every <= time < k * every + size]
    assert window_starts(time, size, every) == inside
    assert size // every <= len(inside) <= -(-size // every)


@given(TIMES, windows())
def test_events_of_a_pane_lie_in_the_same_windows(time: int, window: tuple[int, int]) -> None:
    size, every = window
    width = pane_width(size, every)
    first = time // width * width
    starts = window_starts(time, size, every)
    assert window_starts(first, size, every) == starts
    assert window_starts(first + width - 1, size, every) == starts


@given(SMALL, SMALL, windows(12))
def test_window_ends_are_those_of_the_definition(
    after: int, until: int, window: tuple[int, int]
) -> None:
    size, every = window
    ends = [k * every + size for k in range(-200, 200)]
    assert ends_between(after, until, size, every).tolist() == [
        e for e in ends if after < e <= until
    ]
    assert next_end(after, size, every) == min(e for e in ends if e > after)
    assert last_end(until, size, every) == max(e for e in ends if e <= until)


@given(st.lists(SMALL, min_size=2, max_size=6).map(sorted), windows(12))
def test_windows_close_once_wherever_the_watermark_stops(
    stops: list[int], window: tuple[int, int]
) -> None:
    size, every = window
    closed = [
        end
        for after, until in pairwise(stops)
        for end in ends_between(after, until, size, every).tolist()
    ]
    assert closed == ends_between(stops[0], stops[-1], size, every).tolist()


@given(TIMES, windows())
def test_a_window_ends_at_the_end_of_one_of_its_panes(time: int, window: tuple[int, int]) -> None:
    size, every = window
    width = pane_width(size, every)
    for start in window_starts(time, size, every):
        assert (start + size) % width == 0


# Lateness


@given(st.lists(SMALL, max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_earlier_maxima_fold_over_cuts(times: list[int], cuts: list[int]) -> None:
    whole, greatest = earlier_maximum(array(*times), NEVER)
    before = NEVER
    pieces: list[int] = []
    edges = sorted({0, len(times), *(cut for cut in cuts if cut <= len(times))})
    for start, end in pairwise(edges):
        found, before = earlier_maximum(array(*times[start:end]), before)
        pieces.extend(found.tolist())
    assert pieces == whole.tolist() == [max([NEVER, *times[:i]]) for i in range(len(times))]
    assert before == greatest == max([NEVER, *times])


@given(SMALL, st.integers(1, 20), SMALL)
def test_late_is_what_the_definition_says(time: int, width: int, horizon: int) -> None:
    (late,) = late_mask(panes_of(array(time), width), width, array(horizon)).tolist()
    assert late == (time // width * width + width <= horizon // width * width)


@given(st.lists(SMALL, max_size=20), st.integers(1, 20), st.integers(0, 30))
def test_grace_only_forgives(times: list[int], width: int, grace: int) -> None:
    maxima, _ = earlier_maximum(array(*times), NEVER)
    panes = panes_of(array(*times), width)
    less = late_mask(panes, width, maxima - grace)
    more = late_mask(panes, width, maxima - grace - 1)
    assert not (more & ~less).any()


# The watermark


@given(st.lists(st.lists(SMALL, min_size=1, max_size=3), max_size=8), st.integers(0, 20))
def test_the_watermark_never_goes_back_and_never_passes_a_partition(
    states: list[list[int]], grace: int
) -> None:
    reached = NEVER
    for maxima in states:
        before, reached = reached, frontier(reached, maxima, grace)
        assert reached >= before
        assert reached in {before, min(maxima) - grace}


@given(st.lists(SMALL, max_size=3), st.integers(0, 20))
def test_a_partition_without_events_holds_the_watermark(maxima: list[int], grace: int) -> None:
    assert frontier(5, [*maxima, NEVER], grace) == 5
    assert frontier(NEVER, [*maxima, NEVER], grace) == NEVER
    assert frontier(5, [], grace) == 5


@given(
    st.lists(st.tuples(st.integers(0, 2), SMALL), max_size=40),
    windows(12),
    st.integers(0, 20),
)
def test_an_accepted_event_lies_in_no_closed_window(
    events: list[tuple[int, int]], window: tuple[int, int], grace: int
) -> None:
    """Whatever the partitions' speeds: this is why a window is judged once, complete."""
    size, every = window
    width = pane_width(size, every)
    maxima = [NEVER, NEVER, NEVER]
    reached = NEVER
    for partition, time in events:
        horizon = maxima[partition] - grace if maxima[partition] != NEVER else NEVER
        (late,) = late_mask(panes_of(array(time), width), width, array(horizon)).tolist()
        if not late:
            assert all(start + size > reached for start in window_starts(time, size, every))
        maxima[partition] = max(maxima[partition], time)
        reached = frontier(reached, maxima, grace)
