"""Grids: arrays of coordinates and of index numbers, made where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.creation import arange, empty
from restride.collections.array.manipulation import broadcast_to, stack


@implements(np.meshgrid)
def meshgrid(*xi: Any, sparse: bool = False, indexing: str = "xy", copy: bool = True) -> tuple[Array, ...]:
    """Grids of coordinates, from those along each axis.

    Parameters
    ----------
    *xi : Array or array_like
        1-d.
    sparse : bool
        Whether to leave the grids 1 long along all axes but their own; they broadcast.
    indexing : str
        "xy": the first two axes of the grids change places; "ij": they do not.
    copy : bool
        Has no effect, as nothing is changed in place.

    Raises
    ------
    ValueError
        Another `indexing`, or coordinates of several axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> x, y = ra.meshgrid(ra.arange(3), ra.arange(2))
    >>> x.compute()
    array([[0, 1, 2],
           [0, 1, 2]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    arrays = [asarray(x).ravel() for x in xi]
    axes = list(range(len(arrays)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    along = {axis: x for x, axis in zip(arrays, axes)}
    order = [along[axis] for axis in range(len(arrays))]
    grids = [x[tuple(slice(None) if a == axis else None for a in range(len(arrays)))] for x, axis in zip(arrays, axes)]
    if sparse:
        return tuple(grids)
    shape, chunks = tuple(x.size for x in order), tuple(x.chunks[0] for x in order)
    return tuple(broadcast_to(grid, shape, chunks=chunks) for grid in grids)


def indices(
    dimensions: Sequence[int], dtype: DTypeLike = int, sparse: bool = False, *, chunks: Any = "auto"
) -> Array | tuple[Array, ...]:
    """The index numbers of a grid: for each axis an array, along a first axis of the result.

    Parameters
    ----------
    dimensions : sequence of int
        The shape of the grid.
    dtype : dtype
    sparse : bool
        Whether to return a tuple of arrays that are 1 long along all axes but their own.
    chunks : int, str, tuple or dict
        Of the grid; see `from_array`.

    Examples
    --------
    >>> import restride.array as ra
    >>> rows, columns = ra.indices((2, 3))
    >>> columns.compute()
    array([[0, 1, 2],
           [0, 1, 2]])
    """
    shape = tuple(dimensions)
    lengths = normalize_chunks(chunks, shape, np.dtype(dtype).itemsize)
    rows = [arange(n, dtype=dtype, chunks=(c,)) for n, c in zip(shape, lengths)]
    if not rows:
        return () if sparse else empty((0,), dtype)
    grids = meshgrid(*rows, sparse=sparse, indexing="ij")
    return grids if sparse else stack(grids)
