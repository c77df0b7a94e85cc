"""Starting Spark: what must be installed for it, looked for beforehand and said plainly."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.engines.spark.failures import first_line
from tailrace.engines.spark.scratch import scratch_folder
from tailrace.engines.spark.settings import is_local, settings_of
from tailrace.engines.spark.unpacked import home_without_archive
from tailrace.errors import Problem, TailraceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import SparkSession

    from tailrace.config.spark import SparkSettings

JAVA = 17
CONNECT_SECONDS = 5.0
VECTOR = "jdk.incubator.vector"
CONNECTOR = "org.apache.spark:spark-sql-kafka-0-10_2.13"

_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601}{UTC}Z %p %c{1}: %m%n%ex
"""


class SparkMissingError(TailraceError):
    """Something that Spark needs isn't here, or isn't what it needs."""


def missing() -> Sequence[Problem]:
    """What this machine lacks for a run on Spark: the libraries, Java."""
    return (*missing_libraries(), *_java())


def missing_libraries() -> list[Problem]:
    """What is not installed of the extra."""
    hint = "pip install 'tailrace[spark]'"
    found = []
    for name in ("pyspark", "pandas", "grpc", "google.protobuf", "confluent_kafka"):
        try:
            __import__(name)
        except ImportError:
            found.append(Problem(f"--engine spark needs the library {name}", hint=hint))
            break
    return found


def java_program() -> str | None:
    """The ``java`` that Spark would start."""
    home = os.environ.get("JAVA_HOME")
    if home:
        program = Path(home, "bin", "java")
        return str(program) if program.is_file() else None
    return shutil.which("java")


def _java() -> list[Problem]:
    hint = f"install Java {JAVA} (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME"
    program = java_program()
    if program is None:
        home = os.environ.get("JAVA_HOME")
        where = f" in JAVA_HOME ({home})" if home else ""
        return [Problem(f"--engine spark needs Java {JAVA}, and there is none{where}", hint=hint)]
    try:
        told = subprocess.run(  # noqa: S603 - the java that Spark starts, too
            [program, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Problem(f"{program} doesn't run: {error}", hint=hint)]
    version = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    if version is None:
        return [Problem(f"{program} doesn't say which Java it is", hint=hint)]
    if int(version[1]) < JAVA:
        return [Problem(f"{program} is Java {version[1]}; Spark needs {JAVA} or newer", hint=hint)]
    with suppress(OSError, subprocess.TimeoutExpired):
        modules = subprocess.run(  # noqa: S603 - as above
            [program, "--list-modules"], capture_output=True, text=True, timeout=30, check=False
        )
        if modules.returncode == 0 and VECTOR not in modules.stdout:
            return [
                Problem(
                    f"{program} was built without the module {VECTOR}, which Spark needs",
                    hint="use a whole JDK or JRE, not a trimmed one",
                )
            ]
    return []


def launch(
    name: str,
    settings: SparkSettings,
    master: str,
    *,
    folder: Path,
    log: Path,
    kafka: bool,
    shards: int | None = None,
) -> SparkSession:
    """Start Spark, or connect to it; ``folder``: for files of this run.

    ``log``: the file for what Spark and its workers say, for none of it is about the pipeline.

    SparkMissingError if something isn't installed, TailraceError if the master can't be reached.
    """
    problems = (*missing(), *_absent(settings.jars), *_unreachable(master))
    if problems:
        raise SparkMissingError(problems=tuple(problems))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    import pyspark
    from pyspark.sql import SparkSession

    logging = folder / "log4j2.properties"
    logging.write_text(_LOG4J)
    builder = SparkSession.builder.appName(f"tailrace {name}").master(master)
    for key, value in settings_of(settings, master, shards).items():
        builder = builder.config(key, value)
    if is_local(master) and not os.environ.get("SPARK_LOCAL_DIRS"):
        builder = builder.config("spark.local.dir", settings.conf.get("spark.local.dir", folder))
    # The user's own come last: of two the later one counts.
    options = f"-Dlog4j2.configurationFile={logging} -Djava.io.tmpdir={folder}"
    options = f"{options} {settings.conf.get('spark.driver.extraJavaOptions', '')}".strip()
    builder = builder.config("spark.driver.extraJavaOptions", options)
    if settings.jars:
        builder = builder.config("spark.jars", ",".join(settings.jars))
    elif kafka and "spark.jars.packages" not in settings.conf:
        builder = builder.config("spark.jars.packages", f"{CONNECTOR}:{pyspark.__version__}")
    try:
        with spoken_to(log), _home(master):
            session: SparkSession = builder.getOrCreate()
    except Exception as error:
        # Whatever the library raises: Py4J's errors have no common base with those of PySpark.
        raise _refusal(error, master, log) from error
    return session


def _home(master: str) -> AbstractContextManager[None]:
    # YARN and Kubernetes send Spark's home to executors, or name it there.
    if is_local(master) or master.startswith("spark://"):
        return home_without_archive(scratch_folder)
    return nullcontext()


def _absent(jars: Sequence[str]) -> Iterator[Problem]:
    """Jars of this machine that aren't there: Spark would only log it."""
    for jar in jars:
        if ":" not in jar and not Path(jar).is_file():
            yield Problem(
                f"spark.jars names {jar}, and there is no such file",
                hint="docs/spark.md says which files Kafka needs, and where they are",
            )


def _unreachable(master: str) -> Iterator[Problem]:
    """A standalone master that nobody answers at: Spark would try for a minute."""
    if not master.startswith("spark://"):
        return
    reasons = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
        except (OSError, ValueError) as error:
            reasons.append(str(error))
        else:
            return
    yield Problem(
        f"no Spark master answers at {master}: {reasons[-1]}",
        hint="is the address right, and is the master running? Its page shows spark://HOST:PORT",
    )


@contextmanager
def spoken_to(log: Path) -> Iterator[None]:
    """What is started meanwhile speaks into ``log``, on both streams; the log before it is kept."""
    with suppress(FileNotFoundError):
        log.replace(log.with_name(log.name + ".1"))
    ours = (os.dup(1), os.dup(2))
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            stream.flush()
            os.dup2(file, number)
        yield
    finally:
        for number, kept in enumerate(ours, 1):
            os.dup2(kept, number)
            os.close(kept)
        os.close(file)


def _refusal(error: Exception, master: str, log: Path) -> TailraceError:
    try:
        told = log.read_text(errors="replace")
    except OSError:
        told = ""
    unresolved = re.search(r"unresolved dependency: ([^\s;#]+)#([^\s;]+);([^\s:]+)", told)
    if unresolved:
        return SparkMissingError(
            f"Spark can't fetch {':'.join(unresolved.groups())}",
            hint="name the files of the Kafka connector in spark.jars (docs/spark.md says which"
            f" they are); where it was looked for is in {log}",
        )
    return TailraceError(
        f"Spark doesn't start with the master {master}: {first_line(error)}",
        hint=f"is the address right, and is Spark running there? Spark's own words are in {log}",
    )
