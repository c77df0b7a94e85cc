"""A real nginx of the test's own: own port, own folder, logs in three formats."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

JSON_FORMAT = (
    '{"@timestamp":"$msec","client_ip":"$remote_addr","host":"$host","status":"$status",'
    '"bytes":"$body_bytes_sent","request_time":"$request_time","request":"$request",'
    '"agent":"$http_user_agent"}'
)
OWN_FORMAT = (
    '$remote_addr@$host [$time_iso8601] "$request" $status '
    '${body_bytes_sent}b in ${request_time}s by "$http_user_agent"'
)
CONFIG = """
daemon off;
{user}
worker_processes 2;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 256; }}
http {{
    log_format as_json escape=json '{json_format}';
    log_format own '{own_format}';
    access_log json.log as_json;
    access_log own.log own;
    access_log combined.log;
    client_body_temp_path temp_body;
    proxy_temp_path temp_proxy;
    fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi;
    scgi_temp_path temp_scgi;
    keepalive_requests 100000;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    server {{
        listen 127.0.0.1:{port};
        location = / {{ return 200 "{body}"; }}
        location /api/ {{ return 204; }}
        location /broken/ {{ return 500; }}
        location /busy/ {{ return 503 "later"; }}
        location = /login {{ return 401; }}
        location / {{ return 404; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running server; `folder` has its logs."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def rotate(self, *names: str) -> None:
        """Rename each log, and those renamed before, as logrotate does; then have them reopened."""
        for name in names:
            for old in sorted(rotated(self.log(name)), key=age, reverse=True):
                old.rename(old.with_suffix(f".{age(old) + 1}"))
            self.log(name).rename(f"{self.log(name)}.1")
        self.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: all(self.log(name).exists() for name in names), 60, "new logs")

    def copy_and_truncate(self, name: str) -> None:
        """Rotate as logrotate's `copytruncate` does; nothing may be written meanwhile."""
        shutil.copy2(self.log(name), f"{self.log(name)}.1")
        os.truncate(self.log(name), 0)

    def lines(self, name: str) -> list[bytes]:
        """All that was ever logged, rotated files first."""
        old = sorted(rotated(self.log(name)), key=age, reverse=True)
        return [
            line for path in [*old, self.log(name)] for line in path.read_bytes().split(b"\n")[:-1]
        ]


def rotated(path: Path) -> list[Path]:
    return [other for other in path.parent.glob(f"{path.name}.*") if other.suffix[1:].isdigit()]


def age(path: Path) -> int:
    return int(path.suffix[1:])


def program(name: str) -> str:
    """Where a program of Debian's is; skips the test if it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {name})")
    return found


@contextmanager
def running(folder: Path, body_bytes: int = 900) -> Iterator[Nginx]:
    """Start nginx in a folder, as the current user; stop it by its own process at the end."""
    binary = program("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = CONFIG.format(
        user="user root;" if os.geteuid() == 0 else "",
        port=port,
        body="x" * body_bytes,
        json_format=JSON_FORMAT,
        own_format=OWN_FORMAT,
    )
    config = folder / "nginx.conf"
    config.write_text(text)
    with subprocess.Popen(
        [binary, "-p", f"{folder}/", "-c", str(config), "-e", str(folder / "error.log")],
        stdin=subprocess.DEVNULL,
    ) as process:
        nginx = Nginx(process, folder, port)
        try:
            wait_until(lambda: answers(nginx), 60, "nginx to answer")
            yield nginx
        finally:
            stop(nginx)


def answers(nginx: Nginx) -> bool:
    """Whether the server takes connections; without a request, so that nothing is logged."""
    if nginx.process.poll() is not None:
        errors = (nginx.folder / "error.log").read_text()
        raise AssertionError(f"nginx ended with {nginx.process.returncode}: {errors}")
    try:
        socket.create_connection(("127.0.0.1", nginx.port), timeout=1).close()
    except OSError:
        return False
    return True


def stop(nginx: Nginx) -> None:
    """Let nginx finish what it serves and write it down."""
    if nginx.process.poll() is None:
        nginx.process.send_signal(signal.SIGQUIT)
        try:
            nginx.process.wait(10)
        except subprocess.TimeoutExpired:
            nginx.process.kill()
            nginx.process.wait(10)


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that takes as long as the machine needs; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
