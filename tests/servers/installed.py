"""Where the programs and jars are that servers are started from."""

import glob
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".cache/servers"
"""A folder of jars for each server, filled by `make servers`."""
PLACES = ("/usr/sbin", "/sbin", "/usr/lib/postgresql/*/bin")
"""Where Debian has servers, beside PATH."""


class Missing(Exception):  # noqa: N818 - what is missing is no error of anybody's
    """A server that can't be had here; the text says why, and what would help."""


def program(name: str, package: str) -> str:
    """Return the path of a program; `Missing` if Debian's package isn't installed."""
    places = [place for pattern in PLACES for place in sorted(glob.glob(pattern), reverse=True)]  # noqa: PTH207 - absolute patterns
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if found is None:
        raise Missing(f"{name} is not installed (make servers, or apt-get install {package})")
    return found
