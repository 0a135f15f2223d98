"""Index arithmetic on dependencies in CSR form, as in ``scipy.sparse``: `indptr` int64[n + 1], `indices` int64[edges].

Row ``t`` is ``indices[indptr[t]:indptr[t + 1]]``. Every function works on whole columns; none loops over rows.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Whole = TypeVar("Whole", bound=np.signedinteger)


def row_starts(counts: NDArray[np.integer]) -> Ints:
    """Row pointers, int64[n + 1], of rows with these lengths."""
    indptr = np.zeros(len(counts) + 1, np.int64)
    counts.cumsum(out=indptr[1:])
    return indptr


def positions(starts: Ints, counts: NDArray[np.integer]) -> Ints:
    """Positions of the entries of several rows, one row after another, given where each starts and its length."""
    offsets = counts.cumsum()
    total = int(offsets[-1]) if len(offsets) else 0
    shifts: Ints = (starts - offsets + counts).repeat(counts)
    return np.arange(total) + shifts


def take_rows(indptr: Ints, indices: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Lengths of some rows, and their entries one row after another."""
    starts = indptr[rows]
    counts = indptr[rows + 1] - starts
    if len(rows) == 1:  # the batch of one, where numpy's overhead is all there is
        return counts, indices[starts[0] : starts[0] + counts[0]]
    return counts, indices[positions(starts, counts)]


def transpose(indptr: Ints, indices: Ints, n: int) -> tuple[Ints, Ints]:
    """Dependents from dependencies: for each of `n` columns the rows that name it, ascending."""
    owners = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    rindptr = row_starts(np.bincount(indices, minlength=n))
    return rindptr, owners[stable_argsort(indices, n)]


def distinct(ids: NDArray[Whole]) -> NDArray[Whole]:
    """What `numpy.unique` gives: ascending, without repeats. Faster, most of all where they are that already."""
    if len(ids) < 2 or (ids[1:] > ids[:-1]).all():
        return ids
    ids = np.sort(ids)
    first = np.ones(len(ids), np.bool_)
    np.not_equal(ids[1:], ids[:-1], out=first[1:])
    return ids[first]


def stable_argsort(keys: Ints, top: int) -> Ints:
    """Stable argsort of integers in ``0 .. top``.

    numpy sorts 16-bit keys by radix, 5 to 10 times faster than wider ones, so wide keys go in 16-bit digits.
    """
    at = keys.astype(np.uint16).argsort(kind="stable")  # the cast keeps the lowest digit
    while top >= 65536:
        keys, top = keys >> 16, top >> 16
        at = at[keys.astype(np.uint16)[at].argsort(kind="stable")]
    return at
