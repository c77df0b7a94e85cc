"""An archive of this Python and its libraries, for machines that have neither.

Workers unpack it (``spark.archives``) and run ``bin/python`` from wherever it then is. It holds the
interpreter, the standard library, what is installed beside Tailrace, and the pipeline file; not the
system's libraries: workers need the same operating system, of the same version. Spark's own jars
are left out, for every machine that runs Spark has them.
"""

from __future__ import annotations

import io
import os
import site
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.errors import TailraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"

_LAUNCHER = f"""\
#!/bin/sh
# Runs this folder's own Python, wherever the folder is.
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
export LD_LIBRARY_PATH="$here/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}$here/lib/{VERSION}/site-packages"
exec "$here/bin/{VERSION}" ARGUMENTS"$@"
"""

_SUBMITTED = """\
# What spark-submit is given: 'spark-submit ... environment/run.py run PIPELINE --engine spark'.
from tailrace.cli.main import main

main()
"""

_UNUSED = {
    *("site-packages", "dist-packages"),
    *("test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"),
}
"""What lies in the standard library's folder and isn't needed, or comes from elsewhere."""

PIPELINE = "pipeline.yaml"


@dataclass(frozen=True, slots=True)
class Packed:
    """What was made: ``bytes`` of the archive, ``files`` in it."""

    path: Path
    bytes: int
    files: int


def pack(path: Path, pipeline: str) -> Packed:
    """Write the archive, whole or not at all; ``pipeline``: the file's text.

    Only its owner may read it, for a pipeline may hold passwords. TailraceError if it can't be
    written or this Python's files aren't where it says.
    """
    unfinished = path.with_name(path.name + ".part")
    files = 0
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=3, dereference=True) as tar,
        ):
            for name, text, mode in _written(pipeline):
                _add_text(tar, name, text, mode)
                files += 1
            for name, found in contents():
                tar.add(found, name, recursive=False)
                files += 1
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise TailraceError(f"{path} could not be written: {error}") from error
    return Packed(path, path.stat().st_size, files)


def _written(pipeline: str) -> Iterator[tuple[str, str, int]]:
    python = _LAUNCHER.replace("ARGUMENTS", "")
    yield "bin/python", python, 0o755
    yield "bin/python3", python, 0o755
    yield "bin/tailrace", _LAUNCHER.replace("ARGUMENTS", "-m tailrace.cli.main "), 0o755
    yield "run.py", _SUBMITTED, 0o644
    yield PIPELINE, pipeline, 0o600


def _add_text(tar: tarfile.TarFile, name: str, text: str, mode: int) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def contents() -> Iterator[tuple[str, Path]]:
    """Each file that is copied: its name in the archive, and where it is."""
    yield f"bin/{VERSION}", Path(os.path.realpath(sys.executable))
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        library = str(sysconfig.get_config_var("INSTSONAME"))
        yield f"lib/{library}", Path(str(sysconfig.get_config_var("LIBDIR")), library)
    seen: set[str] = set()
    yield from _below(Path(os.__file__).parent, f"lib/{VERSION}", _UNUSED, seen)
    for folder in installed():
        yield from _below(folder, f"lib/{VERSION}/site-packages", set(), seen)


def installed() -> list[Path]:
    """Folders whose packages can be imported: those of ``site``, and what their .pth files name."""
    found = [Path(path) for path in dict.fromkeys(site.getsitepackages()) if Path(path).is_dir()]
    named = [
        Path(line.strip())
        for folder in found
        for file in sorted(folder.glob("*.pth"))
        for line in file.read_text(errors="replace").splitlines()
        if line.startswith("/") and Path(line.strip()).is_dir()
    ]
    return [*found, *named]


def _below(
    folder: Path, prefix: str, without: set[str], seen: set[str]
) -> Iterator[tuple[str, Path]]:
    """The files of a folder; ``without``: of its own folders."""
    for parent, folders, files in os.walk(folder, followlinks=True):
        inside = Path(parent).relative_to(folder)
        skipped = {"__pycache__"}
        if inside == Path():
            skipped |= without | {name for name in folders if name.startswith("config-")}
        elif inside == Path("pyspark"):
            skipped |= {"jars", "examples"}
        folders[:] = sorted(set(folders) - skipped)
        for file in sorted(files):
            name = str(Path(prefix, inside, file))
            if name not in seen and not file.endswith((".pth", ".pyc")):
                seen.add(name)
                yield name, Path(parent, file)
