"""The folder for what a run of Spark writes on the driver's machine and nobody needs afterwards.

Java gives its temporary files back when it ends by itself, not when it is killed; so all of it is
in one folder that has the number of its process, and the next run takes back what dead ones left.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_NAME = re.compile(r"tailrace-spark-(\d+)-.+")


def scratch_folder() -> Path:
    """A new folder for this process; those of processes that are dead are removed."""
    home = Path(tempfile.gettempdir())
    for folder in home.glob("tailrace-spark-*"):
        found = _NAME.fullmatch(folder.name)
        if found is not None and folder.is_dir() and not _alive(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"tailrace-spark-{os.getpid()}-"))


def _alive(process: int) -> bool:
    """Whether a process is there, or may be: one of somebody else's counts as alive."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
