"""Free ports that stay free while their server is down."""

import os
import random
import socket

RANGE = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections.

A client that keeps trying to reach a server that is down could otherwise be given the server's
port, even connect to itself, and the server could not come back.
"""
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
COUNT = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
OWN = RANGE[NUMBER % COUNT :: COUNT]
"""Those of this process: tests that run beside these don't take a port whose server is down."""
_given: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses, another one at each call."""
    for port in random.SystemRandom().sample(OWN, len(OWN)):
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError("no free port")


def preferred(port: int) -> int:
    """Return a port if it is free, else another one."""
    return port if is_free(port) else free_port()


def is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
