"""A standalone Spark cluster: a master, and workers in processes of their own."""

import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.installed import JARS, Missing, program
from tests.servers.ports import free_port
from tests.servers.process import descendants
from tests.servers.server import Server, ServerFailed

from tailrace.engines.spark.unpacked import PARTS

EXECUTOR = "CoarseGrainedExecutorBackend"

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java's: tests start it more often than they work it."""


def home() -> Path:
    """Where the `pyspark` package is; `Missing` without it or without Java."""
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise Missing("pyspark is not installed (pip install 'tailrace[spark]')")
    program("java", "openjdk-17-jdk-headless")
    return Path(found.origin).parent


def shared_home() -> Path:
    """Spark's home for all that tests start of it, on a path that its archive is good for.

    As a run makes it for itself, it has no archive of Python's modules.
    """
    source, shared = home(), (JARS / "spark").resolve()
    shared.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        with suppress(FileExistsError):
            (shared / part).symlink_to(source / part)
    return shared


def classes() -> Path:
    """Where the classes are kept that a driver loads (`tests.services.spark.classes`)."""
    return JARS.resolve() / "spark" / "classes.jsa"


def quick() -> str:
    """Options for Java as tests start it; it passes over an archive that doesn't fit it."""
    return f"{QUICK} -XX:SharedArchiveFile={classes()}" if classes().exists() else QUICK


def connector() -> list[str]:
    """The jars with which Spark reads Kafka."""
    jars = sorted(str(path) for path in (JARS / "spark-kafka").glob("*.jar"))
    if not jars:
        raise Missing("the jars of spark-kafka are not in .cache/servers (make servers)")
    return jars


class Daemon(Server):
    """A master or a worker: a class of Spark's, and a page that answers in JSON."""

    main: ClassVar[str]
    usual_port: ClassVar[int] = 0

    def __init__(self, *, given: str | None = None, heap: str = "256m") -> None:
        super().__init__(given=given)
        self.heap = heap
        self._page_port = 0

    @property
    def own_url(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        home()
        self._page_port = free_port()

    def arguments(self) -> list[str]:
        return []

    def command(self) -> list[str]:
        settings = {
            "SPARK_HOME": str(shared_home()),
            "SPARK_DAEMON_MEMORY": self.heap,
            "SPARK_DAEMON_JAVA_OPTS": QUICK,
            "SPARK_LOCAL_IP": "127.0.0.1",
            **apart(self.folder),
        }
        return [
            *("env", *(f"{name}={value}" for name, value in settings.items())),
            *(str(home() / "bin/spark-class"), f"org.apache.spark.deploy.{self.main}"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *("--webui-port", str(self._page_port), *self.arguments()),
        ]

    def page(self) -> dict[str, Any] | None:
        """What it says of itself; None if nobody answers."""
        asked = http.client.HTTPConnection("127.0.0.1", self._page_port, timeout=2)
        try:
            asked.request("GET", "/json/")
            answer = asked.getresponse()
            found: dict[str, Any] = json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            asked.close()
        return found

    def answers(self) -> bool:
        return self.page() is not None


class Worker(Daemon):
    """Runs executors of a master, on one core."""

    name: ClassVar[str] = "spark-worker"
    variable: ClassVar[str] = "TAILRACE_SPARK_WORKER"
    main: ClassVar[str] = "worker.Worker"

    def __init__(self, master: str, *, memory: str) -> None:
        super().__init__()
        self._master = master
        self._memory = memory

    def arguments(self) -> list[str]:
        options = {"cores": "1", "memory": self._memory, "work-dir": str(self.folder / "work")}
        written = [text for name, value in options.items() for text in (f"--{name}", value)]
        return [*written, self._master]

    def executors(self) -> list[int]:
        """The ids of its executors' processes."""
        found = []
        for pid in descendants(self.pid):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if EXECUTOR.encode() in command and b"java" in command.split(b"\0")[0]:
                found.append(pid)
        return found


class Spark(Daemon):
    """The cluster; as a server it is its master. `memory`: of each worker, for its executors.

    `url` is what `--master` takes.
    """

    name: ClassVar[str] = "spark"
    variable: ClassVar[str] = "TAILRACE_SPARK"
    usual_port: ClassVar[int] = 7077
    main: ClassVar[str] = "master.Master"

    def __init__(self, *, given: str | None = None, workers: int = 2, memory: str = "1g") -> None:
        super().__init__(given=given)
        self._count = workers
        self._memory = memory
        self.workers: list[Worker] = []

    @property
    def alive(self) -> bool:
        return super().alive and all(worker.alive for worker in self.workers)

    def start(self) -> None:
        """Start what doesn't run of it; returns when all workers are known to the master."""
        if self.given is not None:
            return
        if not super().alive:
            super().start()
        while len(self.workers) < self._count:
            self.workers.append(Worker(self.own_url, memory=self._memory))
        down = [worker for worker in self.workers if not worker.alive]
        with ThreadPoolExecutor(self._count) as pool:
            list(pool.map(Worker.start, down))
        deadline = time.monotonic() + self.START_SECONDS
        while (self.page() or {}).get("aliveworkers", 0) < self._count:
            if time.monotonic() > deadline:
                raise ServerFailed(f"the workers don't find {self.url}; {self.last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.stop()
        if super().alive:
            super().stop()

    def resume(self) -> None:
        super().resume()
        for worker in self.workers:
            worker.resume()

    def remove(self) -> None:
        for worker in self.workers:
            worker.remove()
        self.workers.clear()
        super().remove()

    def keep_log(self, label: str) -> Path | None:
        """The master's log, and beside it those of the workers and their executors."""
        kept = super().keep_log(label)
        for number, worker in enumerate(self.workers):
            worker.keep_log(f"{label}-{number}")
            if kept is not None and worker.alive:
                for log in sorted((worker.folder / "work").glob("*/*/std*")):
                    place = "-".join([str(number), *log.parts[-3:]])
                    kept.with_name(f"{kept.stem}-{place}.txt").write_bytes(log.read_bytes())
        return kept

    def executors(self) -> list[int]:
        """The ids of all executors' processes."""
        return [pid for worker in self.workers if worker.alive for pid in worker.executors()]


def apart(folder: Path) -> dict[str, str]:
    """Environment with which Java and Spark leave what a kill keeps them from removing there."""
    return {
        "TMPDIR": str(folder),
        "SPARK_LOCAL_DIRS": str(folder),
        "JDK_JAVA_OPTIONS": f"-Djava.io.tmpdir={folder}",
    }


def environment() -> dict[str, str]:
    """What a driver is started with so that this machine alone is involved."""
    with suppress(Missing):
        return {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(shared_home())}
    return dict(os.environ)
