"""nginx's ``combined`` log format: what its access log holds unless it is told otherwise.

A line carries neither host nor request time; the host shows in the referer of some requests.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.draws import settled, weighted_table
from tailrace.generate.profiles import Profile
from tailrace.generate.requests import ORDINARY, PATHS, Requests, host_names
from tailrace.generate.rows import (
    ADDRESS,
    STATUSES,
    Change,
    Part,
    Records,
    Texts,
    by_second,
    fill_address,
    texts,
)

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36": 40,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
    "like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": 25,
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": 15,
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": 8,
    "okhttp/4.12.0": 7,
    "curl/8.8.0": 3,
    "python-requests/2.32.3": 2,
}
SCANNER_AGENT = "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)"
PROBED = ("/wp-admin/", "/.git/", "/backup/", "/phpmyadmin/", "/cgi-bin/", "/admin/", "/old/")

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_EMPTY_BODIES = (204, 304)


class CombinedLayout:
    """``154.85.126.16 - - [03/Aug/2022:06:51:51 +0000] "GET / HTTP/1.1" 200 612 "-" "..."``."""

    hidden_kinds: frozenset[str] = frozenset({"slow-host"})
    wrong_values: tuple[Change, ...] = (
        {"status": b"abc"},
        {"bytes": b"NaN"},
        {"time": b""},
        {"path": b"/\xff\xfe", "probe": b""},
    )

    def __init__(self, profile: Profile, hosts: int, rng: Generator) -> None:
        self._rng = rng
        self._methods = texts(profile.methods)
        self._referers = texts([*(f"https://{name}/" for name in host_names(hosts)), "-"])
        self._agents = texts([*AGENTS, SCANNER_AGENT])
        self._agent_table = weighted_table(list(AGENTS.values()))
        self._paths = texts(PATHS)
        self._probed = texts(PROBED)
        self._sizes = texts(np.exp(rng.normal(7.5, 1.3, 4096)).astype(np.int64).clip(1, 99_999_999))
        self.template: tuple[Part, ...] = (
            *ADDRESS,
            b" - - [",
            ("time", 26),
            b'] "',
            ("method", self._methods.itemsize),
            b" ",
            ("path", max(self._paths.itemsize, self._probed.itemsize)),
            ("probe", 12),
            b' HTTP/1.1" ',
            ("status", 3),
            b" ",
            ("bytes", 8),
            b' "',
            ("referer", self._referers.itemsize),
            b'" "',
            ("agent", self._agents.itemsize),
            b'"\n',
        )

    def fill(self, records: Records, requests: Requests) -> None:
        """Write the requests into the records' fields; draws body sizes and referers."""
        rng, rows = self._rng, len(records)
        bodies = self._sizes[rng.integers(0, len(self._sizes), rows)]
        bodies[np.isin(requests.status, _EMPTY_BODIES)] = b"0"
        referred = rng.random(rows, dtype=np.float32) < 0.7
        agent = settled(rng, requests.client, self._agent_table)
        agent[requests.probe != ORDINARY] = len(self._agents) - 1
        fill_address(records, requests.client)
        records["time"] = by_second(requests.event_us, _time_local)
        records["method"] = self._methods[requests.method]
        records["status"] = STATUSES[requests.status]
        records["bytes"] = bodies
        records["referer"] = self._referers[np.where(referred, requests.host, -1)]
        records["agent"] = self._agents[agent]
        self._fill_path(records, requests)

    def _fill_path(self, records: Records, requests: Requests) -> None:
        records["path"] = self._paths[requests.path]
        records["probe"] = b""
        scanned = np.flatnonzero(requests.probe != ORDINARY)
        if len(scanned):
            probe = requests.probe[scanned]
            records["path"][scanned] = self._probed[probe % len(PROBED)]
            records["probe"][scanned] = (probe // len(PROBED)).astype("S12")


def _time_local(seconds: NDArray[np.int64]) -> Texts:
    times = (datetime.fromtimestamp(second, UTC) for second in seconds.tolist())
    return texts(
        f"{time.day:02d}/{_MONTHS[time.month - 1]}/{time.year:04d}:{time:%H:%M:%S} +0000"
        for time in times
    )
