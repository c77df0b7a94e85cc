"""Spark's checkpoint: whose it is, how far it is, and whether that fits the store."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tailrace.engines.spark.failures import first_line
from tailrace.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from tailrace.engines.state import EngineState

MARK = "tailrace.json"
"""The file that says whose checkpoint it is."""

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose checkpoint it is, and what was fixed when it was made."""

    format: int
    id: str
    pipeline: str
    store: str
    shards: int


@dataclass(frozen=True, slots=True)
class Begun:
    """The last batch that Spark planned: its number, and the number of its plan.

    ``done``: Spark has noted it as done. ``final``: its plan ends the input.
    """

    batch: int
    done: bool
    number: int
    final: bool


class Checkpoint:
    """The folder, on whatever file system Spark reaches it."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        """Look at nothing yet."""
        self.path = path
        jvm: Any = spark._jvm  # noqa: SLF001 - Hadoop's file systems have no other door
        context: Any = spark.sparkContext._jsc  # noqa: SLF001 - as above
        self._jvm = jvm
        with _reaching(path):
            root = jvm.org.apache.hadoop.fs.Path(path)
            self._files = root.getFileSystem(context.hadoopConfiguration())

    def _path(self, *parts: str) -> Any:  # noqa: ANN401 - Java's
        return self._jvm.org.apache.hadoop.fs.Path("/".join([self.path, *parts]))

    def _read(self, *parts: str) -> str | None:
        with _reaching("/".join([self.path, *parts])):
            path = self._path(*parts)
            if not self._files.exists(path):
                return None
            stream = self._files.open(path)
            try:
                text = self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
            finally:
                stream.close()
        return str(text)

    def _numbers(self, folder: str) -> list[int]:
        with _reaching(self.path):
            path = self._path(folder)
            if not self._files.exists(path):
                return []
            names = [str(status.getPath().getName()) for status in self._files.listStatus(path)]
        return sorted(int(name) for name in names if name.isdigit())

    def mark(self) -> Mark | None:
        """Whose it is; None for a new one."""
        text = self._read(MARK)
        if not text:  # empty if a run died while it made it
            if self._numbers("offsets"):
                raise StoreError(
                    f"{self.path} is a checkpoint, but not one of Tailrace's",
                    hint="name another folder with spark.checkpoint",
                )
            return None
        body = _parsed(text)
        if body.get("format") != FORMAT:
            raise StoreError(
                f"{self.path} is of another version of Tailrace (format {body.get('format')})",
                hint="run it with that version, or begin with a new checkpoint and a new store",
            )
        return Mark(**body)

    def make(self, pipeline: str, store: str, shards: int) -> Mark:
        """Make it that of a store."""
        mark = Mark(FORMAT, uuid.uuid4().hex, pipeline, store, shards)
        with _reaching(self.path, "written"):
            self._files.mkdirs(self._path())
            fresh = self._path(MARK + ".new")
            stream = self._files.create(fresh, True)  # noqa: FBT003 - Java's
            try:
                stream.write(bytearray(json.dumps(asdict(mark)).encode()))
            finally:
                stream.close()
            # One that a run left half made is in the way.
            self._files.delete(self._path(MARK), False)  # noqa: FBT003 - as above
            self._files.rename(fresh, self._path(MARK))
        return mark

    def begun(self) -> Begun | None:
        """The last batch that was planned; None before the first."""
        batches = self._numbers("offsets")
        if not batches:
            return None
        text = self._read("offsets", str(batches[-1])) or ""
        number, final = 0, False
        for line in text.splitlines()[2:]:
            offset = _parsed(line)
            if offset.keys() == {"number", "plans"}:
                number = int(offset["number"])
                plans = json.loads(offset["plans"])
                kinds = [d["kind"] for plan in plans.values() for d in plan["after"]]
                final = "final" in kinds
        done = batches[-1] in self._numbers("commits")
        return Begun(batches[-1], done, number, final)


@contextmanager
def _reaching(path: str, done: str = "read") -> Iterator[None]:
    """Errors of Hadoop's file systems as StoreErrors."""
    try:
        yield
    except Exception as error:
        # Py4J's errors have no common base with those of PySpark.
        raise StoreError(
            f"the checkpoint {path} can't be {done}: {first_line(error)}",
            hint="see that Spark reaches it and may write there; spark.checkpoint names it",
        ) from error


def _parsed(line: str) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def taken_up(
    checkpoint: Checkpoint,
    state: EngineState,
    *,
    pipeline: str,
    store: str,
    store_path: str,
    shards: int,
) -> Mark:
    """The mark of a checkpoint that fits a store, made if both are new.

    StoreError, with the way out, if they don't belong together.
    """
    mark = checkpoint.mark()
    if state.epoch >= 0 and not state.checkpoint:
        raise StoreError(
            f"{store_path} was made by the embedded engine, which keeps all state in it",
            hint="go on with the embedded engine, or name another store with --store",
        )
    if mark is None:
        if state.epoch >= 0:
            raise StoreError(
                f"{store_path} goes with a checkpoint that is not at {checkpoint.path}",
                hint="name it with spark.checkpoint; without it, begin with a new store: the counts"
                " of open windows are in the checkpoint",
            )
        return checkpoint.make(pipeline, store, shards)
    if mark.store != store:
        raise StoreError(
            f"the checkpoint {checkpoint.path} belongs to another store (of pipeline"
            f" {mark.pipeline}), not to {store_path}",
            hint="name the store that it belongs to with --store, or a new folder with"
            " spark.checkpoint",
        )
    if state.checkpoint not in ("", mark.id):
        raise StoreError(
            f"{store_path} goes with an earlier checkpoint than the one at {checkpoint.path}",
            hint="restore both from one copy, or begin with new ones",
        )
    begun = checkpoint.begun()
    last = begun.batch if begun is not None else -1
    # A batch that was begun and not committed may be ahead by one.
    ahead = begun is not None and not begun.done and last == state.batch + 1
    if last != state.batch and not ahead:
        age = "older" if last < state.batch else "newer"
        raise StoreError(
            f"the checkpoint {checkpoint.path} is {age} than {store_path}: batch {last}, and the"
            f" store has {state.batch}",
            hint="restore both from one copy, or begin with new ones",
        )
    return mark
