"""What the servers of the tests are started from, and where."""

import socket
from pathlib import Path

import pytest
from tests.servers import installed, java
from tests.servers.installed import Missing, program
from tests.servers.ports import free_port, is_free, preferred


def test_a_missing_program_is_told_with_its_package() -> None:
    with pytest.raises(Missing, match=r"no-such-server is not installed \(make servers, or apt"):
        program("no-such-server", "its-package")


def test_missing_jars_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "JARS", installed.ROOT / ".cache/no-such-folder")
    with pytest.raises(Missing, match=r"the jars of kafka are not in .cache/no-such-folder"):
        java.java("kafka", heap="512m")


def test_ports_are_free_and_not_those_of_outgoing_connections() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)
    assert all(is_free(port) for port in ports)
    first, _last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    if int(first) >= 32_000:  # as Linux has it, unless somebody changed it
        assert max(ports) < int(first)


def test_a_preferred_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert preferred(port) != port
    free = free_port()
    assert preferred(free) == free
