from datetime import timedelta

import pytest

from tailrace.config import Duration, Window
from tailrace.config.units import parse_size, render_duration, render_size

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "microseconds", "canonical"),
    [
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
        ("500ms", 500_000, "500ms"),
        ("20s", 20 * SECOND, "20s"),
        ("90s", 90 * SECOND, "1m30s"),
        ("1m", 60 * SECOND, "1m"),
        ("2h", 7200 * SECOND, "2h"),
        ("1h30m", 5400 * SECOND, "1h30m"),
        ("24h", 86400 * SECOND, "1d"),
        ("1d", 86400 * SECOND, "1d"),
        ("1w", 604800 * SECOND, "1w"),
        ("8d", 691200 * SECOND, "8d"),
        ("1w1d", 691200 * SECOND, "8d"),
        ("1m500ms", 60_500_000, "1m500ms"),
        (" 5s ", 5 * SECOND, "5s"),
    ],
)
def test_duration(text: str, microseconds: int, canonical: str) -> None:
    assert Duration(text) == microseconds
    assert render_duration(microseconds) == canonical
    assert Duration(canonical) == microseconds


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "expected a duration such as"),
        ("5", "expected a duration such as"),
        ("s", "expected a duration such as"),
        ("5 s", "expected a duration such as"),
        ("1.5h", "expected a duration such as"),
        ("30m1h", "expected a duration such as"),
        ("5s5s", "expected a duration such as"),
        ("5S", "expected a duration such as"),
        ("\u0665s", "expected a duration such as"),
        ("-5s", "expected a duration such as"),
        (timedelta(seconds=-1), "can't be negative"),
        (timedelta(microseconds=1), "whole number of milliseconds"),
        ("101y", "expected a duration such as"),
        ("36526d", "longer than a hundred years"),
        ("9" * 5000 + "s", "longer than a hundred years"),
    ],
)
def test_not_a_duration(value: str | timedelta, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Duration(value)


@pytest.mark.parametrize(
    ("text", "size", "canonical"),
    [
        ("0", 0, "0"),
        ("1048576", 1 << 20, "1MiB"),
        ("1MiB", 1 << 20, "1MiB"),
        ("1 MB", 1_000_000, "1MB"),
        ("64KiB", 1 << 16, "64KiB"),
        ("3GiB", 3 << 30, "3GiB"),
        ("2GB", 2_000_000_000, "2GB"),
        ("1kB", 1000, "1kB"),
        ("100B", 100, "100"),
    ],
)
def test_size(text: str, size: int, canonical: str) -> None:
    assert parse_size(text) == size
    assert render_size(size) == canonical
    assert parse_size(canonical) == size


@pytest.mark.parametrize("text", ["", "MiB", "1.5MiB", "1KB", "1mb", "-1", "1TiB", "8589934592GiB"])
def test_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "window", "canonical"),
    [
        ("1m", Window(60 * SECOND, 60 * SECOND), "1m"),
        ("60s every 1m", Window(60 * SECOND, 60 * SECOND), "1m"),
        ("20s every 1s", Window(20 * SECOND, SECOND), "20s every 1s"),
        ("  1h   every 500ms ", Window(3600 * SECOND, 500_000), "1h every 500ms"),
        ("20s every 3s", Window(20 * SECOND, 3 * SECOND), "20s every 3s"),
    ],
)
def test_window(text: str, window: Window, canonical: str) -> None:
    assert Window.parse(text) == window
    assert str(window) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a window"),
        ("20s 1s", "is not a window"),
        ("20s slides", "is not a window"),
        ("every 1s", "is not a window"),
        ("20s every", "is not a window"),
        ("0s", "above 0"),
        ("20s every 0s", "above 0"),
        ("1s every 20s", "every 20s is longer than the size 1s"),
        ("20 every 1s", "expected a duration"),
    ],
)
def test_not_a_window(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Window.parse(text)
