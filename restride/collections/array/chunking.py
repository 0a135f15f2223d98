"""Chunks as functions of users: spelled out, as slices, and changed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array import chunks as arithmetic
from restride.collections.array.array import Array, asarray
from restride.config import parse_bytes


def rechunk(x: Any, chunks: Any = "auto") -> Array:
    """The same array along other boundaries; see `Array.rechunk`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.rechunk(ra.zeros(10, chunks=5), 4).chunks
    ((4, 4, 2),)
    """
    return asarray(x).rechunk(chunks)


def normalize_chunks(
    chunks: Any,
    shape: tuple[int, ...] | None = None,
    limit: int | str | None = None,
    dtype: DTypeLike | None = None,
    previous_chunks: Any = None,
) -> tuple[tuple[int, ...], ...]:
    """Write chunks of any spelling as a tuple of lengths for each axis.

    Parameters
    ----------
    chunks : int, str, tuple or dict
        See `from_array`.
    shape : tuple of int, optional
        What the chunks add up to, if they are not spelled out already.
    limit : int or str, optional
        Bytes of a block of ``"auto"``; setting ``array.chunk_size`` by default.
    dtype : dtype, optional
        For ``"auto"``.
    previous_chunks : tuple of tuple of int, optional
        The chunks there are, for axes where `chunks` have None.

    Raises
    ------
    ChunkError
        A ValueError: the chunks do not fit the shape.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.normalize_chunks((4, -1), shape=(10, 3))
    ((4, 4, 2), (3,))
    """
    if shape is None:
        if not isinstance(chunks, (tuple, list)) or not all(isinstance(lengths, (tuple, list)) for lengths in chunks):
            raise ValueError(f"chunks {chunks!r} say nothing without a shape")
        shape = tuple(map(sum, chunks))
    itemsize = 1 if dtype is None else np.dtype(dtype).itemsize
    if "auto" in (chunks, *(chunks if isinstance(chunks, (tuple, list)) else ())) and dtype is None:
        raise TypeError("chunks of 'auto' need a dtype")
    return arithmetic.normalize_chunks(
        chunks, shape, itemsize, previous=previous_chunks, limit=parse_bytes(limit) if isinstance(limit, str) else limit
    )


def slices_from_chunks(chunks: Any) -> list[tuple[slice, ...]]:
    """For each block, in C order, the slices that cut it out of the array.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.slices_from_chunks(((2, 1), (3,)))
    [(slice(0, 2, None), slice(0, 3, None)), (slice(2, 3, None), slice(0, 3, None))]
    """
    edges = [arithmetic.starts_of(lengths).tolist() for lengths in chunks]
    return list(itertools.product(*([slice(a, b) for a, b in itertools.pairwise(axis)] for axis in edges)))


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that shapes broadcast to.

    Raises
    ------
    ValueError
        They do not.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    return arithmetic.broadcast_shapes(*shapes) if shapes else ()
