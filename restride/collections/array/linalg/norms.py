"""Numbers that say something of vectors and matrices: norms, determinants; and powers of matrices."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array import products
from restride.collections.array import triangles as tri
from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.elementwise import exp, sign, sqrt
from restride.collections.array.linalg.elimination import eliminated
from restride.collections.array.linalg.matrices import (
    block_calls,
    double,
    goes_to_one_task,
    inexact,
    matrices,
    per_matrix,
    real_part,
)
from restride.collections.array.linalg.solving import inv
from restride.collections.array.linalg.svd import svdvals
from restride.collections.array.manipulation import broadcast_to, concatenate, moveaxis


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of determinants."""

    sign: Array
    logabsdet: Array


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002  # numpy's name
    """Norm of vectors or matrices.

    Parameters
    ----------
    x : Array or array_like
        1-d or 2-d, unless there is an axis, or neither axis nor `ord`: then all elements are one vector.
    ord : {number, inf, -inf, "fro", "nuc"}, optional
        Which norm, as for `numpy.linalg.norm`: of vectors the 2-norm by default, of matrices Frobenius'.
    axis : int or pair of int, optional
        One axis for vectors, two for matrices.
    keepdims : bool
        Whether to keep these axes, with length 1.

    Raises
    ------
    ValueError
        An order that there is not, or too many axes.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.asarray([[3.0, 4.0], [0.0, 5.0]], chunks=1)
    >>> ra.linalg.norm(x, axis=1).compute()
    array([5., 5.])
    >>> ra.linalg.norm(x, np.inf).compute()
    np.float64(7.0)
    """
    array = asarray(x)
    if array.dtype.kind not in "fc":
        array = array.astype(float)
    if axis is None:
        axes = tuple(range(array.ndim))
        if ord is None or (ord in ("f", "fro") and array.ndim == 2) or (ord == 2 and array.ndim == 1):
            return _root_of_squares(array, axes, keepdims)
    else:
        axes = tuple(axis) if isinstance(axis, (tuple, list)) else (operator.index(axis),)
        axes = np.lib.array_utils.normalize_axis_tuple(axes, array.ndim)
    if len(axes) == 1:
        return _vector_norm(array, 2 if ord is None else ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(array, "fro" if ord is None else ord, axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    """Norm of vectors along an axis, several taken as one, or all; see `norm`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.vector_norm(ra.ones((2, 8), chunks=3)).compute()
    np.float64(4.0)
    """
    array = asarray(x)
    if array.dtype.kind not in "fc":
        array = array.astype(float)
    axes = range(array.ndim) if axis is None else axis
    return _vector_norm(array, ord, np.lib.array_utils.normalize_axis_tuple(axes, array.ndim), keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002  # numpy's name
    """Norm of matrices, the last two axes; see `norm`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.matrix_norm(ra.ones((2, 8), chunks=3), ord=1).compute()
    np.float64(2.0)
    """
    return norm(matrices(x), ord, (-2, -1), keepdims)


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> SlogdetResult:
    """Sign of determinants, and logarithm of their absolute values.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, m).

    Raises
    ------
    LinAlgError
        `a` is not square.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.slogdet(ra.eye(4, chunks=2) * -2).logabsdet.compute().round(6)
    np.float64(2.772589)
    """
    x = matrices(a, square=True)
    kind = inexact(x.dtype)
    if goes_to_one_task(x):
        return SlogdetResult(*per_matrix(np.linalg.slogdet, "(m,m)->(),()", x, dtypes=[kind, real_part(kind)]))
    panels, upper = eliminated(x.astype(double(kind)), x.shape[0])
    along = tri.diagonal(upper)
    signs = concatenate([panel.sign for panel in panels])
    (logarithms,) = block_calls(_logarithms, "i", along, "i", chunks=[along.chunks], dtype=real_part(along.dtype))
    return SlogdetResult((sign(along).prod() * signs.prod()).astype(kind), logarithms.sum().astype(real_part(kind)))


@implements(np.linalg.det)
def det(a: Any) -> Array:
    """Determinants of matrices; see `slogdet`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.det(ra.asarray([[2.0, 0.0], [0.0, 3.0]])).compute()
    np.float64(6.0)
    """
    x = matrices(a, square=True)
    if goes_to_one_task(x):
        determinants: Array = per_matrix(np.linalg.det, "(m,m)->()", x, dtypes=inexact(x.dtype))
        return determinants
    phase, logarithm = slogdet(x)
    return phase * exp(logarithm)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Array:
    """Square matrices to a whole power; negative ones of their inverses.

    Raises
    ------
    LinAlgError
        `a` is not square.
    TypeError
        `n` is not whole.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.matrix_power(ra.asarray([[1, 1], [1, 0]]), 10).compute()
    array([[89, 55],
           [55, 34]])
    """
    x = asarray(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError(f"Last 2 dimensions of the array must be square, got shape {x.shape}")
    n = operator.index(n)
    if n < 0:
        x, n = inv(x), -n
    if n == 0:
        return broadcast_to(tri.eye(x.shape[-1], dtype=x.dtype, chunks=x.chunks[-2:]), x.shape)
    result = None
    while n:
        if n & 1:
            result = x if result is None else products.matmul(result, x)
        n >>= 1
        x = products.matmul(x, x) if n else x
    assert result is not None  # as n was positive
    return result


@implements(np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Array:
    """Matrices with rows and columns exchanged.

    Raises
    ------
    ValueError
        `x` has less than two axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.matrix_transpose(ra.zeros((2, 3, 4))).shape
    (2, 4, 3)
    """
    array = asarray(x)
    if array.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {array.ndim}")
    return array.swapaxes(-1, -2)


@implements(np.linalg.diagonal)
def diagonal(x: Any, *, offset: int = 0) -> Array:
    """The elements along a diagonal of the last two axes; see `restride.array.diagonal`."""
    return tri.diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def trace(x: Any, *, offset: int = 0, dtype: DTypeLike | None = None) -> Array:
    """Sum of the elements along a diagonal of the last two axes; see `restride.array.trace`."""
    return tri.trace(x, offset, -2, -1, dtype)


@implements(np.linalg.outer)
def outer(x1: Any, x2: Any) -> Array:
    """Every element of one 1-d array times every element of another.

    Raises
    ------
    ValueError
        An array that is not 1-d.
    """
    a, b = asarray(x1), asarray(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"Input arrays must be one-dimensional, but they are {a.ndim=} and {b.ndim=}")
    return products.outer(a, b)


@implements(np.linalg.cross)
def cross(x1: Any, x2: Any, *, axis: int = -1) -> Array:
    """Vector product along an axis; see `restride.array.cross`."""
    return products.cross(x1, x2, axis=axis)


def _vector_norm(x: Array, order: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    size = abs(x)
    if order == np.inf:
        return size.max(axes, keepdims=keepdims)
    if order == -np.inf:
        return size.min(axes, keepdims=keepdims)
    if order == 0:
        return (x != 0).astype(size.dtype).sum(axes, keepdims=keepdims)
    if order == 1:
        return size.sum(axes, keepdims=keepdims)
    if order == 2:
        return _root_of_squares(x, axes, keepdims)
    return (size**order).sum(axes, keepdims=keepdims) ** size.dtype.type(1 / order)


def _matrix_norm(x: Array, order: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    rows, columns = axes
    if rows == columns:
        raise ValueError("Duplicate axes given.")
    if order in ("fro", "f"):
        return _root_of_squares(x, axes, keepdims)
    if order in ("nuc", 2, -2):
        values = svdvals(moveaxis(x, (rows, columns), (-2, -1)))
        result = values.sum(-1) if order == "nuc" else values.max(-1) if order == 2 else values.min(-1)
    elif order in (1, -1, np.inf, -np.inf):
        along, over = (rows, columns) if abs(order) == 1 else (columns, rows)
        sums = abs(x).sum(along, keepdims=True)
        result = sums.max(over, keepdims=True) if order > 0 else sums.min(over, keepdims=True)
        return result if keepdims else result.squeeze(axes)
    else:
        raise ValueError("Invalid norm order for matrices.")
    return result[tuple(None if axis in axes else slice(None) for axis in range(x.ndim))] if keepdims else result


def _root_of_squares(x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    squares = (x * x.conj()).real if x.dtype.kind == "c" else x * x
    return sqrt(squares.sum(axes, keepdims=keepdims))


def _logarithms(block: np.ndarray) -> np.ndarray:
    """Kernel: logarithms of absolute values; of zero without the warning that numpy's determinants do not give."""
    with np.errstate(divide="ignore"):
        return np.log(np.abs(block))
