import pytest

from tailrace.cli.columns import aligned, elapsed, moment, number, size


def test_cells_stand_under_each_other() -> None:
    rows = [("name", "rows"), ("é", "1,000"), ("中文", "7", "more")]
    assert aligned(rows, right=(1,)) == [
        "  name   rows",
        "  é     1,000",
        "  中文      7  more",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (9.94, "9.9s"),
        (59.4, "59s"),
        (60, "1m"),
        (125, "2m 5s"),
        (3600, "1h"),
        (12_000, "3h 20m"),
        (187_200, "2d 4h"),
        (-5, "-5.0s"),
    ],
)
def test_elapsed(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (5 << 40, "5.0 TiB")],
)
def test_size(value: int, text: str) -> None:
    assert size(value) == text


def test_number() -> None:
    assert number(1234567.4) == "1,234,567"


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (None, "-"),
        (0, "1970-01-01 00:00:00Z"),
        (-1, "1969-12-31 23:59:59Z"),
        (1_714_566_896_999_999, "2024-05-01 12:34:56Z"),
        (2**62, "the end of time"),
        (-(2**62), "the beginning of time"),
    ],
)
def test_moment(micros: int | None, text: str) -> None:
    assert moment(micros) == text
