"""`make services`: servers for a person to play with, until Ctrl-C. Their data go with them.

Arguments: names of servers; without any, all. An environment variable that names a running one
is respected.
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.servers.installed import Missing
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDB
from tests.servers.opensearch import OpenSearch
from tests.servers.ports import preferred
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import Redis
from tests.servers.server import Server, ServerFailed

KINDS: dict[str, type[Server]] = {
    kind.name: kind for kind in (Kafka, OpenSearch, Redis, PostgreSQL, MariaDB)
}


def main(names: list[str]) -> int:
    """Start servers, print what a shell must know of them, and wait to be interrupted."""
    if unknown := set(names) - set(KINDS):
        print(
            f"no such server: {', '.join(unknown)}; there are {', '.join(KINDS)}", file=sys.stderr
        )
        return 2
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, interrupt)
    servers = [KINDS[name].found() for name in names or KINDS]
    with ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        if not start(servers, stack.callback):
            return 1
        print("# Ctrl-C stops them and deletes their data.", flush=True)
        threading.Event().wait()
    return 0


def start(servers: list[Server], at_end: Callable[[Callable[[], None]], object]) -> int:
    """Start servers side by side and return how many run."""
    for server in servers:
        at_end(server.remove)
        if server.given is None:
            server.choose_port(preferred(server.usual_port))
    with ThreadPoolExecutor() as pool:
        return sum(pool.map(started, servers))


def started(server: Server) -> bool:
    try:
        server.start()
    except (Missing, ServerFailed) as reason:
        print(f"# {server.name}: {reason}", file=sys.stderr, flush=True)
        return False
    print(f"export {server.variable}={server.url}", flush=True)
    return True


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
