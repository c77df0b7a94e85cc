"""Servers that run on Java, made quick to start: tests start them more often than they work them.

The first of a kind that starts in a checkout leaves an archive of the classes that it has loaded
beside its jars. Those after it take less than half the time to start.
"""

import shutil
import subprocess
from pathlib import Path

from tests.servers.installed import JARS, Missing, program
from tests.servers.server import Server


class JavaServer(Server):
    """`heap` is Java's memory ("512m", "1g"); `optimized`: in the long run, for benchmarks."""

    def __init__(
        self, *, given: str | None = None, heap: str = "512m", optimized: bool = False
    ) -> None:
        super().__init__(given=given)
        self.heap = heap
        self.optimized = optimized

    def start(self) -> None:
        super().start()
        if self.given is None and not archive(self.name).exists() and recorder() is not None:
            record(self.pid, archive(self.name))

    def java(self) -> list[str]:
        """Return the command to which the name of a class among its jars is added."""
        if archive(self.name).exists():
            classes = [f"-XX:SharedArchiveFile={archive(self.name)}"]
        elif recorder() is not None:
            classes = ["-XX:+RecordDynamicDumpInfo"]
        else:
            classes = []
        quick = [] if self.optimized else ["-XX:TieredStopAtLevel=1"]
        return [*java(self.name, heap=self.heap), *classes, *quick]


def java(folder: str, *, heap: str) -> list[str]:
    """Return how Java is started with the jars of a server.

    `heap`: at most so much memory for objects, as Java writes it: "512m".
    """
    jars = (JARS / folder).resolve()  # an archive is good for the path that it was made for
    if not jars.is_dir():
        raise Missing(
            f"the jars of {folder} are not in {JARS.parent.name}/{JARS.name} (make servers)"
        )
    runtime = program("java", "openjdk-17-jdk-headless")
    return [runtime, f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", f"{jars}/*"]


def archive(folder: str) -> Path:
    """Where the classes of a server are kept; Java passes over one that doesn't fit it."""
    return JARS / folder / "classes.jsa"


def recorder() -> str | None:
    """Return the program that makes an archive; without it there is none."""
    return shutil.which("jcmd")


def record(pid: int, kept: Path) -> None:
    """Let a server that runs write the archive; should that fail, there is none yet."""
    written = kept.with_suffix(f".{pid}")
    command = [recorder() or "jcmd", str(pid), "VM.cds", "dynamic_dump", str(written)]
    subprocess.run(command, check=False, capture_output=True)
    if written.exists():
        written.replace(kept)
