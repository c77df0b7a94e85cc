from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.plan.instants import iso

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("microseconds", "zone", "text"),
    [
        (0, UTC, "1970-01-01T00:00:00.000Z"),
        (-1, UTC, "1969-12-31T23:59:59.999999Z"),
        (1_659_509_500_250_000, UTC, "2022-08-03T06:51:40.250Z"),
        (1_659_509_500_000_001, UTC, "2022-08-03T06:51:40.000001Z"),
        (1_659_509_500_000_000, BERLIN, "2022-08-03T08:51:40.000+02:00"),
        (1_641_000_000_000_000, ZoneInfo("Europe/London"), "2022-01-01T01:20:00.000Z"),
        (1_659_509_500_000_000, ZoneInfo("Asia/Kolkata"), "2022-08-03T12:21:40.000+05:30"),
        (-62_135_596_800_000_001, BERLIN, "0000-12-31T23:59:59.999999Z"),
        (-(2**63), UTC, "-290308-12-21T19:59:05.224192Z"),
        (2**63 - 1, UTC, "+294247-01-10T04:00:54.775807Z"),
    ],
)
def test_text(microseconds: int, zone: tzinfo, text: str) -> None:
    assert iso(microseconds, zone) == text


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_every_instant_is_what_numpy_reads_back(microseconds: int) -> None:
    text = iso(microseconds).removesuffix("Z")
    assert np.datetime64(text, "us").astype(np.int64) == microseconds
