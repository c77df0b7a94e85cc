"""Requests to the server under test: much ordinary load, and a few attacks by hand."""

import http.client
import socket
import subprocess
from collections.abc import Iterable

from tests.services.nginx.server import Nginx, program

HOSTILE = (
    b'GET /"><script> HTTP/1.0\r\nHost: api_1.example.com\r\nUser-Agent: \x1b[2J\\" \xff\r\n\r\n',
    b"GET /caf\xe9 HTTP/1.0\r\nHost: api_1.example.com\r\n\r\n",
    b"GET /caf\xc3\xa9 HTTP/1.0\r\nHost: api_1.example.com\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET /%00/..%2f HTTP/1.0\r\n\r\n",
    b"NONSENSE\r\n\r\n",
)
"""What scanners send: quotes, control characters, bytes that are no UTF-8, no HTTP at all."""


def wrk(nginx: Nginx, seconds: int, path: str = "/") -> subprocess.Popen[bytes]:
    """Begin `seconds` of requests on two connections, as many as there is time for."""
    command = [program("wrk"), "-t1", "-c2", f"-d{seconds}s", f"{nginx.url}{path}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def requests(
    nginx: Nginx,
    targets: Iterable[str],
    *,
    method: str = "GET",
    host: str = "api_1.example.com",
    source: str = "127.0.0.1",
    forwarded_for: str | None = None,
) -> None:
    """Ask for one thing after the other on one connection from the local address `source`."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", nginx.port, timeout=10, source_address=(source, 0)
    )
    headers = {"Host": host, "User-Agent": "by hand"}
    if forwarded_for is not None:
        headers["X-Forwarded-For"] = forwarded_for
    try:
        for target in targets:
            connection.request(method, target, headers=headers)
            connection.getresponse().read()
    finally:
        connection.close()


def raw(nginx: Nginx, data: bytes) -> None:
    """Send bytes as they are, and wait for the answer's end."""
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=10) as connection:
        connection.sendall(data)
        while connection.recv(65536):
            pass
