"""PySpark's modules from where they are installed, not from the archive that Spark hands out.

Spark puts its ``pyspark.zip`` before all else on the path of every Python that it starts. Modules
in an archive are compiled each time they are imported: half a second for each process, some of
which start one after the other before the first batch. Workers have PySpark installed anyway.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

VERSION = "pyspark/version.py"
HOME = "SPARK_HOME"

PARTS = ("bin", "jars")
"""What Java is started from."""


def without_archive(path: Sequence[str]) -> list[str]:
    """A path of modules without Spark's archives, if the same version is installed behind them."""
    archives = [one for one in path if Path(one).name == "pyspark.zip"]
    rest = [one for one in path if not _is_sparks(one)]
    found = PathFinder.find_spec("pyspark", rest)
    if not archives or found is None or found.origin is None:
        return list(path)
    try:
        with ZipFile(archives[0]) as archive:
            theirs = archive.read(VERSION)
        ours = Path(found.origin).with_name("version.py").read_bytes()
    except (OSError, KeyError, BadZipFile):
        return list(path)
    return rest if ours == theirs else list(path)


def _is_sparks(entry: str) -> bool:
    name = Path(entry).name
    return name == "pyspark.zip" or (name.startswith("py4j-") and name.endswith(".zip"))


@contextmanager
def home_without_archive(make: Callable[[], Path]) -> Iterator[None]:
    """Let Spark's Java that is started meanwhile believe that PySpark's package has no archive.

    ``make``: gives a folder for links; it is removed when this process ends, and Java with it.
    Nothing is done where Java runs, or where somebody says which Spark it is, or which Python.
    """
    python = os.environ.get("PYSPARK_PYTHON", sys.executable)
    import pyspark

    begun = pyspark.SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ  # noqa: SLF001 - no other door
    if begun or HOME in os.environ or python != sys.executable:
        yield
        return
    folder = make()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for part in PARTS:
        (folder / part).symlink_to(Path(pyspark.__file__).with_name(part))
    os.environ[HOME] = str(folder)
    try:
        yield
    finally:
        del os.environ[HOME]
