"""Names of rotated files: which belong to one path, and which is older."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

ARCHIVES = (".gz", ".zst")
NUMBERED = re.compile(r"\.(\d{1,5})")
DATED = re.compile(r"[-._]?\d{4}[-._]?\d{2}[-._]?\d{2}[-._T\d]*|[-._]\d{10,}")
"""20240131, 2024-01-31, 20240131-17, 1706745600: what writers and logrotate's dateext append."""
DIGITS = re.compile(r"(\d+)")

Natural = tuple[tuple[tuple[int, int, str], ...], str]
Age = tuple[int, int, Natural]
Key = tuple[Natural, Age, str]

NO_DATE: Natural = ((), "")


def natural(name: str) -> Natural:
    """Sort key by which ``part-2`` comes before ``part-10``; equal keys only for equal names."""
    parts = tuple(
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part)
        for part in DIGITS.split(name)
        if part
    )
    return parts, name


def plain_name(name: str) -> str:
    """Return the name without an archive's suffix."""
    for suffix in ARCHIVES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def split_rotation(name: str) -> tuple[str, Age]:
    """Return the name that a file had before it was rotated, and its age, oldest first.

    ``access.log.2.gz`` is older than ``access.log.1``, that than ``access.log``; dated names are
    older than numbered ones and as old as their dates say.
    """
    name = plain_name(name)
    if (numbered := re.fullmatch(rf"(.+?){NUMBERED.pattern}", name)) is not None:
        return numbered[1], (1, -int(numbered[2]), NO_DATE)
    if (dated := re.fullmatch(rf"(.+?)({DATED.pattern})", name)) is not None:
        return dated[1], (0, 0, natural(dated[2]))
    return name, (2, 0, NO_DATE)


def reading_order(names: Iterable[str]) -> list[str]:
    """Return names of one folder in the order in which they are read as one partition.

    Rotated files of one name from the oldest to the newest; different names in natural order.
    """
    return sorted(names, key=reading_key)


def reading_key(name: str) -> Key:
    """Return by what ``reading_order`` sorts."""
    base, age = split_rotation(name)
    return natural(base), age, name


def rotated_age(base: str, name: str) -> Age | None:
    """Return how old ``name`` is as a rotated form of ``base``; None if it is none.

    ``base.1``, ``base-20240131.gz``, and with the suffix kept last ``app-20240131.log`` and
    ``app.1.log`` of ``app.log``.
    """
    name = plain_name(name)
    stem, suffix = os.path.splitext(base)
    if name.startswith(base):
        rest = name[len(base) :]
    elif suffix and stem and name.startswith(stem) and name.endswith(suffix):
        rest = name[len(stem) : len(name) - len(suffix)]
    else:
        return None
    if (numbered := NUMBERED.fullmatch(rest)) is not None:
        return (1, -int(numbered[1]), NO_DATE)
    if DATED.fullmatch(rest) is not None:
        return (0, 0, natural(rest))
    return None


def rotation_bases(name: str) -> Iterator[str]:
    """Name the files of which ``name`` may be a rotated form, the inverse of ``rotated_age``."""
    name = plain_name(name)
    for suffix in (NUMBERED.pattern, DATED.pattern):
        if (found := re.fullmatch(rf"(.+?)(?:{suffix})(\.[^.\d][^.]*)?", name)) is not None:
            base = found[1] + (found.groups()[-1] or "")
            if rotated_age(base, name) is not None:
                yield base


def rotated(path: str) -> list[str]:
    """Return the rotated files of ``path`` in its folder, oldest first.

    Where a file lies beside its archive (it is being compressed), only the file counts.
    """
    folder, base = os.path.split(path)
    try:
        names = set(os.listdir(folder or "."))
    except OSError:
        return []
    aged = [
        (age, name)
        for name in names
        if (age := rotated_age(base, name)) is not None
        and (name == plain_name(name) or plain_name(name) not in names)
    ]
    return [os.path.join(folder, name) for _age, name in sorted(aged)]
