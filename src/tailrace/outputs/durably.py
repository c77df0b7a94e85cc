"""Folders and names that outlast a crash of the machine."""

from __future__ import annotations

import os
from pathlib import Path

from tailrace.errors import OutputError


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; OutputError if that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError(f"{folder} is a file; a folder is needed there") from error
    except OSError as error:
        raise OutputError(f"the folder {folder} can't be made: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; OSError if that can't be."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def replace_file(path: Path, data: bytes) -> None:
    """Give a file other contents, all or none of them, whatever crashes; OSError if that fails."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
