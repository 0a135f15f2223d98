"""Diagonals and triangles: unit matrices, masks, traces; numpy's names, lazily."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, apply, asarray, implements
from restride.collections.array.chunks import SMALL_BLOCK, chunks_within, normalize_chunks
from restride.collections.array.creation import zeros
from restride.collections.array.device import check_device
from restride.collections.array.manipulation import concatenate
from restride.collections.array.operations import triangles as operation
from restride.collections.array.operations.elementwise import where


def eye(
    N: int,  # noqa: N803  # numpy's names
    M: int | None = None,  # noqa: N803
    k: int = 0,
    dtype: DTypeLike | None = None,
    *,
    chunks: Any = "auto",
    device: str | None = None,
) -> Array:
    """Make a matrix with ones on a diagonal and zeros elsewhere.

    Parameters
    ----------
    N : int
        How many rows.
    M : int, optional
        How many columns; as many as rows by default.
    k : int
        Which diagonal: positive ones above the main one, negative ones below it.
    dtype : dtype, optional
        float64 by default.
    chunks : int, str, tuple or dict
        See `from_array`.
    device : str, optional
        ``"cpu"``.

    Raises
    ------
    ValueError
        Negative lengths.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.eye(3, chunks=2).compute()
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    check_device(device)
    return _banded(N, M, k, dtype, chunks, below=False)


def identity(n: int, dtype: DTypeLike | None = None, *, chunks: Any = "auto") -> Array:
    """Make a unit matrix; see `eye`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.identity(2, int).compute()
    array([[1, 0],
           [0, 1]])
    """
    return eye(n, dtype=dtype, chunks=chunks)


