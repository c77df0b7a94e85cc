"""Slices that carry their records with them: of input that only one process has."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from tailrace.formats.records import Records

if TYPE_CHECKING:
    from tailrace.sources.types import Json, Slice

_KEY = "records"


def with_records(piece: Slice, records: Records) -> Slice:
    """The slice with its records in ``resume``; nothing of them is beside them."""
    optional = {"arrival": records.arrival, "oversize": records.oversize}
    body: dict[str, Json] = {
        "data": b64encode(memoryview(records.data)).decode(),
        "offsets": records.offsets.tolist(),
        "positions": records.positions.tolist(),
        "header": None if records.header is None else b64encode(records.header).decode(),
        **{name: None if array is None else array.tolist() for name, array in optional.items()},
    }
    return replace(piece, resume={**piece.resume, _KEY: body})


def taken_out(piece: Slice) -> tuple[Slice, Records | None]:
    """The slice as it was, and the records if it carries some."""
    body = cast("dict[str, Json] | None", piece.resume.get(_KEY))
    if body is None:
        return piece, None
    bare = {name: value for name, value in piece.resume.items() if name != _KEY}
    header = body["header"]
    records = Records(
        pa.py_buffer(b64decode(str(body["data"]))),
        np.array(body["offsets"], np.int32),
        np.array(body["positions"], np.int64),
        None if body["arrival"] is None else np.array(body["arrival"], np.int64),
        None if body["oversize"] is None else np.array(body["oversize"], np.bool_),
        None if header is None else b64decode(str(header)),
    )
    return replace(piece, resume=bare), records
