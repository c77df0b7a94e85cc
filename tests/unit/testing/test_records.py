"""Rows as the bytes that a source would have read."""

import pytest

from tailrace.testing.case import Case, CaseFileError
from tailrace.testing.format import loads
from tailrace.testing.records import Layout, records

JSON = Layout(("t",))
DEEP = Layout(("m", "t"), paths={"a": ("m", "x", "y")})


def case(rows: str, start: str = "0s") -> Case:
    head = f"pipeline\n  name: x\nstart {start}\ncase one\n"
    (found,) = loads(f"{head}rows p\n  {rows}\nexpect no alerts r\n", "f.test")
    return found


def data(rows: str, layout: Layout, start: str = "0s") -> list[str]:
    (written,) = records(case(rows, start), layout).values()
    return [record.data.decode() for record in written]


@pytest.mark.parametrize(
    ("row", "layout", "written"),
    [
        ("0s", JSON, '{"t": 0.000000}'),
        ("1.5s a=1 b=x", JSON, '{"t": 1.500000, "a": 1, "b": "x"}'),
        ("-0.000001s", JSON, '{"t": -0.000001}'),
        ("0s a=1e400 b=0.10", JSON, '{"t": 0.000000, "a": 1e400, "b": 0.10}'),
        ("0s c=null d=true", JSON, '{"t": 0.000000, "c": null, "d": true}'),
        ('0s a="é \\"q\\" \\u0000"', JSON, '{"t": 0.000000, "a": "é \\"q\\" \\u0000"}'),
        ("0s t=soon", JSON, '{"t": "soon"}'),
        ("1.5s", Layout(("t",), "epoch_ms"), '{"t": 1500.000}'),
        ("1.5s", Layout(("t",), "iso"), '{"t": "1970-01-01T00:00:01.500000Z"}'),
        ("1s", Layout(("t",), "iso"), '{"t": "1970-01-01T00:00:01Z"}'),
        ("0001-01-01", Layout(("t",), "iso"), '{"t": "0001-01-01T00:00:00Z"}'),
        ("1s", Layout(("t",), "datetime", "Europe/Berlin"), '{"t": "1970-01-01 01:00:01"}'),
        ("1s", Layout(("t",), "time_local"), '{"t": "01/Jan/1970:00:00:01 +0000"}'),
        ("1s", Layout(("t",), "time_local", "Asia/Tokyo"), '{"t": "01/Jan/1970:09:00:01 +0900"}'),
        ("0s a=1 b=2", DEEP, '{"m": {"t": 0.000000, "x": {"y": 1}}, "b": 2}'),
        ("0s at=5", Layout(("t",), paths={"at": ("t",)}), '{"t": 5}'),
        ("0s b=x", Layout(("t",), columns=("t", "a", "b")), "0.000000,,x"),
        ('0s a="x,\\"y\\"" b=""', Layout(("t",), columns=("a", "t", "b")), '"x,""y""",0.000000,""'),
        ("0s a=true b=1.50", Layout(("b",), columns=("a", "b"), delimiter=";"), "true;1.50"),
        ("1s a=1", Layout(("t",), columns=("t", "a b", "a"), header=True), "t,a b,a|1.000000,,1"),
        ("| t,a\n  1s a=1", Layout(("t",), columns=("t", "a"), header=True), "t,a|1.000000,1"),
        ("| as it is", Layout(("t",), written=False), "as it is"),
    ],
)
def test_row_is_written(row: str, layout: Layout, written: str) -> None:
    assert data(row, layout) == written.split("|")


@pytest.mark.parametrize(
    ("row", "layout", "problem"),
    [
        ("0s", Layout(("t",), written=False), "this format has no named values"),
        ("1.5s", Layout(("t",), "time_local"), "1500000 us can't be written as time_local"),
        ("0s", Layout(("t",), "syslog"), "0 us can't be written as syslog"),
        ("500000w", Layout(("t",), "iso"), "can't be written as iso"),
        ("0s c=1", Layout(("t",), columns=("t", "a")), "the CSV has no column c"),
        ("0s a=1 b=2", Layout(("t",), paths={"a": ("m",), "b": ("m", "n")}), "m.n lies inside"),
        (
            "2024-10-27T01:30:00Z",
            Layout(("t",), "datetime", "Europe/Berlin"),
            "the clock shows this time twice",
        ),
    ],
)
def test_row_that_the_format_cannot_hold(row: str, layout: Layout, problem: str) -> None:
    with pytest.raises(CaseFileError) as caught:
        data(row, layout)
    assert "f.test:6:3" in caught.value.render()
    assert problem in caught.value.render()


def test_positions_and_numbers_count_by_partition_over_all_steps() -> None:
    head = "pipeline\n  name: x\ncase one\n"
    text = "rows p\n  | ab\n  |\nrows q\n  | x\nidle q\nrows p\n  | é\n  | z\n"
    (found,) = loads(f"{head}{text}expect no alerts r\n")
    places = [
        (index, record.partition, record.number, record.position)
        for index, written in records(found, JSON).items()
        for record in written
    ]
    assert places == [
        (0, "p", 1, 0),
        (0, "p", 2, 3),
        (1, "q", 1, 0),
        (3, "p", 3, 4),
        (3, "p", 4, 7),
    ]