def tri(
    N: int,  # noqa: N803  # numpy's names
    M: int | None = None,  # noqa: N803
    k: int = 0,
    dtype: DTypeLike | None = None,
    *,
    chunks: Any = "auto",
) -> Array:
    """Make a matrix with ones on and below a diagonal, and zeros above it; parameters as for `eye`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.tri(3, dtype=int, chunks=2).compute()
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    return _banded(N, M, k, dtype, chunks, below=True)


@implements(np.tril)
def tril(m: Any, k: int = 0) -> Array:
    """The elements on and below a diagonal of the last two axes, and zeros above it.

    Parameters
    ----------
    m : Array or array_like
    k : int
        Which diagonal: positive ones above the main one, negative ones below it.

    Raises
    ------
    TypeError
        `m` has no axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.tril(ra.ones((3, 3), int, chunks=2), -1).compute()
    array([[0, 0, 0],
           [1, 0, 0],
           [1, 1, 0]])
    """
    x = _matrices(m)
    return apply(where, _below(x, k), x, _zero(x.dtype))


@implements(np.triu)
def triu(m: Any, k: int = 0) -> Array:
    """The elements on and above a diagonal of the last two axes, and zeros below it; see `tril`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.triu(ra.ones((3, 3), int, chunks=2), 1).compute()
    array([[0, 1, 1],
           [0, 0, 1],
           [0, 0, 0]])
    """
    x = _matrices(m)
    return apply(where, _below(x, k - 1), _zero(x.dtype), x)


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements along a diagonal of two axes, as the last axis of the result.

    Parameters
    ----------
    a : Array or array_like
    offset : int
        Which diagonal: element ``(i, i + offset)``.
    axis1, axis2 : int

    Raises
    ------
    ValueError
        `a` has less than two axes, or `axis1` is `axis2`.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.diagonal(ra.arange(9, chunks=3).reshape(3, 3), 1).compute()
    array([1, 5])
    """
    return Array(operation.diagonal(asarray(a).expr, operator.index(offset), axis1, axis2))


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None) -> Array:
    """Sum of the elements along a diagonal; parameters and errors as for `diagonal`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.trace(ra.eye(5, chunks=2)).compute()
    np.float64(5.0)
    """
    return asarray(a).trace(offset, axis1, axis2, dtype)


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Array:
    """A matrix with a vector along a diagonal; or the diagonal, where `v` is a matrix.

    Parameters
    ----------
    v : Array or array_like
        1-d or 2-d.
    k : int
        Which diagonal.

    Raises
    ------
    ValueError
        `v` has other than one or two axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.diag(ra.arange(1, 4, chunks=2)).compute()
    array([[1, 0, 0],
           [0, 2, 0],
           [0, 0, 3]])
    >>> ra.diag(ra.ones((2, 3)), 1).compute()
    array([1., 1.])
    """
    x = asarray(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"Input must be 1- or 2-d, got {x.ndim} axes")
    if k:
        x = concatenate([x, zeros(abs(k), x.dtype, chunks=max(*x.chunksize, 1))])
    side = math.isqrt(SMALL_BLOCK // max(x.itemsize, 1))
    x = x.rechunk(chunks_within(x.chunks, max(2, side)))  # blocks of the result are as long and as wide
    # Row i has its element in column i + k, column i in row i - k: that which starts at 0 names the vector's elements.
    mask = Array(operation.Banded((x.chunks[0], x.chunks[0]), k, np.dtype(bool), below=False))
    return apply(where, mask, x[:, None] if k >= 0 else x[None, :], _zero(x.dtype))


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Array:
    """A matrix with the elements of an array, flattened, along a diagonal; see `diag`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.diagflat([[1, 2]]).compute()
    array([[1, 0],
           [0, 2]])
    """
    return diag(asarray(v).ravel(), k)


def tril_indices(n: int, k: int = 0, m: int | None = None, *, chunks: Any = "auto") -> tuple[Array, Array]:
    """Rows and columns of the elements on and below a diagonal of an `n` x `m` matrix, in C order.

    Examples
    --------
    >>> import restride.array as ra
    >>> rows, columns = ra.tril_indices(2)
    >>> rows.compute(), columns.compute()
    (array([0, 1, 1]), array([0, 0, 1]))
    """
    return _indices(n, k, m, chunks, above=False)


def triu_indices(n: int, k: int = 0, m: int | None = None, *, chunks: Any = "auto") -> tuple[Array, Array]:
    """Rows and columns of the elements on and above a diagonal of an `n` x `m` matrix, in C order.

    Examples
    --------
    >>> import restride.array as ra
    >>> rows, columns = ra.triu_indices(2)
    >>> rows.compute(), columns.compute()
    (array([0, 0, 1]), array([0, 1, 1]))
    """
    return _indices(n, k, m, chunks, above=True)


@implements(np.tril_indices_from)
def tril_indices_from(arr: Any, k: int = 0) -> tuple[Array, Array]:
    """`tril_indices` for the shape of a matrix.

    Raises
    ------
    ValueError
        `arr` is not 2-d.
    """
    rows, columns = _matrix_shape(arr)
    return tril_indices(rows, k, columns)


@implements(np.triu_indices_from)
def triu_indices_from(arr: Any, k: int = 0) -> tuple[Array, Array]:
    """`triu_indices` for the shape of a matrix.

    Raises
    ------
    ValueError
        `arr` is not 2-d.
    """
    rows, columns = _matrix_shape(arr)
    return triu_indices(rows, k, columns)


def _banded(n: int, m: int | None, k: int, dtype: DTypeLike | None, chunks: Any, *, below: bool) -> Array:
    shape = operator.index(n), operator.index(n if m is None else m)
    if min(shape) < 0:
        raise ValueError(f"negative dimensions are not allowed: {shape}")
    kind = np.dtype(float if dtype is None else dtype)
    lengths = normalize_chunks(chunks, shape, kind.itemsize)
    return Array(operation.Banded(lengths, operator.index(k), kind, below=below))


def _matrices(m: Any) -> Array:
    x = asarray(m)
    if x.ndim == 0:
        raise TypeError("a triangle is one of matrices, got an array without axes")
    return x


def _below(x: Array, k: int) -> Array:
    chunks = x.chunks[-2:] if x.ndim > 1 else x.chunks * 2
    return Array(operation.Banded(chunks, operator.index(k), np.dtype(bool), below=True))


def _matrix_shape(arr: Any) -> tuple[int, int]:
    shape = np.shape(arr)
    if len(shape) != 2:
        raise ValueError("input array must be 2-d")
    return shape


def _indices(n: int, k: int, m: int | None, chunks: Any, *, above: bool) -> tuple[Array, Array]:
    m = n if m is None else m
    length = int(operation.triangle_counts(n, m, k, above).sum())
    lengths = normalize_chunks(chunks, (length,), 8)
    rows, columns = (operation.TriangleIndices(lengths, n, m, k, above, side) for side in (False, True))
    return Array(rows), Array(columns)


def _zero(dtype: np.dtype) -> Any:
    """What numpy fills arrays of zeros with, also those of times and of strings."""
    return np.zeros((), dtype)[()]
