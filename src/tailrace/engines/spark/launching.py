"""Starting Spark: what must be installed for it, looked for beforehand and said plainly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.engines.spark.settings import settings_of
from tailrace.errors import Problem, TailraceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

    from tailrace.config.spark import SparkSettings

JAVA = 17
VECTOR = "jdk.incubator.vector"
CONNECTOR = "org.apache.spark:spark-sql-kafka-0-10_2.13"

_LOG4J = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = spark: %p %c{1}: %m%n%ex{short}
# A batch's error reaches the run itself, which tells it once.
logger.streaming.name = org.apache.spark.sql.execution
logger.streaming.level = off
logger.executor.name = org.apache.spark.executor
logger.executor.level = off
logger.scheduler.name = org.apache.spark.scheduler
logger.scheduler.level = off
logger.python.name = org.apache.spark.api.python
logger.python.level = off
logger.util.name = org.apache.spark.util
logger.util.level = off
"""


class SparkMissingError(TailraceError):
    """Something that Spark needs isn't here, or isn't what it needs."""


def missing() -> Sequence[Problem]:
    """What this machine lacks for a run on Spark: the libraries, Java."""
    return (*_libraries(), *_java())


def _libraries() -> list[Problem]:
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
    kafka: bool,
    shards: int | None = None,
) -> SparkSession:
    """Start Spark, or connect to it; ``folder``: for files of this run.

    SparkMissingError if something isn't installed, TailraceError if the master can't be reached.
    """
    problems = missing()
    if problems:
        raise SparkMissingError(problems=tuple(problems))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    import pyspark
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    log = folder / "log4j2.properties"
    log.write_text(_LOG4J)
    builder = SparkSession.builder.appName(f"tailrace {name}").master(master)
    for key, value in settings_of(settings, master, shards).items():
        builder = builder.config(key, value)
    options = settings.conf.get("spark.driver.extraJavaOptions", "")
    builder = builder.config(
        "spark.driver.extraJavaOptions", f"{options} -Dlog4j2.configurationFile={log}".strip()
    )
    if settings.jars:
        builder = builder.config("spark.jars", ",".join(settings.jars))
    elif kafka and "spark.jars.packages" not in settings.conf:
        builder = builder.config("spark.jars.packages", f"{CONNECTOR}:{pyspark.__version__}")
    try:
        session: SparkSession = builder.getOrCreate()
    except (PySparkException, RuntimeError, OSError, Exception) as error:
        raise TailraceError(
            f"Spark doesn't start with the master {master}: {first_line(error)}", hint=_hint(kafka)
        ) from error
    return session


def _hint(kafka: bool) -> str:  # noqa: FBT001 - one reason or the other
    if kafka:
        return (
            "is the address right, and can the Kafka connector be fetched? Where no registry is"
            " reached, name its files: spark: {jars: [...]}"
        )
    return "is the address right, and is Spark running there?"


def first_line(error: BaseException) -> str:
    """What an error of Spark's says, without the stack that it was raised from."""
    text = str(error).strip() or type(error).__name__
    java = re.findall(r"^Caused by: [\w.$]+: (.+)$", text, re.MULTILINE)
    if java:
        return str(java[-1])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        found = re.match(r"^:? ?(?:[\w$]+\.)+[\w$]*(?:Exception|Error): (.+)$", line)
        if found:
            return found[1]
    return lines[0] if lines else type(error).__name__
