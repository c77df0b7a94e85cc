"""What writers of log lines do to awkward bytes, undone.

A value whose bytes are not UTF-8 once undone (a TLS handshake sent to a plain port) stays as it is
written: it can still be searched for, and is no dead letter.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tailrace.formats.columns import Memory
from tailrace.formats.spec import Escape

BACKSLASH = ord("\\")

_ESCAPED = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\bnrtv]))')
_LETTERS = {b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def unescaped(texts: pa.StringArray, escape: Escape) -> pa.StringArray:
    """The column with escapes undone; texts without a backslash are not looked at."""
    if escape is Escape.NONE:
        return texts
    memory = Memory.of(texts)
    rows = np.unique(memory.rows_of(memory.places_of(BACKSLASH)))
    if not len(rows):
        return texts
    undo = _undo_json if escape is Escape.JSON else _undo_default
    changed = [undo(text) for text in texts.take(pa.array(rows)).to_pylist()]
    marked = np.zeros(len(texts), np.bool_)
    marked[rows] = True
    return pc.replace_with_mask(texts, pa.array(marked), pa.array(changed, pa.string()))


def _undo_default(text: str) -> str:
    r"""Undo nginx's ``\xHH`` and Apache's ``\"``, ``\\`` and C letters; others stay."""
    try:
        return _ESCAPED.sub(_byte, text.encode()).decode()
    except UnicodeDecodeError:
        return text


def _byte(match: re.Match[bytes]) -> bytes:
    code, character = match.groups()
    return bytes([int(code, 16)]) if code else _LETTERS.get(character, character)


def _undo_json(text: str) -> str:
    """JSON's escapes; a text that is no inside of a JSON string stays."""
    try:
        undone: str = json.loads(f'"{text}"', strict=False)
        undone.encode()
    except ValueError:
        return text
    return undone
