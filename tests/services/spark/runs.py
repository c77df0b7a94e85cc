"""A pipeline run by one engine or the other, in a process and a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from tests.disturbed import plain
from tests.servers.spark import apart, connector, environment, quick

from tailrace.generate.attacks import parse_attack
from tailrace.generate.nginx import NginxTraffic
from tailrace.store.dump import dump
from tailrace.store.store import Store

SECONDS = 400.0
"""For whatever a test waits for: a run of Spark starts in 10 s on a machine with nothing to do."""

LARGE = 256 << 20
"""Outputs of so many bytes are compared by their digests: sorting them takes memory."""

MOODS = ("broker_down", "broker_back")
"""Notes of a broker that has much to do."""

TROUBLES = ("group_unusable", "kafka_error")
"""Notes of a broker that somebody disturbs, which no test does whose stores are compared."""

OWN = (["state", "batch"], ["state", "checkpoint"])

OUTPUTS = ("incidents", "rows", "slow", "events", "rejects")

GOALS = """
rules:
  - alert: goal1
    by: client_ip
    window: 20s every 1s
    when: count(*) > 10
    keep_firing_for: 3s
    to: [incidents]
  - alert: goal2
    by: host
    window: 30s every 1s
    where: status between 400 and 499
    when: count(*) > 15
    to: [incidents]
  - record: goal3
    by: country
    window: 1m
    where: status between 200 and 299
    select: {count: count(*)}
    to: [rows]
  - record: goal4
    by: host
    window: 1m
    select: {"avg(request_time)": avg(request_time)}
    to: [rows]
  - {alert: slow, when: request_time > 2, to: [slow]}
"""
"""Those of examples/nginx, and an alert for single events."""

REST = """
name: nginx
time: {field: "@timestamp", grace: 5s, idle_after: 1h}
fields:
  client_ip: text
  status: integer
  request_time: double
  host: text
  country: text
archive: {to: [events]}
dead_letters: {to: [rejects]}
outputs:
  incidents: {file: {path: incidents.ndjson}}
  rows: {file: {path: rows.ndjson}, rows: windows}
  slow: {file: {path: slow.ndjson}}
  events: {file: {path: events.ndjson}}
  rejects: {file: {path: rejects.ndjson}}
store: {path: store.duckdb}
"""
"""Nothing becomes idle: when something does depends on a clock."""


@dataclass
class Run:
    """``tailrace run`` in ``folder``; ``options`` choose the engine."""

    folder: Path
    source: str
    options: tuple[str, ...] = ()
    rules: str = GOALS
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._own.mkdir(parents=True, exist_ok=True)
        self.write(self.rules)

    @property
    def _own(self) -> Path:
        return self.folder / "temporary"

    def write(self, rules: str) -> None:
        """Make the pipeline file one with these rules."""
        (self.folder / "pipeline.yaml").write_text(f"source: {self.source}\n{REST}{rules}")

    def init(self) -> None:
        """Make what the pipeline's outputs need."""
        program = [sys.executable, "-m", "tailrace.cli.main", "init", "pipeline.yaml"]
        subprocess.run(program, cwd=self.folder, check=True, env=environment())

    def start(self, *options: str) -> None:
        program = (sys.executable, "-m", "tailrace.cli.main", "run", "pipeline.yaml")
        with (self.folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*program, *self.options, *options],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=environment() | apart(self._own),
                start_new_session=True,
            )

    def ended(self) -> int:
        assert self.process is not None
        return self.process.wait(SECONDS)

    def finish(self, *options: str) -> None:
        """Run to the end of the input."""
        self.start("--until-end", *options)
        assert self.ended() == 0, self.said

    def kill(self) -> None:
        """kill -9 for the driver's Python; Spark's Java notices by itself."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, code: int = 0) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.ended() == code, self.said

    def end(self) -> None:
        """Leave nothing behind, however the test went."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for it while the process runs."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.process is not None
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def wait(self, seconds: float) -> None:
        """Let it run so long, or until it ends."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    @property
    def said(self) -> str:
        return (self.folder / "run.log").read_text(errors="replace")[-4000:]

    def lines(self, name: str) -> int:
        """How many lines an output has so far."""
        path = self.folder / f"{name}.ndjson"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    @property
    def checkpoint(self) -> Path:
        return self.folder / "store.duckdb.checkpoint"

    def batches(self, kind: str) -> list[int]:
        """The numbers of Spark's batches that are planned (``offsets``) or done (``commits``)."""
        folder = self.checkpoint / kind
        names = os.listdir(folder) if folder.exists() else []  # noqa: PTH208 - names only
        return sorted(int(name) for name in names if name.isdigit())

    def forget(self, kind: str, batch: int) -> None:
        """Remove what ``batches`` names, with its checksum, once nobody writes it any more."""
        assert self.process is not None
        deadline = time.monotonic() + 60
        with suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(self.process.pid, 0)  # Java ends some time after its Python
                time.sleep(0.05)
        for name in (str(batch), f".{batch}.crc"):
            (self.checkpoint / kind / name).unlink(missing_ok=True)

    def contents(self) -> dict[str, list[str]]:
        """All that two runs must agree on, sorted."""
        found = {name: self._output(name) for name in OUTPUTS}
        found["store"] = stored(self.folder / "store.duckdb", "nginx")
        return found

    def _output(self, name: str) -> list[str]:
        path = self.folder / f"{name}.ndjson"
        if not path.exists():
            return []
        if path.stat().st_size > LARGE:
            return digest(path)
        return sorted(filter(None, map(plain, path.read_text().splitlines())))


