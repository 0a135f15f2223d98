"""Rows to buckets: by hash or by range, and a table in the order of its rows' buckets, so that each is one slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from restride.collections.dataframe.kernels.hashing import Hashes
from restride.collections.dataframe.kernels.narrowing import next_words
from restride.collections.dataframe.kernels.radix import argsort_unsigned
from restride.collections.dataframe.kernels.sort_keys import KeyColumn, Level, SortKey, Unsigned, paired_levels
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.kernels.words import Rows

Codes = np.ndarray[Any, np.dtype[np.unsignedinteger[Any]]]
"""For each row the number of its bucket, in the narrowest type that holds them all."""
Bounds = np.ndarray[Any, np.dtype[np.int64]]
"""Where each bucket begins, and where the last ends: int64[n_buckets + 1]."""

Side = Literal["left", "right"]

_BLOCK = 16 * 1024
"""Values that are worked on at once, so that what comes in between stays in the processor's cache."""
_COMPARES = 12
"""Splitters up to which every value is compared with each: that takes less than to look it up."""
_BINS = 1 << 16


def code_type(n_buckets: int) -> np.dtype[Any]:
    """The narrowest unsigned type for numbers of buckets."""
    return np.min_scalar_type(max(n_buckets - 1, 0))


def hash_buckets(hashes: Hashes, n_buckets: int) -> Codes:
    """Buckets by hash, as even as the hashes are: the high bits as a fraction of `n_buckets`.

    Parameters
    ----------
    hashes : ndarray of uint64
    n_buckets : int
        Up to 2**32.

    Examples
    --------
    >>> hash_buckets(np.array([0, 1 << 63, (1 << 64) - 1], np.uint64), 10).tolist()
    [0, 5, 9]
    """
    codes = np.empty(len(hashes), code_type(n_buckets))
    for start in range(0, len(hashes), _BLOCK):
        high = hashes[start : start + _BLOCK] >> np.uint64(32)
        high *= np.uint64(n_buckets)
        high >>= np.uint64(32)
        codes[start : start + _BLOCK] = high
    return codes


def range_buckets(
    columns: Sequence[KeyColumn], splitters: Sequence[KeyColumn], keys: Sequence[SortKey], *, side: Side = "right"
) -> Codes:
    """Buckets by range: the number of splitters that a row does not come before.

    Rows with equal keys are in one bucket, and all rows of a bucket come before those of the next.

    Parameters
    ----------
    columns : sequence of pyarrow arrays or Series
        The key columns.
    splitters : sequence of pyarrow arrays or Series
        The same columns of the splitters, in order; see `restride.collections.dataframe.kernels.splitters`.
    keys : sequence of SortKey
    side : {"right", "left"}
        "left" for the number of splitters that a row comes after.

    Examples
    --------
    >>> range_buckets([pa.array([5, 1, None, 3])], [pa.array([3, 4])], [SortKey()]).tolist()
    [2, 0, 2, 1]
    """
    n, n_splitters = len(columns[0]), len(splitters[0])
    if n == 0 or n_splitters == 0:
        return np.zeros(n, code_type(n_splitters + 1))
    levels = paired_levels(columns, splitters, keys)
    if not levels[0]:
        return np.full(n, n_splitters if side == "right" else 0).astype(code_type(n_splitters + 1))
    return _search(list(levels), [None, None], side).astype(code_type(n_splitters + 1), copy=False)


def spread_buckets(
    columns: Sequence[KeyColumn], splitters: Sequence[KeyColumn], keys: Sequence[SortKey], share: float
) -> Codes:
    """Buckets by range as by `range_buckets`, but for keys that are splitters several times: they have several buckets.

    Parameters
    ----------
    share : float
        Which of its buckets rows of such a key go to: from 0, the first, to 1. Rows that come later must have a greater
        one for rows of equal keys to stay in their order.

    Examples
    --------
    >>> often = [pa.array([4, 7, 7, 7, 9])]
    >>> [spread_buckets([pa.array([1, 7, 8])], often, [SortKey()], share).tolist() for share in (0.0, 0.5, 0.9)]
    [[0, 2, 4], [0, 3, 4], [0, 4, 4]]
    """
    codes = range_buckets(columns, splitters, keys)
    if not len(splitters[0]) or int(np.diff(range_buckets(splitters, splitters, keys).astype(np.int64)).min(initial=1)):
        return codes
    before = range_buckets(columns, splitters, keys, side="left")
    several = codes - before > 1
    spread = before + 1 + (share * (codes - before)).astype(codes.dtype)
    return np.where(several, spread, codes)


