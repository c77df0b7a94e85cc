"""What is said about paths that lead to nothing."""

from __future__ import annotations

import difflib
import os

from tailrace.errors import SourceError


def missing(path: str, error: OSError | None = None) -> SourceError:
    """Return the error for a path that can't be opened, with similar names that exist."""
    if error is not None and not isinstance(error, FileNotFoundError):
        return SourceError(f"{path} can't be read: {(error.strerror or str(error)).lower()}")
    return SourceError(f"there is no file {path}", hint=did_you_mean(path))


def did_you_mean(path: str) -> str | None:
    """Return a hint naming what lies beside the path under a similar name."""
    folder, base = os.path.split(path)
    while folder and not os.path.isdir(folder):
        folder, base = os.path.split(folder)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return None
    close = difflib.get_close_matches(base, names, 3, 0.6)
    if not close:
        return None
    return "did you mean " + " or ".join(os.path.join(folder, name) for name in close) + "?"
