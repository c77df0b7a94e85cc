"""From cells to snapshots: types, duplicates, dates, pivots; and what is refused, in words."""

from typing import Any

import pytest

from tailrace.config.references import Reference
from tailrace.errors import TableError
from tailrace.plan.references import shape_of
from tailrace.reference.build import Built, build
from tailrace.reference.raw import from_records
from tailrace.reference.snapshot import Snapshot

USERS: dict[str, Any] = {
    "file": {"path": "users.csv"},
    "key": "id",
    "columns": {"id": "integer", "device": "text", "level": "double"},
}
LIMITS: dict[str, Any] = {
    "file": {"path": "limits.json"},
    "columns": {"name": "text", "value": "integer", "since": "time"},
    "valid_from": "since",
    "pivot": {
        "name": "name",
        "value": "value",
        "columns": {"min": ["Minimum", "min"], "max": "max"},
    },
}


def built(records: list[dict[str, object]], given: dict[str, Any] = USERS, **more: Any) -> Built:
    config = Reference.model_validate({**given, **more})
    return build("users", config, from_records(records, config.columns))


def rows(found: Built) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = found.snapshot.table.to_pylist()
    return listed


def refused(records: list[dict[str, object]], given: dict[str, Any] = USERS, **more: Any) -> str:
    with pytest.raises(TableError) as raised:
        built(records, given, **more)
    return "; ".join(problem.message for problem in raised.value.problems)


ONE: dict[str, object] = {"id": "1", "device": "a", "level": "1.5"}
TWO: dict[str, object] = {"id": 2, "device": None, "level": 2}


def test_quoted_numbers_are_numbers_and_rows_have_an_order_of_their_own() -> None:
    found = built([TWO, ONE])
    assert rows(found) == [
        {"id": 1, "device": "a", "level": 1.5},
        {"id": 2, "device": None, "level": 2.0},
    ]
    assert found.snapshot.version == built([ONE, TWO, ONE]).snapshot.version
    assert found.notes == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([ONE], id="fewer rows"),
        pytest.param([ONE, {**TWO, "device": ""}], id="empty text is not null"),
        pytest.param([ONE, {**TWO, "level": 3}], id="another value"),
    ],
)
def test_other_contents_are_another_version(other: list[dict[str, object]]) -> None:
    assert built(other).snapshot.version != built([ONE, TWO]).snapshot.version


def test_another_key_is_another_version() -> None:
    other = built([ONE, TWO], key="device", on_bad_row="skip")
    assert other.snapshot.version != built([ONE]).snapshot.version


def test_the_stored_form_is_the_same_again() -> None:
    snapshot = built([ONE, TWO]).snapshot
    again = Snapshot.from_bytes(snapshot.version, snapshot.to_bytes())
    assert again.table.equals(snapshot.table)
    config = Reference.model_validate(USERS)
    assert again.fits(shape_of("users", config))
    assert not again.fits(shape_of("users", config.model_copy(update={"key": ("device",)})))


@pytest.mark.parametrize(
    ("records", "more", "message"),
    [
        ([], {}, "there are no rows"),
        ([ONE, TWO], {"max_rows": 1}, "2 rows, more than max_rows (1)"),
        ([{"id": 1, "device": "a"}], {}, "there is no column 'level'"),
        ([ONE, {**TWO, "id": "x"}], {}, "row 2: id: 'x' is not an integer"),
        ([{**ONE, "level": "1,5"}], {}, "row 1: level: '1,5' is not a number"),
        ([{**ONE, "id": None}], {}, "row 1: id is empty"),
        (
            [ONE, {**ONE, "device": "b"}],
            {},
            "two rows of id 1 with different values (row 1 and row 2)",
        ),
        ([{**ONE, "id": 2**64}], {}, "an integer beyond 64 bits"),
    ],
)
def test_loads_that_are_refused(
    records: list[dict[str, object]], more: dict[str, Any], message: str
) -> None:
    assert message in refused(records, **more)


def test_many_bad_rows_are_told_in_few_words() -> None:
    told = refused([{**ONE, "id": f"x{n}"} for n in range(9)])
    assert "row 1" in told
    assert "and 4 more" in told
    assert "row 6" not in told


def test_what_is_left_out_is_told() -> None:
    found = built([ONE, {**TWO, "id": "x"}], on_bad_row="skip")
    assert [row["id"] for row in rows(found)] == [1]
    assert found.notes == ["1 bad rows are left out: row 2: id: 'x' is not an integer"]
    assert refused([{**TWO, "id": "x"}], on_bad_row="skip").endswith("there are no rows")


