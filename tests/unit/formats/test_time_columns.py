"""Times by shape are times one by one, whatever the shapes and their neighbours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.formats import time_columns, times, zones
from tailrace.formats.spec import TimeForm
from tailrace.formats.values import BadValueError

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]

moments = st.datetimes() | st.datetimes(
    datetime.fromisoformat("2022-03-27"), datetime.fromisoformat("2022-10-31")
)
fractions = st.text("0123456789", max_size=8).map(lambda digits: f".{digits}" if digits else "")
offsets = st.sampled_from(["", "", "Z", "+02:00", "-0330", " +0000", "+24:00", "-05"])


def written(pattern: str, shapes: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda moment, end: moment.strftime(pattern) + end, moments, shapes)


iso = st.builds(
    lambda moment, sep, fraction, end: moment.isoformat(sep, "seconds") + fraction + end,
    moments,
    st.sampled_from("T t"),
    fractions,
    offsets,
)
local = written("%d/%b/%Y:%H:%M:%S", st.sampled_from([" +0000", " -0330", " +9900", ""]))
syslog = written("%b %d %H:%M:%S", fractions) | written("%b %e %H:%M:%S", fractions)
epoch = st.builds(
    lambda whole, fraction: f"{whole}{fraction}",
    st.integers(0, 2 * 10**9) | st.integers(-(10**12), 10**14),
    fractions,
)
plain = iso | local | syslog | epoch


def garbled(text: str, place: int, character: str) -> str:
    place %= len(text) + 1
    return text[:place] + character + text[place + 1 :]


texts = plain | st.builds(garbled, plain, st.integers(0, 40), st.sampled_from("09 :-/.TZ+xé"))


def one_by_one(
    column: list[str | None], form: TimeForm, zone: str, year: int | None
) -> tuple[list[int | None], dict[int, str]]:
    found: list[int | None] = []
    bad = {}
    for row, text in enumerate(column):
        try:
            tz = zones.zone_of(zone)
            found.append(None if text is None else times.time(text, form, tz, year))
        except BadValueError as error:
            found.append(None)
            bad[row] = str(error)
    return found, bad


@pytest.fixture(scope="module", autouse=True)
def by_shape_from_the_first_text_on() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_columns, "WORTHWHILE", 1)
        patch.setattr(time_columns, "BLOCK", 7)
        yield


@settings(deadline=None)
@given(
    column=st.lists(texts | st.none(), max_size=25),
    form=st.sampled_from(TimeForm),
    zone=st.sampled_from(ZONES),
    year=st.sampled_from([None, 2022, 2024]),
    cut=st.integers(0, 2),
)
def test_fast_is_careful(
    column: list[str | None], form: TimeForm, zone: str, year: int | None, cut: int
) -> None:
    whole = pa.array([*["2022"] * cut, *column], pa.string())
    typed = time_columns.time_column(whole.slice(cut), form, zone, year)
    assert (typed.column.to_pylist(), typed.bad) == one_by_one(column, form, zone, year)


@pytest.mark.parametrize(
    "shapes", [iso, local, syslog, epoch], ids=["iso", "local", "syslog", "epoch"]
)
def test_texts_of_one_length_and_shape(shapes: st.SearchStrategy[str]) -> None:
    @settings(deadline=None)
    @given(column=st.lists(shapes, min_size=1, max_size=20), zone=st.sampled_from(ZONES))
    def check(column: list[str], zone: str) -> None:
        form = TimeForm.SYSLOG if shapes is syslog else TimeForm.AUTO
        same = [text for text in column if len(text) == len(column[0])]
        typed = time_columns.time_column(pa.array(same), form, zone, 2022)
        assert (typed.column.to_pylist(), typed.bad) == one_by_one([*same], form, zone, 2022)

    check()


@settings(deadline=None)
@given(moment=moments, zone=st.sampled_from(ZONES))
def test_careful_against_datetime(moment: datetime, zone: str) -> None:
    text = moment.isoformat(" ", "microseconds")
    known = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
    since = known - datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
    wanted = since // timedelta(microseconds=1)
    if not times.EARLIEST <= wanted <= times.LATEST:
        with pytest.raises(BadValueError):
            times.time(text, TimeForm.DATETIME, zones.zone_of(zone), None)
    else:
        assert times.time(text, TimeForm.DATETIME, zones.zone_of(zone), None) == wanted


def changing(column: int) -> Callable[[str], str]:
    return lambda text: text[:column] + "x" + text[column + 1 :]


@pytest.mark.parametrize(
    "text",
    [
        "1659509511.865323",
        "2022-08-03T06:51:51.865323Z",
        "2022-08-03 06:51:51 +02:00",
        "03/Aug/2022:06:51:51 +0000",
    ],
)
def test_every_byte_is_looked_at(text: str) -> None:
    """A text that differs from its neighbours in one byte is never taken for one of them."""
    for column in range(len(text)):
        odd = changing(column)(text)
        typed = time_columns.time_column(pa.array([text, odd, text]), TimeForm.AUTO, "UTC", None)
        good, wrong, same = typed.column.to_pylist()
        assert good == same is not None
        assert wrong is None
        assert list(typed.bad) == [1]
