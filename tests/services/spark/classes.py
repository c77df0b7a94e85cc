"""Leaves an archive of the classes that a run on Spark loads, for the runs of all tests.

`make servers` runs it, once; Java starts in two thirds of the time with it.
"""

import sys
from pathlib import Path
from subprocess import SubprocessError
from tempfile import TemporaryDirectory

from tests.servers.installed import Missing
from tests.servers.java import record, recorder
from tests.servers.process import descendants
from tests.servers.spark import QUICK, classes, shared_home
from tests.services.spark.runs import Run, on_spark, traffic


def keep(archive: Path) -> None:
    """Run a while, and let Java write the archive."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "access.ndjson")
        log.write_bytes(b"".join(traffic(1, 500, rate=20.0)))
        source = f"{{file: {{path: '{log}', follow: true}}}}"
        recorded = {"spark.driver.extraJavaOptions": f"{QUICK} -XX:+RecordDynamicDumpInfo"}
        run = Run(Path(folder, "run"), source, on_spark("local[2]", recorded, shards=2))
        try:
            run.start()
            run.until(lambda: run.batches("commits"))
            assert run.process is not None
            for pid in descendants(run.process.pid):
                if program(pid).endswith(b"/java"):
                    record(pid, archive)
            run.stop()
        finally:
            run.end()


def program(pid: int) -> bytes:
    """What a process runs; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return b""


def main() -> None:
    """Do so unless there is one; without Spark or Java there is none, and tests do without."""
    try:
        shared_home()
    except Missing as missing:
        sys.stderr.write(f"missing: {missing}; the tests that need it skip\n")
        return
    if recorder() is None or classes().exists():
        return
    try:
        keep(classes())
    except (AssertionError, OSError, SubprocessError) as error:
        classes().unlink(missing_ok=True)
        sys.stderr.write(f"Java starts without an archive of its classes: {error}\n")


if __name__ == "__main__":
    main()
