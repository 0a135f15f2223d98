"""Ranges of values: which partitions may have rows of which, and which rows of a partition lie in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import Column, Mask, valid_mask
from restride.engine.graphs.csr import Ints

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

Marks = tuple[Ints, Ints, Mask, Mask]
"""Of some ranges the least and the most as numbers, whether there may be missing values, and any values at all."""


@dataclass(frozen=True)
class ValueRange:
    """Values from `least` to `most`, both of them included unless `is_open`; None stands for no bound."""

    least: Any = None
    most: Any = None
    nulls: bool = True
    """Whether missing values are among them."""
    is_open: bool = False
    """Whether `most` is outside."""


Ranges = tuple[ValueRange | None, ...]
"""For each partition the values that it may have at a place; None for one without rows."""


def overlaps(asked: Sequence[ValueRange | None], have: Sequence[ValueRange | None]) -> tuple[Mask, Mask] | None:
    """Which ranges have values in common, and which are within which.

    Returns
    -------
    common : bool[asked, have]
        None instead of both where values cannot be compared.
    within : bool[asked, have]
        Whether all values of a range of `have` are in one of `asked`.

    Examples
    --------
    >>> common, within = overlaps([ValueRange(1, 5)], [ValueRange(2, 3), ValueRange(5, 9), ValueRange(6, 9, False)])
    >>> common.tolist(), within.tolist()
    ([[True, True, False]], [[True, False, False]])
    """
    try:
        marks = _marks(asked, have)
    except TypeError:  # strings and numbers, times with a zone and without
        return None
    (low, high, nulls, there), (low_2, high_2, nulls_2, there_2) = marks
    low, high = low[:, None], high[:, None]
    both = there[:, None] & there_2
    common: Mask = both & (((low_2 <= high) & (high_2 >= low)) | (nulls[:, None] & nulls_2))
    within: Mask = both & (low_2 >= low) & (high_2 <= high) & (nulls[:, None] | ~nulls_2)
    return common, within


def are_in_order(ranges: Ranges) -> bool:
    """Whether ranges follow each other, none beginning before the one in front of it ends."""
    there = [one for one in ranges if one is not None]
    return all(a.most <= b.least for a, b in pairwise(there))


def between(asked: Ranges, have: Ranges) -> tuple[Ints, Ints]:
    """For each range the first of others, in order, that does not end before it, and the first that begins after it.

    Examples
    --------
    >>> have = (ValueRange(1, 2), ValueRange(2, 5), ValueRange(6, 7), ValueRange(8, 9))
    >>> [bounds.tolist() for bounds in between((ValueRange(3, 6), ValueRange(0, 0)), have)]
    [[1, 0], [3, 0]]
    """
    (low, high, _, there), (low_2, high_2, _, there_2) = _marks(asked, have)
    n = len(have)
    reach = (high_2 >= low[:, None]) & there_2
    come = (low_2 <= high[:, None]) & there_2
    first = np.where(reach.any(1), reach.argmax(1), n)
    stop = np.where(come.any(1), n - come[:, ::-1].argmax(1), 0)
    first = np.where(there, first, 0)
    return first, np.where(there, np.maximum(stop, first), 0)


def _marks(*sides: Sequence[ValueRange | None]) -> list[Marks]:
    """Bounds as numbers in their order; an open end comes just before what it is."""
    values = {bound for side in sides for one in side if one for bound in (one.least, one.most) if bound is not None}
    numbers = {value: 2 * (i + 1) for i, value in enumerate(sorted(values))}
    last = 2 * (len(numbers) + 1)
    marks = []
    for side in sides:
        given = [one or ValueRange() for one in side]
        low = [0 if one.least is None else numbers[one.least] for one in given]
        high = [last if one.most is None else numbers[one.most] - one.is_open for one in given]
        nulls, there = [one.nulls for one in given], [one is not None for one in side]
        marks.append((np.array(low), np.array(high), np.array(nulls, bool), np.array(there, bool)))
    return marks


def rows_in(column: Column, wanted: ValueRange) -> Mask:
    """Which values of a column are in a range: one comparison for each bound, about 0.4 ns a value.

    Parameters
    ----------
    column : pyarrow array, chunked or not
        Of integers, times or strings, as they are or by dictionary.
    wanted : ValueRange

    Examples
    --------
    >>> rows_in(pa.array([4, None, 1, 9]), ValueRange(2, 9, is_open=True)).tolist()
    [True, True, False, False]
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [_in_range(chunk, wanted) for chunk in chunks]
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.bool_), *parts])


def _in_range(array: pa.Array, wanted: ValueRange) -> Mask:
    if pa.types.is_dictionary(array.type):
        of_values = np.append(_in_range(array.dictionary, wanted), wanted.nulls)
        indices = array.indices
        if indices.null_count:
            indices = pc.fill_null(indices.cast(pa.int64()), len(of_values) - 1)
        result: Mask = of_values[indices.to_numpy()]
        return result
    inside = np.ones(len(array), np.bool_)
    if pa.types.is_string(array.type):
        comparisons = [(pc.greater_equal, wanted.least), (pc.less if wanted.is_open else pc.less_equal, wanted.most)]
        for compare, bound in comparisons:
            if bound is not None:
                inside &= compare(array, pa.scalar(bound, array.type)).fill_null(False).to_numpy(zero_copy_only=False)
    else:
        values = _as_integers(array)
        if wanted.least is not None:
            inside &= values >= _as_integer(wanted.least, array.type)
        if wanted.most is not None:
            most = _as_integer(wanted.most, array.type)
            inside &= values < most if wanted.is_open else values <= most
    valid = valid_mask(array)
    if valid is not None:
        inside[~valid] = wanted.nulls
    return inside


def can_be_cut(kind: pa.DataType | None) -> bool:
    """Whether `rows_in` takes columns of a type."""
    return kind is not None and bool(
        pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_string(kind)
    )


def _as_integers(array: pa.Array) -> np.ndarray[Any, Any]:
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    values: np.ndarray[Any, Any] = (array.fill_null(0) if array.null_count else array).to_numpy()
    return values


def _as_integer(bound: Any, kind: pa.DataType) -> int:
    """A bound in the units of a column; the unit before, if it is between two."""
    if not pa.types.is_timestamp(kind):
        return int(bound)
    stamp = pd.Timestamp(bound)
    ticks = int(stamp.to_datetime64().astype(f"M8[{stamp.unit}]").astype(np.int64))
    return ticks * _PER_SECOND[kind.unit] // _PER_SECOND[stamp.unit]
