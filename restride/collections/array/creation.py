"""Making arrays: from what exists, of one value, of numbers in a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.operations import sources


def from_array(x: Any, chunks: Any = "auto") -> Array:
    """Make an array of an object that can be sliced.

    Parameters
    ----------
    x : object with shape, dtype and __getitem__, or array_like
        A numpy array (sliced without copying; do not change it while results are to come), a memory map, a dataset of a
        file. Sliced with a tuple of slices, one for each axis, by several threads at once.
    chunks : int, str, tuple or dict
        One value for all axes, one for each, or a dict from axis to value. A value is a length (the last block may be
        shorter), -1 for the whole axis, a tuple of lengths, or ``"auto"`` (or a size such as ``"16 MiB"``) for blocks
        of about that size.

    Returns
    -------
    Array

    Raises
    ------
    ChunkError
        The chunks do not fit the shape.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.from_array(np.arange(6).reshape(2, 3), chunks=(1, 3))
    >>> x
    <Array: shape (2, 3), int64, 2 chunks of (1, 3)>
    >>> x.sum(axis=0).compute()
    array([3, 5, 7])
    """
    if isinstance(x, Array):
        return x if chunks == "auto" else x.rechunk(chunks)
    if not all(hasattr(x, attribute) for attribute in ("shape", "dtype", "__getitem__")) or isinstance(x, np.generic):
        return asarray(x, chunks=chunks)
    shape = tuple(map(int, x.shape))
    return Array(sources.from_object(x, normalize_chunks(chunks, shape, np.dtype(x.dtype).itemsize)))


def full(shape: Any, fill_value: Any, dtype: DTypeLike | None = None, *, chunks: Any = "auto") -> Array:
    """Make an array of one value.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : scalar
    dtype : dtype, optional
        That of `fill_value` by default.
    chunks : int, str, tuple or dict
        See `from_array`.

    Returns
    -------
    Array

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.full((2, 2), 7, chunks=1).compute()
    array([[7, 7],
           [7, 7]])
    """
    if np.ndim(fill_value):
        raise ValueError(f"fill_value must be a scalar, got one of shape {np.shape(fill_value)}")
    value = np.asarray(fill_value, dtype)
    shape = _shape(shape)
    return Array(sources.full(normalize_chunks(chunks, shape, value.itemsize), value, value.dtype))


def zeros(shape: Any, dtype: DTypeLike = float, *, chunks: Any = "auto") -> Array:
    """Make an array of zeros; see `full`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.zeros(3).compute()
    array([0., 0., 0.])
    """
    return full(shape, np.zeros((), dtype)[()], dtype, chunks=chunks)


def ones(shape: Any, dtype: DTypeLike = float, *, chunks: Any = "auto") -> Array:
    """Make an array of ones; see `full`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ones((100, 100), chunks=(10, 100)).sum().compute()
    np.float64(10000.0)
    """
    return full(shape, np.ones((), dtype)[()], dtype, chunks=chunks)


def empty(shape: Any, dtype: DTypeLike = float, *, chunks: Any = "auto") -> Array:
    """Make an array of no particular values (zeros, as it happens); see `full`."""
    return zeros(shape, dtype, chunks=chunks)


@implements(np.full_like)
def full_like(x: Any, fill_value: Any, dtype: DTypeLike | None = None, *, chunks: Any = None) -> Array:
    """Make an array of one value, with the shape, the chunks, and unless given the dtype of another.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.full_like(ra.arange(3), 9).compute()
    array([9, 9, 9])
    """
    like = asarray(x)
    return full(like.shape, fill_value, dtype or like.dtype, chunks=like.chunks if chunks is None else chunks)


@implements(np.zeros_like)
def zeros_like(x: Any, dtype: DTypeLike | None = None, *, chunks: Any = None) -> Array:
    """Make an array of zeros like another; see `full_like`."""
    return full_like(x, np.zeros((), dtype or asarray(x).dtype)[()], dtype, chunks=chunks)


@implements(np.ones_like)
def ones_like(x: Any, dtype: DTypeLike | None = None, *, chunks: Any = None) -> Array:
    """Make an array of ones like another; see `full_like`."""
    return full_like(x, np.ones((), dtype or asarray(x).dtype)[()], dtype, chunks=chunks)


@implements(np.empty_like)
def empty_like(x: Any, dtype: DTypeLike | None = None, *, chunks: Any = None) -> Array:
    """Make an array of no particular values like another; see `full_like`."""
    return zeros_like(x, dtype, chunks=chunks)


def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: DTypeLike | None = None, *, chunks: Any = "auto"
) -> Array:
    """Make numbers in a row, at equal distances.

    Parameters
    ----------
    start, stop, step : number
        From `start` up to but without `stop`; ``arange(stop)`` starts at 0.
    dtype : dtype, optional
    chunks : int, str or tuple
        See `from_array`.

    Returns
    -------
    Array
        1-d.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.arange(2, 10, 3, chunks=2).compute()
    array([2, 5, 8])
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ZeroDivisionError("the step of arange cannot be 0")
    length = max(int(np.ceil((stop - start) / step)), 0)
    kind = np.dtype(dtype) if dtype is not None else np.arange(start, start, step).dtype
    return Array(sources.Arange(normalize_chunks(chunks, (length,), kind.itemsize), start, step, kind))


def linspace(
    start: float,
    stop: float,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    *,
    chunks: Any = "auto",
) -> Array:
    """Make `num` numbers at equal distances from `start` to `stop`, which is the last unless `endpoint` is false.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linspace(0, 1, 5, chunks=2).compute()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    if num < 0:
        raise ValueError(f"number of samples, {num}, must be non-negative")
    steps = num - 1 if endpoint else num
    step = (stop - start) / steps if steps > 0 else 0.0
    kind = np.dtype(dtype) if dtype is not None else np.result_type(start, stop, 1.0)
    return Array(sources.Arange(normalize_chunks(chunks, (num,), kind.itemsize), start, step, kind))


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    lengths = tuple(int(np.asarray(size).__index__()) for size in sizes)
    if any(length < 0 for length in lengths):
        raise ValueError(f"negative dimensions are not allowed: {lengths}")
    return lengths
