"""Making arrays: from what exists, of one value, of numbers in a row."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.device import check_device
from restride.collections.array.operations import sources
from restride.collections.array.operations.linspace import Linspace
from restride.collections.array.operations.masked import constant_block, to_plain


def array(x: Any, dtype: DTypeLike | None = None, *, copy: bool = True, ndmin: int = 0, chunks: Any = "auto") -> Array:
    """Make an array of the values that something has now.

    Parameters
    ----------
    x : Array or array_like
    dtype : dtype, optional
    copy : bool
        Whether a numpy array is copied, so that the result stays what it is when that changes.
    ndmin : int
        How many axes there are at least; new ones come first.
    chunks : int, str, tuple or dict
        See `from_array`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.array([1, 2], ndmin=2).compute()
    array([[1, 2]])
    """
    made = asarray(x, dtype, copy=copy or None, chunks=chunks if np.ndim(x) else "auto")
    return made[(None,) * (ndmin - made.ndim)] if ndmin > made.ndim else made


def asanyarray(x: Any, dtype: DTypeLike | None = None, *, chunks: Any = "auto") -> Array:
    """Make an array of anything; as `asarray`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.asanyarray([1, 2]).compute()
    array([1, 2])
    """
    return asarray(x, dtype, chunks=chunks)


def full(
    shape: Any, fill_value: Any, dtype: DTypeLike | None = None, *, chunks: Any = "auto", device: str | None = None
) -> Array:
    """Make an array of one value.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : scalar
    dtype : dtype, optional
        That of `fill_value` by default.
    chunks : int, str, tuple or dict
        See `from_array`.
    device : {"cpu", None}

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
    check_device(device)
    if np.ndim(fill_value):
        raise ValueError(f"fill_value must be a scalar, got one of shape {np.shape(fill_value)}")
    value = np.asarray(fill_value, dtype)
    shape = _shape(shape)
    return Array(sources.full(normalize_chunks(chunks, shape, value.itemsize), value, value.dtype))


def zeros(shape: Any, dtype: DTypeLike | None = float, *, chunks: Any = "auto", device: str | None = None) -> Array:
    """Make an array of zeros; see `full`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.zeros(3).compute()
    array([0., 0., 0.])
    """
    return full(shape, np.zeros((), dtype)[()], dtype, chunks=chunks, device=device)


def ones(shape: Any, dtype: DTypeLike | None = float, *, chunks: Any = "auto", device: str | None = None) -> Array:
    """Make an array of ones; see `full`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ones((100, 100), chunks=(10, 100)).sum().compute()
    np.float64(10000.0)
    """
    return full(shape, np.ones((), dtype)[()], dtype, chunks=chunks, device=device)


def empty(shape: Any, dtype: DTypeLike | None = float, *, chunks: Any = "auto", device: str | None = None) -> Array:
    """Make an array of no particular values (zeros, as it happens); see `full`."""
    return zeros(shape, dtype, chunks=chunks, device=device)


@implements(np.full_like)
def full_like(
    x: Any,
    fill_value: Any,
    dtype: DTypeLike | None = None,
    *,
    shape: Any = None,
    chunks: Any = None,
    device: str | None = None,
) -> Array:
    """Make an array of one value, with the shape, the chunks, and the dtype of another, unless given.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.full_like(ra.arange(3), 9).compute()
    array([9, 9, 9])
    """
    like = asarray(x)
    kind = like.dtype if dtype is None else dtype
    if shape is None and chunks is None and math.isnan(like.size):
        check_device(device)
        value = np.asarray(fill_value).astype(kind)
        return Array(to_plain(constant_block, like.expr, dtype=np.dtype(kind), value=value))
    if chunks is None:
        chunks = like.chunks if shape is None else "auto"
    return full(like.shape if shape is None else shape, fill_value, kind, chunks=chunks, device=device)


@implements(np.zeros_like)
def zeros_like(
    x: Any, dtype: DTypeLike | None = None, *, shape: Any = None, chunks: Any = None, device: str | None = None
) -> Array:
    """Make an array of zeros like another; see `full_like`."""
    return full_like(x, _one_of(x, dtype, np.zeros), dtype, shape=shape, chunks=chunks, device=device)


@implements(np.ones_like)
def ones_like(
    x: Any, dtype: DTypeLike | None = None, *, shape: Any = None, chunks: Any = None, device: str | None = None
) -> Array:
    """Make an array of ones like another; see `full_like`."""
    return full_like(x, _one_of(x, dtype, np.ones), dtype, shape=shape, chunks=chunks, device=device)


@implements(np.empty_like)
def empty_like(
    x: Any, dtype: DTypeLike | None = None, *, shape: Any = None, chunks: Any = None, device: str | None = None
) -> Array:
    """Make an array of no particular values like another; see `full_like`."""
    return zeros_like(x, dtype, shape=shape, chunks=chunks, device=device)


def _one_of(x: Any, dtype: DTypeLike | None, make: Any) -> Any:
    return make((), asarray(x).dtype if dtype is None else dtype)[()]


def arange(
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: DTypeLike | None = None,
    *,
    chunks: Any = "auto",
    device: str | None = None,
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
    check_device(device)
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ZeroDivisionError("the step of arange cannot be 0")
    if all(isinstance(number, (int, np.integer)) for number in (start, stop, step)):
        length = len(range(int(start), int(stop), int(step)))
    else:
        length = max(int(np.ceil((stop - start) / step)), 0)
    if dtype is None:
        dtype = np.result_type(*(np.arange(bound, bound, step) for bound in (start, stop)))
    kind = np.dtype(dtype)
    return Array(sources.Arange(normalize_chunks(chunks, (length,), kind.itemsize), start, step, kind))


def linspace(
    start: complex,
    stop: complex,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    *,
    chunks: Any = "auto",
    device: str | None = None,
) -> Any:
    """Make `num` numbers at equal distances from `start` to `stop`, which is the last unless `endpoint` is false.

    With `retstep`, the distance is returned after the array.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linspace(0, 1, 5, chunks=2).compute()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    check_device(device)
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    steps = num - 1 if endpoint else num
    kind = np.dtype(dtype) if dtype is not None else np.result_type(start, stop, 1.0)
    made = Array(Linspace(normalize_chunks(chunks, (num,), kind.itemsize), start, stop, steps, kind))
    return (made, (stop - start) / steps if steps > 0 else float("nan")) if retstep else made


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    lengths = tuple(int(np.asarray(size).__index__()) for size in sizes)
    if any(length < 0 for length in lengths):
        raise ValueError(f"negative dimensions are not allowed: {lengths}")
    return lengths
