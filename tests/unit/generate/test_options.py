import pytest

from tailrace.generate.options import iso_utc, parse_duration_us, parse_time_us


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("5m", 300_000_000),
        ("1h30m", 5_400_000_000),
        ("500ms", 500_000),
        ("0.5", 500_000),
        ("2d", 172_800_000_000),
        ("1.5s", 1_500_000),
        ("0.000001s", 1),
    ],
)
def test_duration(text: str, microseconds: int) -> None:
    assert parse_duration_us(text) == microseconds


@pytest.mark.parametrize("text", ["", "5x", "m", "-5s", "5 m", "5m3", "1e3", "٣s"])
def test_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_us(text)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("1659509511.865323", "2022-08-03T06:51:51.865323Z"),
        ("0", "1970-01-01T00:00:00.000000Z"),
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00.000000Z"),
        ("2024-05-01T12:00:00", "2024-05-01T12:00:00.000000Z"),  # no zone: UTC
        ("2024-05-01T12:00:00.25+02:00", "2024-05-01T10:00:00.250000Z"),
        ("2024-05-01", "2024-05-01T00:00:00.000000Z"),
    ],
)
def test_time(text: str, iso: str) -> None:
    assert iso_utc(parse_time_us(text)) == iso


@pytest.mark.parametrize("text", ["", "yesterday", "-1", "1969-12-31", "253402300800", "nan"])
def test_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither|not between"):
        parse_time_us(text)
