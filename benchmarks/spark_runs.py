"""What benchmarks with Spark share: input in two parts, processor time of Java and workers, a run.

A measurement on Spark has a process of its own, so that none finds Java warm from the one before.
It reads a small part of the input first (the warm-up, reported apart); when that is done, the rest
is put beside it, and the time runs until all of it is. Scripts say what they found as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measuring import CORES, START_US, Stopwatch, Timing, file_of, working_folder

from tailrace.generate.nginx import NginxTraffic

sys.path.append(str(Path(__file__).parents[1]))

from tests.servers.process import descendants

HERE = Path(__file__).parent
MASTER = f"local[{CORES}]"
WARM_UP_ROWS = 50_000
HEAP = "3g"


@dataclass(frozen=True, slots=True)
class Done:
    """What a script measured: seconds of the warm-up, the timing of the rest, and its parts."""

    warm_up_seconds: float
    seconds: float
    cpu_seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def timing(self) -> Timing:
        """Without the warm-up."""
        return Timing(self.seconds, self.cpu_seconds)

    def tell(self) -> None:
        """Print it for the process that started this one."""
        print(json.dumps(asdict(self)))


class TreeWatch:
    """As ``Stopwatch``, with the processor time of all processes that this one has started."""

    def __init__(self) -> None:
        self._watch, self._cpu = Stopwatch(), _tree_cpu()

    def stop(self) -> Timing:
        """What has gone by."""
        return Timing(self._watch.stop().seconds, _tree_cpu() - self._cpu)


def _tree_cpu() -> float:
    """Seconds of this process and those below it, also of those that have ended."""
    ticks = 0
    for pid in (os.getpid(), *descendants(os.getpid())):
        try:
            told = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        # User and system time, its own and that of children it has waited for.
        ticks += sum(int(part) for part in told.rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Input:
    """Two files: the warm-up, and what is measured."""

    first: Path
    rest: Path

    def lay(self, folder: Path) -> None:
        """Put the first into a folder."""
        folder.mkdir()
        os.link(self.first, folder / "a.log")

    def lay_rest(self, folder: Path) -> None:
        """Put the rest beside it, at once."""
        os.link(self.rest, folder / "b.log")


def two_parts(rows: int, clients: int = 256) -> Input:
    """The log of the other benchmarks, the warm-up's before it in event time."""
    first = traffic(WARM_UP_ROWS, clients, early=True)
    return Input(file_of(first), file_of(traffic(rows, clients)))


def traffic(rows: int, clients: int = 256, *, early: bool = False) -> NginxTraffic:
    """So many JSON lines of so many clients, 10,000 a second of event time."""
    start = START_US - WARM_UP_ROWS * 100 if early else START_US
    return NginxTraffic(
        count=rows, profile="seed", rate=10_000.0, seed=1, start_us=start, clients=clients
    )


def measured(script: str, *arguments: str, heap: str = HEAP) -> Done:
    """Run a script of this folder, with so much memory for Java."""
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": f"--driver-memory {heap} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
    }
    with working_folder() as work:
        done = subprocess.run(
            [sys.executable, str(HERE / script), *arguments],
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{script} failed:\n{done.stderr[-4000:]}")
    return Done(**json.loads(done.stdout.strip().splitlines()[-1]))


def on_spark(text: str, source: Input) -> Done:
    """Run a pipeline that follows the folder `input`."""
    with working_folder() as folder:
        path = folder / "pipeline.yaml"
        path.write_text(text)
        return measured("tailrace_on_spark.py", str(path), *arguments_of(source))


FOLLOWED = "{folder: {path: input, follow: true}}"
"""The source of such a pipeline."""


def arguments_of(source: Input) -> Sequence[str]:
    """The input as arguments of a script."""
    return str(source.first), str(source.rest)
