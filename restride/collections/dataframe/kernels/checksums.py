"""Checksums of rows that do not depend on their order, so that a shuffle can tell that it has lost or doubled none.

A row's checksum is the sum of its numbers, as 64-bit integers that wrap around; dates and categories are numbers, too.
Where a table has nothing but strings, it is the hash of the first of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.kernels.hashing import hash_column, hash_objects
from restride.collections.dataframe.kernels.memory import chunks_of, fixed_width, valid_mask

Sums = np.ndarray[Any, np.dtype[np.uint64]]


def checksums(partition: Any, bounds: np.ndarray | None = None) -> Sums:
    """A checksum of each of some runs of rows.

    Parameters
    ----------
    partition : pyarrow.Table, pyarrow.RecordBatch or pandas object
    bounds : ndarray of int64, optional
        The first row of each run, and the number of rows; by default all rows are one run.

    Returns
    -------
    ndarray of uint64
        Those of several runs add up to that of all their rows.

    Examples
    --------
    >>> table = pa.table({"x": [1, 2, 3], "y": [10, 20, 30]})
    >>> checksums(table, np.array([0, 1, 3])).tolist(), checksums(table).tolist()
    ([11, 55], [66])
    """
    is_arrow = isinstance(partition, (pa.Table, pa.RecordBatch))
    n = partition.num_rows if is_arrow else len(partition)
    if bounds is None:
        bounds = np.array([0, n])
    totals = np.zeros(len(bounds) - 1, np.uint64)
    if n == 0:
        return totals
    if not is_arrow:
        _add(totals, _object_values(partition), 0, bounds)
        return totals
    columns = [column for column in partition.columns if _has_numbers(column.type)]
    for column in columns:
        first = 0
        for chunk in chunks_of(column):
            _add(totals, _numbers(chunk), first, bounds)
            first += len(chunk)
    if not columns and partition.num_columns:
        _add(totals, hash_column(partition.column(0)), 0, bounds)
    return totals


def _add(totals: Sums, values: np.ndarray, first: int, bounds: np.ndarray) -> None:
    """Add to the totals of runs the values of rows from number `first` on."""
    if not len(values):
        return
    if len(totals) == 1:
        totals += values.sum(dtype=np.uint64)
        return
    inside = np.clip(bounds - first, 0, len(values))
    runs = np.flatnonzero(inside[1:] > inside[:-1])
    # Runs follow each other, so that one ends where the next that has rows begins.
    totals[runs] += np.add.reduceat(values[: inside[-1]], inside[runs], dtype=np.uint64)


def _has_numbers(kind: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(kind) and not pa.types.is_boolean(kind) and kind.bit_width >= 8)


def _numbers(array: pa.Array) -> np.ndarray:
    """The memory of numbers as unsigned integers, zero where they are null."""
    values = fixed_width(array, f"u{array.type.bit_width // 8}")
    valid = valid_mask(array)
    return values if valid is None else np.where(valid, values, values.dtype.type(0))


def _object_values(value: Any) -> np.ndarray:
    """Something of each row of a pandas object: the first column of integers or dates, else hashes."""
    parts = [value.iloc[:, i] for i in range(value.shape[1])] if isinstance(value, pd.DataFrame) else [value]
    for part in parts:
        if isinstance(part.dtype, np.dtype) and part.dtype.kind in "iumM":
            return part.to_numpy().astype(np.int64).view(np.uint64)
    first = parts[0] if parts else value.index
    try:
        return hash_objects(first.get_level_values(0) if isinstance(first, pd.MultiIndex) else first)
    except TypeError:  # what cannot be hashed is only counted
        return np.zeros(len(value), np.uint64)
