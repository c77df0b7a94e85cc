"""A pipeline as a process of its own, whose outputs are on servers, run while things break.

The same log is read twice, by a run that is disturbed and by one that isn't; what the servers hold
of both must be equal. Early notices are left out: which windows get one is outside the promise.
Nothing becomes idle: however long the writer stands still, both runs decide the same.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.disturbed import EARLY, traffic

from tailrace.config import load
from tailrace.engines.shapes import shapes_of
from tailrace.outputs import OutputContext
from tailrace.outputs.preparing import StepState, prepare_output
from tailrace.plan.compile import compile_pipeline
from tailrace.store.store import Store

RULES = """
name: broken
source: {file: {path: 'LOG', follow: true}}
time: {field: "@timestamp", grace: 2s, idle_after: 1h}
fields: {client_ip: text, host: text, status: integer, request_time: double}
rules:
  - alert: flood
    by: client_ip
    window: 10s every 1s
    when: count(*) > 60
    keep_firing_for: 3s
    to: [alerts]
  - record: latency
    by: host
    window: 2s
    select: {mean: avg(request_time), requests: count(*)}
    to: [windows]
  - {alert: slow, when: request_time > 2, to: [alerts]}
archive: {to: [archive]}
dead_letters: {to: [rejects]}
outbox: {max_bytes: OUTBOX}
store: {path: 'FOLDER/store.duckdb'}
outputs:
"""
OUTPUTS = ("alerts", "windows", "archive", "rejects")

Contents = Mapping[str, object]
"""By output what the server holds of it."""


@dataclass
class Running:
    """One pipeline file with a store of its own; ``outputs`` is YAML below ``outputs:``."""

    folder: Path
    log: Path
    outputs: str
    outbox: str = "1GiB"
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        text = RULES.replace("LOG", str(self.log)).replace("FOLDER", str(self.folder))
        self.pipeline.write_text(text.replace("OUTBOX", self.outbox) + self.outputs)

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def said(self) -> str:
        return (self.folder / "run.log").read_text()

    def prepare(self) -> None:
        """As ``tailrace init`` does."""
        plan = compile_pipeline(load(self.pipeline))
        store = Store.open(self.folder / "store.duckdb", "broken")
        identity = store.identity
        store.close()
        for name, config in plan.config.outputs.items():
            context = OutputContext("broken", identity, shapes_of(plan, name))
            preparation = prepare_output(name, config, context)
            assert preparation is not None
            for step in preparation.inspect():
                if step.state is StepState.MISSING:
                    preparation.create(step)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tailrace.cli.main", "run", str(self.pipeline), *options]
        with (self.folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self.process

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def finish(self) -> None:
        """Read to the end and deliver all, as often as it takes."""
        self.kill()
        for _ in range(3):
            code = self.start("--until-end").wait(timeout=120)
            self.process = None
            if code == 0:
                return
        raise AssertionError(self.said[-3000:])


@contextmanager
def ended(running: Running) -> Iterator[Running]:
    try:
        yield running
    finally:
        running.kill()


def disturbed(
    tmp_path: Path,
    outputs: Callable[[str], str],
    contents: Callable[[str], Contents],
    disturb: Callable[[Running, int], None],
    *,
    seed: int = 1,
    steps: int = 4,
    count: int = 4000,
    outbox: str = "1GiB",
) -> None:
    """Run with a disturbance between pieces of the log and once without, and compare.

    ``outputs`` and ``contents`` take a prefix, which tells the two runs' tables or indices apart.
    ``disturb`` is called while the pipeline works, with the number of the step.
    """
    draw = random.Random(seed)
    log, data = tmp_path / "access.ndjson", traffic(seed, count, EARLY)
    log.write_bytes(b"")
    running = Running(tmp_path / "a", log, outputs("a"), outbox)
    with ended(running):
        running.prepare()
        running.start()
        written = 0
        for step in range(steps):
            upto = len(data) * (step + 1) // steps
            while written < upto:
                piece = data[written : min(upto, written + draw.randint(1, len(data) // 20))]
                with log.open("ab") as sink:
                    sink.write(piece)
                written += len(piece)
                time.sleep(0.05)
            disturb(running, step)
        running.finish()
    undisturbed = Running(tmp_path / "b", log, outputs("b"))
    with ended(undisturbed):
        undisturbed.prepare()
        undisturbed.finish()
    found, expected = contents("a"), contents("b")
    for name in OUTPUTS:
        assert found[name] == expected[name], f"{name} differs; {running.said[-2000:]}"
        assert expected[name], f"{name} is empty"
