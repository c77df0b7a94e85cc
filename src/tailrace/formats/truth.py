"""The truth table of decoding: what each declared type makes of what is written.

The tests decode every line of it, by the fast way and the careful one, and the tables in
``docs/semantics-decoding.md`` are printed from it. Nothing decodes by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.expr.nodes import Type
from tailrace.formats.codes import Code
from tailrace.formats.spec import TimeForm

BAD = Code.BAD_VALUE
NULL = None
YES, NO = True, False
WRONG = Code.BAD_TIME

Value = str | int | float | bool | Code | None


@dataclass(frozen=True, slots=True)
class Entry:
    """``written``: a JSON value; ``becomes``: the field's value, or the dead letter's code.

    A time is given in ISO 8601 with all six digits.
    """

    written: str
    becomes: Value
    why: str = ""


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """A text in a form; without a zone it is read in ``zone``, without a year in ``year``."""

    form: TimeForm
    written: str
    becomes: str | Code
    why: str = ""
    zone: str = "UTC"
    year: int | None = None


VALUES: dict[Type, tuple[Entry, ...]] = {
    Type.INTEGER: (
        Entry("7", 7),
        Entry("-7", -7),
        Entry('"7"', 7, "numbers written as texts are normal"),
        Entry('"+7"', 7),
        Entry('"007"', 7),
        Entry('" 7\\t"', 7, "blanks and tabs around a value don't count"),
        Entry("-0", 0),
        Entry("7.0", 7, "any decimal whose value is whole"),
        Entry('"7."', 7),
        Entry("7e2", 700),
        Entry('"7E+2"', 700),
        Entry('"700e-2"', 7),
        Entry('"7.5"', BAD),
        Entry('"1e-1"', BAD),
        Entry("9223372036854775807", 2**63 - 1),
        Entry("-9223372036854775808", -(2**63)),
        Entry("9223372036854775808", BAD, "beyond 64 bits"),
        Entry('"1e30"', BAD, "beyond 64 bits"),
        Entry("9007199254740993", 2**53 + 1, "an integer token is exact"),
        Entry("9007199254740993.0", 2**53, "a number with a point or an exponent is a double"),
        Entry('"9007199254740993.0"', 2**53 + 1, "a text is exact"),
        Entry('""', BAD),
        Entry('"-"', BAD),
        Entry('"1,000"', BAD),
        Entry('"1_000"', BAD),
        Entry('"0x1F"', BAD),
        Entry('"\\u0663"', BAD, "ASCII digits only"),
        Entry('"7\\u00a0"', BAD, "no other blanks"),
        Entry("true", BAD),
        Entry("NaN", BAD),
        Entry("Infinity", BAD),
        Entry("[7]", BAD),
        Entry('{"v": 7}', BAD),
        Entry("null", NULL),
    ),
    Type.DOUBLE: (
        Entry("0.28", 0.28),
        Entry('"0.28"', 0.28),
        Entry("28", 28.0),
        Entry('".5"', 0.5),
        Entry('"5."', 5.0),
        Entry('"+.5e1"', 5.0),
        Entry("1e-7", 1e-7),
        Entry('"0.1000000000000000055511151231257827"', 0.1, "the nearest double"),
        Entry("-0.0", 0.0, "minus zero is zero"),
        Entry('"-0"', 0.0),
        Entry("1e-400", 0.0),
        Entry("1e18", 1e18),
        Entry("-1e18", -1e18),
        Entry("1000000000000000128", BAD, "beyond 1e18, where sums would not be exact"),
        Entry("1e400", BAD),
        Entry("NaN", BAD),
        Entry('"nan"', BAD),
        Entry("-Infinity", BAD),
        Entry('"inf"', BAD),
        Entry('""', BAD),
        Entry('"."', BAD),
        Entry('"1.2.3"', BAD),
        Entry('"0,5"', BAD),
        Entry("true", BAD),
        Entry("[0.5]", BAD),
        Entry("null", NULL),
    ),
    Type.BOOLEAN: (
        Entry("true", YES),
        Entry("false", NO),
        Entry('"true"', YES),
        Entry('"FALSE"', NO, "upper and lower case"),
        Entry('" True "', YES),
        Entry("1", YES),
        Entry('"0"', NO),
        Entry("1.0", BAD),
        Entry("2", BAD),
        Entry('"yes"', BAD),
        Entry('"t"', BAD),
        Entry('""', BAD),
        Entry("[]", BAD),
        Entry("null", NULL),
    ),
    Type.TEXT: (
        Entry('"GET"', "GET"),
        Entry('""', "", "an empty text is not null"),
        Entry('" a "', " a "),
        Entry('"null"', "null"),
        Entry('"\\u00e9\\ud83d\\ude00"', "é😀"),
        Entry('"a\\u0000b"', "a\0b", "a NUL is a character"),
        Entry("7", "7"),
        Entry("123456789012345678901", "123456789012345678901", "an integer token stays as it is"),
        Entry("-0", "0"),
        Entry("1.50", "1.5", "a double is written in its shortest form"),
        Entry("1e5", "100000.0"),
        Entry("1e23", "1e+23"),
        Entry("1e400", "1e400", "one that no double can hold stays as it is"),
        Entry("true", "true"),
        Entry('[1, "a", {"b": null}]', '[1,"a",{"b":null}]', "JSON without blanks"),
        Entry('{"b": 1.50, "a": 2}', '{"b":1.5,"a":2}', "in the order in which it was written"),
        Entry("NaN", "NaN"),
        Entry("null", NULL),
    ),
    Type.TIME: (
        Entry("1659509511", "2022-08-03T06:51:51.000000"),
        Entry('"1659509511.865323"', "2022-08-03T06:51:51.865323"),
        Entry('"2022-08-03T06:51:51Z"', "2022-08-03T06:51:51.000000"),
        Entry('"03/Aug/2022:06:51:51 +0000"', "2022-08-03T06:51:51.000000"),
        Entry('""', BAD, "not a time; forms are listed below, `auto` is meant"),
        Entry("true", BAD),
        Entry('{"s": 1}', BAD),
        Entry("null", NULL),
    ),
}
"""By declared type: what a JSON value becomes."""

_AUTO, _EPOCH, _MS = TimeForm.AUTO, TimeForm.EPOCH, TimeForm.EPOCH_MS
_ISO, _DATETIME, _LOCAL = TimeForm.ISO, TimeForm.DATETIME, TimeForm.TIME_LOCAL
_SYSLOG = TimeForm.SYSLOG
_BERLIN = "Europe/Berlin"

TIMES: tuple[TimeEntry, ...] = (
    TimeEntry(_AUTO, "1659509511", "2022-08-03T06:51:51.000000"),
    TimeEntry(_AUTO, "1659509511.865323", "2022-08-03T06:51:51.865323"),
    TimeEntry(_AUTO, "1659509511.8653239", "2022-08-03T06:51:51.865323", "finer digits are cut"),
    TimeEntry(_AUTO, "1.659509511e9", "2022-08-03T06:51:51.000000"),
    TimeEntry(_AUTO, "-0.0000001", "1969-12-31T23:59:59.999999", "cut means floor"),
    TimeEntry(_AUTO, "-1.5", "1969-12-31T23:59:58.500000"),
    TimeEntry(_AUTO, "20220803", "1970-08-23T00:53:23.000000", "a number is seconds"),
    TimeEntry(_AUTO, "1659509511865", WRONG, "milliseconds only by `epoch_ms`"),
    TimeEntry(_AUTO, "253402300799.999999", "9999-12-31T23:59:59.999999"),
    TimeEntry(_AUTO, "253402300800", WRONG, "years 0001 to 9999"),
    TimeEntry(_AUTO, "-62135596800", "0001-01-01T00:00:00.000000"),
    TimeEntry(_AUTO, "-62135596800.1", WRONG),
    TimeEntry(_AUTO, "2022-08-03T06:51:51.865323Z", "2022-08-03T06:51:51.865323"),
    TimeEntry(_AUTO, "2022-08-03 06:51:51", "2022-08-03T06:51:51.000000"),
    TimeEntry(_AUTO, "03/Aug/2022:06:51:51 +0200", "2022-08-03T04:51:51.000000"),
    TimeEntry(_AUTO, "Aug  3 06:51:51", WRONG, "only by `syslog`"),
    TimeEntry(_AUTO, "06:51:51", WRONG),
    TimeEntry(_AUTO, "tomorrow", WRONG),
    TimeEntry(_AUTO, "NaN", WRONG),
    TimeEntry(_EPOCH, " 1659509511 ", "2022-08-03T06:51:51.000000", "blanks around don't count"),
    TimeEntry(_EPOCH, "2022-08-03T06:51:51Z", WRONG),
    TimeEntry(_MS, "1659509511865", "2022-08-03T06:51:51.865000"),
    TimeEntry(_MS, "1659509511865.3239", "2022-08-03T06:51:51.865323"),
    TimeEntry(_MS, "-1", "1969-12-31T23:59:59.999000"),
    TimeEntry(_ISO, "2022-08-03T06:51:51Z", "2022-08-03T06:51:51.000000"),
    TimeEntry(_ISO, "2022-08-03t06:51:51z", "2022-08-03T06:51:51.000000"),
    TimeEntry(_ISO, "2022-08-03T06:51:51,5+02:00", "2022-08-03T04:51:51.500000", "or a comma"),
    TimeEntry(_ISO, "2022-08-03T06:51:51.123456789-0330", "2022-08-03T10:21:51.123456"),
    TimeEntry(_ISO, "2022-08-03 06:51:51 +02", "2022-08-03T04:51:51.000000"),
    TimeEntry(_ISO, "2022-08-03T06:51Z", "2022-08-03T06:51:00.000000"),
    TimeEntry(_ISO, "2022-08-03", "2022-08-03T00:00:00.000000", "midnight"),
    TimeEntry(_ISO, "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000", "a leap second"),
    TimeEntry(_ISO, "2016-12-31T23:59:61Z", WRONG),
    TimeEntry(_ISO, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000"),
    TimeEntry(_ISO, "2022-02-29T00:00:00Z", WRONG),
    TimeEntry(_ISO, "2022-13-01T00:00:00Z", WRONG),
    TimeEntry(_ISO, "2022-08-03T24:00:00Z", WRONG),
    TimeEntry(_ISO, "2022-08-03T06:60:00Z", WRONG),
    TimeEntry(_ISO, "2022-08-03T06:51:51+24:00", WRONG),
    TimeEntry(_ISO, "20220803T065151Z", WRONG, "the extended form only"),
    TimeEntry(_ISO, "2022-8-3T06:51:51Z", WRONG),
    TimeEntry(_ISO, "0001-01-01T00:00:00+01:00", WRONG, "before the year 0001 in UTC"),
    TimeEntry(_ISO, "1659509511", WRONG),
    TimeEntry(_DATETIME, "2022-08-03 06:51:51.8", "2022-08-03T06:51:51.800000"),
    TimeEntry(_DATETIME, "2022-08-03T06:51:51", WRONG),
    TimeEntry(_DATETIME, "2022-08-03 06:51:51Z", WRONG),
    TimeEntry(_LOCAL, "03/Aug/2022:06:51:51 -0330", "2022-08-03T10:21:51.000000"),
    TimeEntry(_LOCAL, "3/Aug/2022:06:51:51 +0000", WRONG),
    TimeEntry(_LOCAL, "03/aug/2022:06:51:51 +0000", WRONG),
    TimeEntry(_LOCAL, "31/Jun/2022:06:51:51 +0000", WRONG),
    TimeEntry(_SYSLOG, "Aug  3 06:51:51", "2022-08-03T06:51:51.000000", "`year: 2022`", year=2022),
    TimeEntry(_SYSLOG, "Aug 13 06:51:51.25", "2022-08-13T06:51:51.250000", year=2022),
    TimeEntry(_SYSLOG, "Feb 29 06:51:51", WRONG, "`year: 2022`", year=2022),
    TimeEntry(
        _DATETIME, "2022-08-03 06:51:51", "2022-08-03T04:51:51.000000", "Berlin", zone=_BERLIN
    ),
    TimeEntry(
        _DATETIME,
        "2022-10-30 02:30:00",
        "2022-10-30T00:30:00.000000",
        "Berlin's repeated hour: the earlier one",
        zone=_BERLIN,
    ),
    TimeEntry(
        _DATETIME,
        "2022-03-27 02:30:00",
        "2022-03-27T01:30:00.000000",
        "Berlin's skipped hour: by the offset before it",
        zone=_BERLIN,
    ),
    TimeEntry(_ISO, "2022-08-03T06:51:51Z", "2022-08-03T06:51:51.000000", "Berlin", zone=_BERLIN),
)
"""By form: what a text becomes as event time."""
