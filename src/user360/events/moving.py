"""Who entered or left a segment, as an entry of the log holds it.

A few records stand as a list of their numbers. Many stand as a roaring bitmap in base64: a bit or
two a record, written and read without an object for each.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pyarrow as pa
from pyroaring import BitMap64

MANY = 1_000


def packed(records: Sequence[int]) -> list[int] | str:
    """Record numbers as they are written."""
    if len(records) < MANY:
        return list(records)
    return base64.b64encode(BitMap64(records).serialize()).decode()


def unpacked(told: list[int] | str) -> pa.Array:
    """Record numbers as they are read: an array of int64. Raises `ValueError` for what is none."""
    if isinstance(told, list):
        return pa.array(told, pa.int64())
    return pa.array(BitMap64.deserialize(base64.b64decode(told)).to_array()).cast(pa.int64())