def stored(path: Path, pipeline: str) -> list[str]:
    """The contents of a store without what is one engine's own, or what a broker was like."""
    store = Store.open(path, pipeline)
    try:
        lines = [json.loads(line) for line in dump(store)]
    finally:
        store.close()
    for line in lines:
        if line[:2] == ["state", "counts"]:
            told = [code for code in TROUBLES if code in line[2]["notes"]]
            assert not told, f"{path}: {told}"
            line[2]["notes"] = {k: n for k, n in line[2]["notes"].items() if k not in MOODS}
    return sorted(json.dumps(line) for line in lines if line[:2] not in OWN)


def digest(path: Path) -> list[str]:
    """What stands for the rows of a file in any order: their number, and a sum of their hashes."""
    count, total = 0, 0
    with path.open() as file:
        for line in file:
            text = plain(line)
            if text:
                count += 1
                total += int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
    return [f"{count} rows", f"{total:x}"]


def on_spark(master: str, conf: Mapping[str, str] | None = None, **keys: object) -> tuple[str, ...]:
    """Options for Spark with little memory; ``keys`` of ``spark`` in the pipeline file."""
    settings = {
        "spark.driver.memory": "512m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": quick(),
        "spark.executor.extraJavaOptions": quick(),
        "spark.executor.memory": "512m",
        "spark.executor.cores": "1",
        # Once is enough to see that a task is tried again; four cost time when all is wrong.
        "spark.task.maxFailures": "2",
        **(conf or {}),
    }
    given = {**keys, "conf": settings}
    sets = [
        text
        for name, value in given.items()
        for text in ("--set", f"spark.{name}={json.dumps(value)}")
    ]
    return ("--engine", "spark", "--master", master, *sets)


def with_kafka(master: str, **keys: object) -> tuple[str, ...]:
    """``on_spark`` with the connector."""
    return on_spark(master, None, jars=connector(), **keys)


def traffic(seed: int, count: int, *, rate: float = 300.0) -> list[bytes]:
    """Lines with attacks, and a share of late, repeated and malformed ones."""
    return [line for piece in pieces(seed, count, rate=rate) for line in piece]


def pieces(seed: int, count: int, *, rate: float) -> Iterator[list[bytes]]:
    """The same, some hundred thousand at a time."""
    made = NginxTraffic(
        seed=seed,
        rate=rate,
        count=count,
        start_us=1_767_225_600_000_000,
        clients=400,
        hosts=20,
        attacks=(parse_attack("flood@3s+8s:rate=0.5"), parse_attack("slow-host@8s+5s")),
        late=0.03,
        duplicates=0.03,
        malformed=0.02,
    )
    piece: list[bytes] = []
    for chunk in made.chunks():
        piece += chunk.splitlines(keepends=True)
        if len(piece) >= 400_000:
            yield piece
            piece = []
    yield piece


def agree(found: Mapping[str, list[str]], wanted: Mapping[str, list[str]], said: str) -> None:
    """Assert that two runs have the same contents, and that there are some."""
    for name, lines in wanted.items():
        assert lines, f"{name} is empty"
        both = set(found[name]) ^ set(lines)
        assert found[name] == lines, f"{name} differs: {sorted(both)[:6]}; {said}"
