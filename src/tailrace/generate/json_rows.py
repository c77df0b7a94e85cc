"""JSON lines: eight fields, all of them strings, times as epoch seconds with a fraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.generate.draws import even, weighted_table
from tailrace.generate.options import SECOND_US
from tailrace.generate.profiles import SERVERS, Profile
from tailrace.generate.requests import Requests, host_names
from tailrace.generate.rows import (
    ADDRESS,
    STATUSES,
    THREE_DIGITS,
    Change,
    Part,
    Records,
    by_second,
    fill_address,
    request_times,
    texts,
)

if TYPE_CHECKING:
    from numpy.random import Generator


class JsonLayout:
    """``{"server": ..., "client_ip": ..., ..., "@timestamp": "1659509511.865323"}``."""

    hidden_kinds: frozenset[str] = frozenset()
    wrong_values: tuple[Change, ...] = (
        {"status": b"abc"},
        {"request_time": b"NaN"},
        {"seconds": b"", "point": b"", "millis": b"", "micros": b""},
        {"ip1": b"\xff\xfe\x80"},
    )

    def __init__(self, profile: Profile, hosts: int, rng: Generator) -> None:
        self._profile = profile
        self._rng = rng
        self._servers = texts(SERVERS)
        self._methods = texts(profile.methods)
        self._hosts = texts(host_names(hosts))
        self._countries = texts(profile.countries)
        self._country_table = weighted_table(list(profile.countries.values()))
        self._request_times = request_times(profile.request_time_decimals)
        self.template: tuple[Part, ...] = (
            b'{"server":"',
            ("server", self._servers.itemsize),
            b'","client_ip":"',
            *ADDRESS,
            b'","method":"',
            ("method", self._methods.itemsize),
            b'","status":"',
            ("status", 3),
            b'","request_time":"',
            ("request_time", self._request_times.itemsize),
            b'","host":"',
            ("host", self._hosts.itemsize),
            b'","country":"',
            ("country", self._countries.itemsize),
            b'","@timestamp":"',
            ("seconds", 12),
            ("point", 1),
            ("millis", 3),
            ("micros", 3),
            b'"}\n',
        )

    def fill(self, records: Records, requests: Requests) -> None:
        """Write the requests into the records' fields; draws servers and countries."""
        rng, rows = self._rng, len(records)
        country = self._profile.country(rng, requests.client, self._country_table)
        micros = requests.event_us % SECOND_US
        fill_address(records, requests.client)
        records["server"] = self._servers[even(rng, rows, len(self._servers))]
        records["method"] = self._methods[requests.method]
        records["status"] = STATUSES[requests.status]
        records["request_time"] = self._request_times[requests.request_ms]
        records["host"] = self._hosts[requests.host]
        records["country"] = self._countries[country]
        records["seconds"] = by_second(requests.event_us, lambda seconds: seconds.astype("S12"))
        records["point"] = b"."
        records["millis"] = THREE_DIGITS[micros // 1000]
        records["micros"] = THREE_DIGITS[micros % 1000]
