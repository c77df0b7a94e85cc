"""What Spark's errors say to a person: one sentence out of the stacks of two languages."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from tailrace.errors import SourceError, TailraceError

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORKER = "An exception was thrown from the Python worker"
_CODE = re.compile(r"^\[[A-Z][A-Z0-9_.]*\] ")
_STATE = re.compile(r"\s*SQLSTATE: \w+.*$", re.DOTALL)
_PYTHON = re.compile(r"^([A-Za-z_][\w.]*): (\S.*)$")
_JAVA = re.compile(r"^(?:Caused by|:)?:? ?(?:[a-z][\w$]*\.)+[A-Z][\w$]*: (\S.*)$")
_OWN = ("tailrace.", "pyspark.")
_HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
_GONE = (
    "what was not read has expired or was deleted: begin with a new store and checkpoint, and"
    " let topics keep messages for longer than a stop may take (retention.ms)"
)
_OUT_OF_RANGE = re.compile(r"\{offset=(\d+),.*out of range for partition (\S+)-(\d+)")
_HINTS = (
    (
        "Python in worker has different version",
        f"PYSPARK_PYTHON names the Python that workers start; it must be {_HERE}, as here",
    ),
    (
        "Python worker failed to connect back",
        "Spark gives a Python 10 s to start, and the machine may be too busy. Run again",
    ),
    ("Cannot run program", "PYSPARK_PYTHON names the Python that workers start"),
    (
        "data source: kafka",
        "name the files of the Kafka connector in spark.jars (docs/spark.md says which they are)",
    ),
    (
        "no longer what was read",
        "put it back; or leave it out, counted: tailrace run --engine spark --accept-loss",
    ),
    ("out of range for partition", _GONE),
    ("data may have been lost", _GONE),
    ("No space left", "make room for Spark's checkpoint and temporary files, and run again"),
    ("too large", "make room for Spark's checkpoint and temporary files, and run again"),
)
_HINT = "run again to go on from the last batch that was committed"


def failed(what: str, error: BaseException, topics: Sequence[str] = ()) -> TailraceError:
    """An error of a query for people: ``what`` has failed, and why; ``topics``: what it reads."""
    why = first_line(error)
    if "does not host this topic-partition" in why:
        return SourceError(
            f"{what}: a topic that is read is not there any more ({', '.join(topics)})",
            hint="make it again, or take it out of source.kafka.topics; then begin with a new"
            " store and checkpoint",
        )
    if gap := _OUT_OF_RANGE.search(why):
        offset, topic, partition = gap.groups()
        return SourceError(
            f"{what}: messages of {topic}/{partition} from offset {offset} on are gone before"
            " they were read",
            hint=_GONE,
        )
    hint = next((hint for words, hint in _HINTS if words in why), _HINT)
    return TailraceError(f"{what}: {why}", hint=hint)


def first_line(error: BaseException) -> str:
    """What an error of Spark's says, without the stack that it was raised from."""
    text = str(error).strip()
    found = _of_python(text) or _of_java(text)
    if not found:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        found = lines[0] if lines else type(error).__name__
    return _STATE.sub("", _CODE.sub("", found)).strip()


def _of_python(text: str) -> str | None:
    """The last line of a worker's traceback; its kind is told unless it is ours or PySpark's."""
    if _WORKER not in text:
        return None
    _, _, after = text.rpartition(_WORKER)
    for line in reversed(_STATE.sub("", after).splitlines()):
        found = _PYTHON.match(line)
        if found:
            kind, words = found.groups()
            return words if kind.startswith(_OWN) else f"{kind.rpartition('.')[2]}: {words}"
    return None


def _of_java(text: str) -> str | None:
    """The innermost cause."""
    lines = text.splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ") and ": error=" not in line]
    for line in [*reversed(causes), *lines]:
        found = _JAVA.match(line.strip())
        if found:
            return found[1]
    return None
