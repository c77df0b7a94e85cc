"""What a reference in a file can't be, and where that is told."""

from typing import Any

import pytest
from pydantic import ValidationError

from tailrace.config.references import Reference

TALL: dict[str, Any] = {
    "file": {"path": "limits.csv"},
    "columns": {"host": "text", "name": "text", "value": "time", "since": "time"},
    "key": "host",
    "valid_from": "since",
    "pivot": {"name": "name", "value": "value", "columns": {"least": "Minimum"}},
}
WEB: dict[str, Any] = {"columns": {"id": "text"}, "key": "id"}


def told(given: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as raised:
        Reference.model_validate(given)
    return [(".".join(map(str, one["loc"])), one["msg"]) for one in raised.value.errors()]


def test_a_tall_table_is_taken() -> None:
    assert Reference.model_validate(TALL).pivot is not None


@pytest.mark.parametrize(
    ("more", "where", "message"),
    [
        ({"key": ["host", "name"]}, "key", "'name' is turned by 'pivot'"),
        ({"key": ["host", "value"]}, "key", "'value' is turned by 'pivot'"),
        ({"valid_from": "value"}, "valid_from", "'value' is turned by 'pivot'"),
        ({"columns": {**TALL["columns"], "note": "text"}}, "columns.note", "there is no row"),
        ({"key": ()}, "columns.host", "there is no row"),
        ({"valid_from": None}, "columns.since", "there is no row"),
    ],
)
def test_columns_that_a_pivot_does_not_allow(
    more: dict[str, Any], where: str, message: str
) -> None:
    places = {place: text for place, text in told({**TALL, **more}) if message in text}
    assert where in places


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"headers": {"Authorization": "Bearer hunter22\n"}}, "control characters"),
        ({"headers": {"Authorization": "Bearer hunter22\u20ac"}}, "not ASCII"),
        ({"headers": {"X Y": "hunter22"}}, "letters, digits"),
        ({"headers": {"Host": "hunter22"}}, "not yours to set"),
        ({"url": "http://h/?a hunter22"}, "no blanks"),
        ({"url": "http://h/hunter22\u20ac"}, "is ASCII"),
    ],
)
def test_requests_that_cannot_be_sent(place: dict[str, Any], message: str) -> None:
    found = told({**WEB, "http": {"url": "http://h/", **place}})
    assert message in str(found)
    assert "hunter22" not in str(found)
