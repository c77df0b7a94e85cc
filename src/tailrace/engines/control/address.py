"""Where the socket of a store is.

It lies beside the store as ``STORE.sock``. Where that path is longer than a socket's may be, a file
of that name holds the path of the socket, which is then in a folder of this user's.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from tailrace.errors import StoreError

MOST_BYTES = 103
"""What a socket's path may have on every system: 104 with the zero at its end on the BSDs."""


def beside(store: Path) -> Path:
    """The path of the socket, or of the file that says where it is."""
    real = store.resolve()
    return real.with_name(f"{real.name}.sock")


def chosen(store: Path) -> Path:
    """Where an engine puts the socket; StoreError if there is no safe place."""
    path = beside(store)
    if len(os.fsencode(path)) <= MOST_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return _own_folder() / f"{name}.sock"


def found(store: Path) -> Path | None:
    """The socket of a store, whether or not anybody listens; None if there is none."""
    path = beside(store)
    try:
        mode = path.stat().st_mode
        if stat.S_ISSOCK(mode):
            return path
        return Path(os.fsdecode(path.read_bytes().strip())) if stat.S_ISREG(mode) else None
    except OSError:
        return None


def _own_folder() -> Path:
    """A folder that only this user can enter."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        folder = Path(runtime) / "tailrace"
    else:
        folder = Path(tempfile.gettempdir()) / f"tailrace-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise StoreError(f"{folder} can't be used for a socket: {error.strerror}") from error
    safe = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not safe or status.st_mode & 0o077:
        hint = "remove it, or name another folder by XDG_RUNTIME_DIR"
        raise StoreError(f"{folder} isn't a folder of this user alone", hint=hint)
    return folder
