"""`make demo-nginx`: examples/nginx/kafka.yaml on servers of its own, with one command.

Starts Kafka and OpenSearch, makes topics and index, runs the pipeline and then the generator, and
prints what arrives in the goals' topics, until Ctrl-C or for DEMO_SECONDS seconds.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.servers.__main__ import interrupt, start
from tests.servers.installed import ROOT
from tests.servers.kafka import Kafka
from tests.servers.opensearch import OpenSearch

PIPELINE = ROOT / "examples/nginx/kafka.yaml"
TAILRACE = Path(sys.executable).parent / "tailrace"
INDEX = "test-inter"


def main() -> int:
    """Run the demonstration; its servers and files are gone afterwards."""
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, interrupt)
    seconds = float(os.environ.get("DEMO_SECONDS") or "inf")
    with ExitStack() as stack:
        kafka, opensearch = Kafka.found(), OpenSearch.found()
        if start([kafka, opensearch], stack.callback) < 2:
            return 1
        os.environ.update({kafka.variable: kafka.address, opensearch.variable: opensearch.url})
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tailrace-demo-"))
        if subprocess.run([TAILRACE, "init", PIPELINE], check=False).returncode != 0:
            return 1
        topic = f"kafka://{kafka.address}/test-inter"
        programs = [
            running(stack, "run", str(PIPELINE), "--set", f"store.path={folder}/store.duckdb"),
            running(
                stack, "generate", "nginx", "--profile", "seed", "--rate", "100", "--to", topic
            ),
            running(stack, "consume", "^goal[1-4]-topic", "--brokers", kafka.address),
        ]
        ended = watch(programs, seconds)
        count = opensearch.client.count(index=INDEX)["count"]
        print(f"# {count} documents in the index {INDEX}", flush=True)
    return ended


def running(stack: ExitStack, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a verb of Tailrace; it is stopped at the end, after those started later."""
    # Away from the terminal's Ctrl-C, so that they end in this order.
    program = subprocess.Popen([TAILRACE, *arguments], start_new_session=True)
    stack.callback(stopped, program)
    return program


def stopped(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(20)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def watch(programs: list[subprocess.Popen[bytes]], seconds: float) -> int:
    """Wait for the time to be over, or Ctrl-C: 0; or for a program to fail: 1."""
    until = time.monotonic() + seconds
    with suppress(KeyboardInterrupt):
        while time.monotonic() < until:
            if any(program.poll() is not None for program in programs):
                return 1
            time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
