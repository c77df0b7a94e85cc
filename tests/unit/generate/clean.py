"""What a clean line is, written from the formats' own definitions and strict."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

JSON_FIELDS = {
    "server": r"s_v(\d|10)",
    "client_ip": r"\d{1,3}(\.\d{1,3}){3}",
    "method": r"[A-Z]+",
    "status": r"[1-5]\d\d",
    "request_time": r"\d+\.\d{2,3}",
    "host": r"api_\d+\.example\.com",
    "country": r"[A-Z]{2}",
    "@timestamp": r"\d+\.\d{6}",
}

# log_format combined '$remote_addr - $remote_user [$time_local] '
#                     '"$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
COMBINED = re.compile(
    r"(?P<client_ip>\d{1,3}(?:\.\d{1,3}){3}) - (?P<user>\S+) "
    r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<method>[A-Z]+) (?P<path>/\S*) HTTP/1\.1" (?P<status>\d{3}) (?P<bytes>\d+) '
    r'"(?P<referer>[^"]*)" "(?P<agent>[^"]+)"'
)

Row = dict[str, str]


def json_row(line: bytes) -> Row | None:
    """The line's fields, None if anything about it is wrong."""
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    if not isinstance(row, dict) or list(row) != list(JSON_FIELDS):
        return None
    matches = (
        isinstance(row[name], str) and re.fullmatch(form, row[name], re.ASCII)
        for name, form in JSON_FIELDS.items()
    )
    return row if all(matches) else None


def combined_row(line: bytes) -> Row | None:
    """The line's fields, None if anything about it is wrong."""
    try:
        match = COMBINED.fullmatch(line.decode("utf-8"))
    except ValueError:
        return None
    return match.groupdict() if match else None


READERS = {"json": json_row, "combined": combined_row}


def lines_of(chunks: Iterable[bytes]) -> list[bytes]:
    """The lines without their ends; every chunk ends with one."""
    text = b"".join(chunks)
    assert text.endswith(b"\n")
    return text[:-1].split(b"\n")


def rows_of(chunks: Iterable[bytes], form: str = "json") -> list[Row]:
    """The fields of lines that are all clean."""
    rows = [READERS[form](line) for line in lines_of(chunks)]
    clean = [row for row in rows if row]
    assert len(clean) == len(rows)
    return clean


def time_us(row: Row) -> int:
    """Event time of a JSON row."""
    return int(row["@timestamp"].replace(".", ""))
