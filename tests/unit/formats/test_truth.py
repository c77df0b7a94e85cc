"""Every line of the truth table, decoded in every way there is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.formats.given import Dead, decode, records, spec, time_in

from tailrace.expr.nodes import Type
from tailrace.formats import times, values
from tailrace.formats.codes import Code
from tailrace.formats.reference import render
from tailrace.formats.spec import CsvFormat, FieldSpec, TimeForm
from tailrace.formats.truth import TIMES, VALUES, Entry, TimeEntry
from tailrace.formats.zones import zone_of

ROOT = Path(__file__).parents[3]
ENTRIES = [
    pytest.param(type_, entry, id=f"{type_}: {entry.written}")
    for type_, entries in VALUES.items()
    for entry in entries
]
TEXTS = [
    pytest.param(type_, entry, id=f"{type_}: {entry.written}")
    for type_, entries in VALUES.items()
    for entry in entries
    if entry.written.startswith('"')
]
CAREFUL: dict[Type, Callable[[str], object]] = {
    Type.INTEGER: values.integer,
    Type.DOUBLE: values.double,
    Type.BOOLEAN: values.boolean,
    Type.TIME: lambda text: times.time(text, TimeForm.AUTO, UTC, None),
}


def micros(instant: str) -> int:
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def expected(type_: Type, entry: Entry) -> object:
    if isinstance(entry.becomes, Code):
        return Dead(entry.becomes.value, "v")
    value: object = entry.becomes
    if type_ is Type.TIME and isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return {"@": 0, "v": value}


def exactly(found: object, wanted: object) -> bool:
    """Equal, of equal types, and not minus zero for zero."""
    return repr(found) == repr(wanted)


@pytest.mark.parametrize(("type_", "entry"), ENTRIES)
def test_json(type_: Type, entry: Entry) -> None:
    line = f'{{"t": 0, "v": {entry.written}}}'.encode()
    [found] = decode(records(line), spec(FieldSpec("v", type_, ("v",))))
    assert exactly(found, expected(type_, entry))


@pytest.mark.parametrize("type_", VALUES)
def test_json_all_at_once(type_: Type) -> None:
    """Plain and odd values side by side, a malformed record after each."""
    entries = VALUES[type_]
    lines = [f'{{"t": 0, "v": {entry.written}}}'.encode() for entry in entries]
    mixed = [each for line in lines for each in (line, b'{"t": }')]
    found = decode(records(*mixed), spec(FieldSpec("v", type_, ("v",))))
    assert exactly(found[0::2], [expected(type_, entry) for entry in entries])
    assert found[1::2] == [Dead("malformed_json")] * len(entries)


@pytest.mark.parametrize(("type_", "entry"), TEXTS)
def test_csv_reads_texts_likewise(type_: Type, entry: Entry) -> None:
    text = json.loads(entry.written).replace('"', '""')
    told = spec(FieldSpec("v", type_, ("v",)), format=CsvFormat(("t", "v"), header=False))
    [found] = decode(records(f'0,"{text}"'.encode()), told)
    assert exactly(found, expected(type_, entry))


@pytest.mark.parametrize(("type_", "entry"), TEXTS)
def test_careful_functions(type_: Type, entry: Entry) -> None:
    if type_ is Type.TEXT:
        return
    text = json.loads(entry.written)
    if isinstance(entry.becomes, Code):
        with pytest.raises(values.BadValueError):
            CAREFUL[type_](text)
    else:
        wanted = micros(str(entry.becomes)) if type_ is Type.TIME else entry.becomes
        assert exactly(CAREFUL[type_](text), wanted)


@pytest.mark.parametrize("entry", TIMES, ids=lambda entry: f"{entry.form}: {entry.written}")
@pytest.mark.parametrize("copies", [1, 100], ids=["one by one", "by shape"])
def test_times(entry: TimeEntry, copies: int) -> None:
    line = f'{{"t": "{entry.written}"}}'.encode()
    told = spec(time=time_in(entry.form, entry.zone, entry.year))
    wanted: object = Dead("bad_time")
    if not isinstance(entry.becomes, Code):
        wanted = {"@": micros(entry.becomes)}
    assert decode(records(*[line] * copies), told) == [wanted] * copies


@pytest.mark.parametrize("entry", TIMES, ids=lambda entry: f"{entry.form}: {entry.written}")
def test_careful_time(entry: TimeEntry) -> None:
    zone = zone_of(entry.zone)
    if isinstance(entry.becomes, Code):
        with pytest.raises(values.BadValueError):
            times.time(entry.written, entry.form, zone, entry.year)
    else:
        found = times.time(entry.written, entry.form, zone, entry.year)
        assert found == micros(entry.becomes)


def test_every_form_and_type_is_in_the_table() -> None:
    assert {entry.form for entry in TIMES} == set(TimeForm)
    assert set(VALUES) == set(Type) - {Type.NULL}


def test_is_printed() -> None:
    committed = (ROOT / "docs/semantics-decoding.md").read_text()
    command = "python -m tailrace.formats.reference > docs/semantics-decoding.md"
    assert committed == render(), command
