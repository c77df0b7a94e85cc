import pytest

from tailrace.engines.meter import Meter


@pytest.mark.parametrize(
    ("marks", "rate"),
    [
        ([], 0.0),
        ([(0.0, 100)], 0.0),
        ([(0.0, 0), (1.0, 50)], 50.0),
        ([(0.0, 0), (1.0, 50), (2.0, 50)], 25.0),
        ([(float(t), 10 * t) for t in range(100)], 10.0),
        ([(0.0, 0), (1.0, 1000), *((float(t), 1000) for t in range(2, 9))], 0.0),  # long ago
        ([(1.0, 5), (1.0, 9)], 0.0),
    ],
)
def test_the_rate_of_the_last_seconds(marks: list[tuple[float, int]], rate: float) -> None:
    meter = Meter()
    for at, total in marks:
        meter.observe(total, at)
    assert meter.per_second == rate