def bucket_order(codes: Codes, n_buckets: int) -> tuple[Rows, Bounds]:
    """The rows in the order of their buckets, in each as they were, and where each bucket begins and ends."""
    bounds = np.zeros(n_buckets + 1, np.int64)
    np.cumsum(np.bincount(codes, minlength=n_buckets), out=bounds[1:])
    return argsort_unsigned(codes, (n_buckets - 1).bit_length()), bounds


def split(table: pa.Table, codes: Codes, n_buckets: int) -> tuple[pa.Table, Bounds]:
    """A table in the order of its rows' buckets.

    Parameters
    ----------
    table : pyarrow.Table
        Its columns may be in several chunks.
    codes : ndarray of unsigned integers
        The bucket of each row.
    n_buckets : int

    Returns
    -------
    table : pyarrow.Table
    bounds : ndarray of int64, shape (n_buckets + 1,)
        Bucket ``b`` are the rows from ``bounds[b]`` to ``bounds[b + 1]``.

    Examples
    --------
    >>> table, bounds = split(pa.table({"x": [7, 8, 9]}), np.array([1, 0, 1], np.uint8), 3)
    >>> table["x"].to_pylist(), bounds.tolist()
    ([8, 7, 9], [0, 1, 3, 3])
    """
    order, bounds = bucket_order(codes, n_buckets)
    return take(table, order), bounds


# ---- search among splitters


def _search(levels: Sequence[list[Level]], which: Sequence[Rows | None], side: Side) -> np.ndarray:
    """For each row how many splitters it does not come before, or how many it comes after.

    Parameters
    ----------
    levels : pair of list of Level
        Those of the rows, and those of the splitters.
    which : pair of (ndarray of int64 or None)
        Which of the rows, and which of the splitters.
    """
    if len(levels[0]) == 1:
        values, bounds = (of[0](some) for of, some in zip(levels, which))
        return _count(bounds, values, side)
    levels = [list(of) for of in levels]
    (values, bounds), _ = next_words(levels, which)
    if not levels[0]:
        return _count(bounds, values, side)
    codes = _count(bounds, values, "right")
    equal = np.flatnonzero((codes > 0) & (bounds[np.maximum(codes, 1) - 1] == values))
    if not len(equal):
        return codes
    # Rows that equal a splitter lie together by which one it is.
    equal = equal[argsort_unsigned(codes[equal].astype(np.uint32), len(bounds).bit_length())]
    starts = np.flatnonzero(np.append(True, bounds[1:] != bounds[:-1]))
    stops = np.append(starts[1:], len(bounds))
    ends = np.searchsorted(codes[equal], stops, side="right")
    for start, stop, first, last in zip(starts.tolist(), stops.tolist(), [0, *ends.tolist()], ends.tolist()):
        if first < last:
            undecided = equal[first:last]
            rows, splitters = which
            rows = undecided if rows is None else rows[undecided]
            splitters = np.arange(start, stop) if splitters is None else splitters[start:stop]
            codes[undecided] = start + _search(levels, [rows, splitters], side)
    return codes


def _count(bounds: Unsigned, values: Unsigned, side: Side) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many of the sorted bounds are at most each value, or below it."""
    codes = np.empty(len(values), np.int64)
    if len(bounds) <= _COMPARES:
        for start in range(0, len(values), _BLOCK):
            block, counts = values[start : start + _BLOCK], codes[start : start + _BLOCK]
            counts[:] = 0
            for bound in bounds:
                counts += (block >= bound) if side == "right" else (block > bound)
        return codes
    least = bounds[0]
    shift = bounds.dtype.type(max(0, int(bounds[-1] - least).bit_length() - 16))
    bins = (bounds - least) >> shift
    # A bin's entry is how many bounds are below all of it; the bins that have a bound inside are looked at again.
    table = np.searchsorted(bins, np.arange(int(bins[-1]) + 2), side="left")
    inside = np.zeros(len(table), np.bool_)
    inside[bins] = True
    table[inside] = -1
    table[-1] = len(bounds)
    for start in range(0, len(values), _BLOCK):
        block, counts = values[start : start + _BLOCK], codes[start : start + _BLOCK]
        numbers = (np.maximum(block, least) - least) >> shift
        np.take(table, numbers.astype(np.int64), out=counts, mode="clip")
        counts[block < least] = 0
        unsure = np.flatnonzero(counts < 0)
        counts[unsure] = np.searchsorted(bounds, block[unsure], side=side)
    return codes