def test_duplicates() -> None:
    twice: list[dict[str, object]] = [ONE, {**ONE, "device": "b"}, TWO]
    assert [row["device"] for row in rows(built(twice, duplicates="first"))] == ["a", None]
    assert len(rows(built(twice, duplicates="allow"))) == 3
    assert rows(built([], empty="allow")) == []


def test_rows_without_an_order_have_one_by_their_texts() -> None:
    records: list[dict[str, object]] = [{**ONE, "device": device} for device in ("b", None, "a")]
    versions = set()
    for some in (records, records[::-1]):
        raw = from_records([TWO, *some], USERS["columns"]).ordered()
        found = build("users", Reference.model_validate({**USERS, "duplicates": "first"}), raw)
        assert [row["device"] for row in rows(found)] == ["a", None]
        versions.add(found.snapshot.version)
    assert len(versions) == 1


def test_a_name_without_a_row_carries_on() -> None:
    day, later = "2024-01-01", "2024-02-01 00:00:00"
    found = built(
        [
            {"name": "max", "value": "30", "since": later},
            {"name": "Minimum", "value": "10", "since": day},
            {"name": "max", "value": "20", "since": day},
            {"name": "other", "value": "1", "since": day},
        ],
        LIMITS,
    )
    assert [(row["min"], row["max"]) for row in rows(found)] == [(10, 20), (10, 30)]
    assert found.notes == ["1 rows of the unknown name 'other' are left out"]


def test_a_null_ends_a_limit() -> None:
    found = built(
        [
            {"name": "min", "value": 1, "since": "2024-01-01"},
            {"name": "min", "value": None, "since": "2024-02-01"},
        ],
        LIMITS,
    )
    assert [row["min"] for row in rows(found)] == [1, None]


def test_two_names_of_one_limit_that_contradict_each_other() -> None:
    told = refused(
        [
            {"name": "Minimum", "value": 1, "since": "2024-01-01"},
            {"name": "min", "value": 2, "since": "2024-01-01T00:00:00Z"},
        ],
        LIMITS,
    )
    assert told == (
        "reference 'users': 'min' has two values from 2024-01-01T00:00:00.000Z on (row 1 and row 2)"
    )


def test_a_huge_table_is_built_and_found_in() -> None:
    import numpy as np
    import pyarrow as pa

    from tailrace.kernel.lookups import Index
    from tailrace.reference.raw import RawTable

    numbers = np.arange(200_000)
    texts = pa.array(numbers).cast(pa.string())
    config = Reference.model_validate(USERS)
    raw = RawTable({"id": texts, "device": texts, "level": texts}, len(numbers))
    snapshot = build("users", config, raw).snapshot
    index = Index(shape_of("users", config), snapshot)
    wanted = pa.array([199_999, 5, None, 200_000])
    found = index.find([wanted], np.zeros(4, np.int64))
    assert [
        snapshot.table["device"][row].as_py() if row >= 0 else None for row in found.tolist()
    ] == [
        "199999",
        "5",
        None,
        None,
    ]


def test_limits_that_nothing_can_keep_are_told_of() -> None:
    keyed = {
        "file": {"path": "limits.csv"},
        "key": "host",
        "columns": {"host": "text", "min_bytes": "integer", "max_bytes": "integer", "min": "text"},
    }
    names = ("host", "min_bytes", "max_bytes", "min")
    cells = [("a", 1, 2, "x"), ("b", 3, 2, "x"), ("c", 2, 2, "x"), ("d", None, 2, "x")]
    found = built([dict(zip(names, row, strict=True)) for row in cells], keyed)
    assert found.notes == ["min_bytes is above max_bytes of host 'b'"]
    assert len(rows(found)) == len(cells)
    single = {**keyed, "key": [], "columns": {"lower": "double", "upper": "double"}}
    found = built([{"lower": 2.5, "upper": 1}], single)
    assert found.notes == ["lower is above upper in its one row"]
    records: list[dict[str, object]] = [
        {"name": "min", "value": 9, "since": "2026-01-01"},
        {"name": "max", "value": 5, "since": "2026-01-01"},
    ]
    assert built(records, LIMITS).notes == ["min is above max of since 2026-01-01T00:00:00.000Z"]
