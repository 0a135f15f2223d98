"""Reductions as functions, with numpy's names; `Array` has them as methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements


@implements(np.sum)
def sum(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
    """Sum of elements.

    Parameters
    ----------
    x : Array or array_like
    axis : int, tuple of int or None
        What to reduce along; all axes by default. Negative ones count from the last.
    dtype : dtype, optional
        Of the result and the accumulation; as in numpy by default.
    keepdims : bool
        Whether to keep the reduced axes, with length 1.

    Returns
    -------
    Array

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.sum(ra.ones((4, 3), chunks=2), axis=0).compute()
    array([4., 4., 4.])
    """
    return asarray(x).sum(axis, dtype, keepdims=keepdims)


@implements(np.prod)
def prod(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
    """Product of elements; parameters and errors as for `sum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.prod(ra.arange(1, 6, chunks=2)).compute()
    np.int64(120)
    """
    return asarray(x).prod(axis, dtype, keepdims=keepdims)


@implements(np.mean)
def mean(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
    """Mean of elements; parameters and errors as for `sum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.mean(ra.arange(5, chunks=2)).compute()
    np.float64(2.0)
    """
    return asarray(x).mean(axis, dtype, keepdims=keepdims)


@implements(np.var)
def var(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """Variance of elements, with ``n - ddof`` degrees of freedom; other parameters and errors as for `sum`.

    The blocks' means and squared distances are merged, which is stable however large the mean is.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.var(ra.arange(5, chunks=2) + 1e9, ddof=1).compute()
    np.float64(2.5)
    """
    return asarray(x).var(axis, dtype, ddof=ddof, keepdims=keepdims)


@implements(np.std)
def std(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """Standard deviation of elements, with ``n - ddof`` degrees of freedom; see `var`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.std(ra.asarray([1.0, 3.0, 1.0, 3.0], chunks=2)).compute()
    np.float64(1.0)
    """
    return asarray(x).std(axis, dtype, ddof=ddof, keepdims=keepdims)


@implements(np.min)
def min(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Least element, NaN if there is one; parameters and errors as for `sum`.

    Raises
    ------
    ValueError
        There are no elements.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.min(ra.asarray([[3, 1], [2, 5]], chunks=1), axis=1).compute()
    array([1, 2])
    """
    return asarray(x).min(axis, keepdims=keepdims)


@implements(np.max)
def max(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Greatest element, NaN if there is one; parameters and errors as for `min`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.max(ra.asarray([[3, 1], [2, 5]], chunks=1), axis=1).compute()
    array([3, 5])
    """
    return asarray(x).max(axis, keepdims=keepdims)


@implements(np.argmin)
def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Where the least element is first met: along an axis, or (None) in the flattened array.

    Raises
    ------
    ValueError
        There are no elements.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.argmin(ra.asarray([[3, 1], [0, 5]], chunks=1)).compute()
    np.int64(2)
    """
    return asarray(x).argmin(axis, keepdims=keepdims)


@implements(np.argmax)
def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Where the greatest element is first met; see `argmin`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.argmax(ra.asarray([[3, 1], [0, 5]], chunks=1), axis=0).compute()
    array([0, 1])
    """
    return asarray(x).argmax(axis, keepdims=keepdims)


@implements(np.any)
def any(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Whether some element is true; parameters and errors as for `sum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.any(ra.arange(3, chunks=1) > 1).compute()
    np.True_
    """
    return asarray(x).any(axis, keepdims=keepdims)


@implements(np.all)
def all(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Whether every element is true; parameters and errors as for `sum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.all(ra.arange(3, chunks=1) > 1).compute()
    np.False_
    """
    return asarray(x).all(axis, keepdims=keepdims)
