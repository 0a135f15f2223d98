"""Reductions as functions, with numpy's names; `Array` has them as methods."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.operations import reductions as operation
from restride.collections.array.operations import scans
from restride.collections.array.operations.custom_reduction import reduction as custom_reduction


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
def var(
    x: Any,
    axis: Any = None,
    dtype: DTypeLike | None = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Array:
    """Variance of elements, with ``n - ddof`` degrees of freedom; other parameters and errors as for `sum`.

    `correction` is another name for `ddof`, that of the array API standard. The blocks' means and squared distances are
    merged, which is stable however large the mean is.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.var(ra.arange(5, chunks=2) + 1e9, ddof=1).compute()
    np.float64(2.5)
    """
    return asarray(x).var(axis, dtype, ddof=ddof, keepdims=keepdims, correction=correction)


@implements(np.std)
def std(
    x: Any,
    axis: Any = None,
    dtype: DTypeLike | None = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Array:
    """Standard deviation of elements, with ``n - ddof`` degrees of freedom; see `var`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.std(ra.asarray([1.0, 3.0, 1.0, 3.0], chunks=2)).compute()
    np.float64(1.0)
    """
    return asarray(x).std(axis, dtype, ddof=ddof, keepdims=keepdims, correction=correction)


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


@implements(np.ptp)
def ptp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Greatest less least element; parameters and errors as for `min`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ptp(ra.asarray([[3, 1], [2, 5]], chunks=1), axis=1).compute()
    array([2, 3])
    """
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)


@implements(np.count_nonzero)
def count_nonzero(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """How many elements are not 0; parameters and errors as for `sum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.count_nonzero(ra.asarray([[0, 1], [2, 5]], chunks=1), axis=1).compute()
    array([1, 2])
    """
    return sum(asarray(x).astype(bool), axis, np.intp, keepdims=keepdims)


def moment(
    x: Any, order: int, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
) -> Array:
    """Central moment: the mean of the distances from the mean to a power; other parameters and errors as for `var`.

    Parameters
    ----------
    x : Array or array_like
    order : int
        The power, 0 or more.

    Raises
    ------
    ValueError
        The order is negative, or no integer.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.moment(ra.asarray([0.0, 0.0, 3.0], chunks=2), 3).compute()
    np.float64(2.0)
    """
    return asarray(x).moment(order, axis, dtype, ddof=ddof, keepdims=keepdims)


@implements(np.nansum)
def nansum(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
    """Sum of elements, NaN counting as 0; parameters and errors as for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nansum(ra.asarray([1.0, np.nan, 2.0], chunks=1)).compute()
    np.float64(3.0)
    """
    return sum(Array(operation.without_nan(asarray(x).expr, 0)), axis, dtype, keepdims=keepdims)


@implements(np.nanprod)
def nanprod(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
    """Product of elements, NaN counting as 1; parameters and errors as for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanprod(ra.asarray([3.0, np.nan, 2.0], chunks=1)).compute()
    np.float64(6.0)
    """
    return prod(Array(operation.without_nan(asarray(x).expr, 1)), axis, dtype, keepdims=keepdims)


@implements(np.nanmean)
def nanmean(x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
    """Mean of the elements that are not NaN, NaN where all are; parameters and errors as for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanmean(ra.asarray([1.0, np.nan, 2.0], chunks=1)).compute()
    np.float64(1.5)
    """
    a = asarray(x)
    out = np.mean(np.zeros(1, a.dtype), dtype=dtype).dtype
    return Array(operation.reduce(a.expr, operation.NANMEAN, axis, keepdims=keepdims, dtype=out))


@implements(np.nanvar)
def nanvar(
    x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
) -> Array:
    """Variance of the elements that are not NaN, NaN where there are no more than `ddof`; see `var`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanvar(ra.asarray([1.0, np.nan, 3.0], chunks=1)).compute()
    np.float64(1.0)
    """
    a = asarray(x)
    out = np.var(np.zeros(1, a.dtype), dtype=dtype).dtype
    reduction = operation.variance(ddof, which=operation.numbers)
    return Array(operation.reduce(a.expr, reduction, axis, keepdims=keepdims, dtype=out))


@implements(np.nanstd)
def nanstd(
    x: Any, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
) -> Array:
    """Standard deviation of the elements that are not NaN, NaN where there are no more than `ddof`; see `var`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanstd(ra.asarray([1.0, np.nan, 3.0], chunks=1)).compute()
    np.float64(1.0)
    """
    a = asarray(x)
    out = np.std(np.zeros(1, a.dtype), dtype=dtype).dtype
    reduction = operation.deviation(ddof, which=operation.numbers)
    return Array(operation.reduce(a.expr, reduction, axis, keepdims=keepdims, dtype=out))


@implements(np.nanmin)
def nanmin(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Least element that is not NaN, NaN where all are; parameters and errors as for `min`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanmin(ra.asarray([2.0, np.nan, 1.0], chunks=1)).compute()
    np.float64(1.0)
    """
    a = asarray(x)
    return Array(operation.reduce(a.expr, operation.NANMIN, axis, keepdims=keepdims, dtype=a.dtype))


@implements(np.nanmax)
def nanmax(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """Greatest element that is not NaN, NaN where all are; parameters and errors as for `min`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanmax(ra.asarray([2.0, np.nan, 1.0], chunks=1)).compute()
    np.float64(2.0)
    """
    a = asarray(x)
    return Array(operation.reduce(a.expr, operation.NANMAX, axis, keepdims=keepdims, dtype=a.dtype))


@implements(np.nanargmin)
def nanargmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Where the least element that is not NaN is first met; see `argmin`.

    Raises
    ------
    ValueError
        On compute: all are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanargmin(ra.asarray([2.0, np.nan, 1.0], chunks=1)).compute()
    np.int64(2)
    """
    return asarray(x)._arg(operation.NANARGMIN, axis, keepdims)


@implements(np.nanargmax)
def nanargmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Where the greatest element that is not NaN is first met; see `nanargmin`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanargmax(ra.asarray([2.0, np.nan, 1.0], chunks=1)).compute()
    np.int64(0)
    """
    return asarray(x)._arg(operation.NANARGMAX, axis, keepdims)


def reduction(
    x: Any,
    chunk: Callable[..., Any],
    aggregate: Callable[..., Any],
    axis: Any = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
    split_every: int | Mapping[int, int] | None = None,
    combine: Callable[..., Any] | None = None,
    name: str | None = None,
    concatenate: bool = True,
    output_size: int = 1,
    weights: Any = None,
) -> Array:
    """A reduction of your own.

    Parameters
    ----------
    x : Array or array_like
    chunk : callable
        ``chunk(block, axis=axes, keepdims=True)``, or ``chunk(block, weights, ...)``: the result of a block.
    aggregate : callable
        ``aggregate(results, axis=axes, keepdims=True)``: the values, of the results of all blocks, concatenated.
    axis : int, tuple of int or None
    keepdims : bool
        Of the result; the functions always keep the axes.
    dtype : dtype, optional
        Of the result; found by trying the functions on one element if not given.
    split_every : int or dict, optional
        How many results are combined at most, in all or by axis.
    combine : callable, optional
        As `aggregate`, for some of the results: one such result. Without it `aggregate` gets all of them at once.
    name : str, optional
        What people see in names of tasks.
    concatenate : bool
        Whether results are arrays to be concatenated; if not, the functions get lists of them.
    output_size : int
        How long the axes are in what `aggregate` returns; only where they are kept.
    weights : Array or array_like, optional
        What broadcasts to `x`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.asarray([3.0, 4.0], chunks=1)
    >>> def squares(block, axis, keepdims):
    ...     return (block**2).sum(axis=axis, keepdims=keepdims)
    >>> def length(results, axis, keepdims):
    ...     return np.sqrt(results.sum(axis=axis, keepdims=keepdims))
    >>> ra.reduction(x, squares, length).compute()
    np.float64(5.0)
    """
    fan_in = math.prod(split_every.values()) if isinstance(split_every, Mapping) else split_every
    return Array(
        custom_reduction(
            asarray(x).expr,
            chunk,
            aggregate,
            combine,
            axis,
            keepdims=keepdims,
            dtype=None if dtype is None else np.dtype(dtype),
            fan_in=fan_in,
            name=name,
            join=concatenate,
            output_size=output_size,
            weights=None if weights is None else asarray(weights).expr,
        )
    )


def cumreduction(
    func: Callable[..., Any],
    binop: Callable[[Any, Any], Any],
    ident: Any,
    x: Any,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
) -> Array:
    """A running reduction of your own.

    Parameters
    ----------
    func : callable
        ``func(block, axis=axis, dtype=dtype)``: of a block by itself, such as `numpy.cumsum`.
    binop : callable
        ``binop(before, values)``: results of a block, given the last of what came before it, elementwise and
        associative.
    ident : number
        For which ``binop(ident, values)`` is values.
    x : Array or array_like
    axis : int, optional
        The flattened array by default.
    dtype : dtype, optional
        Passed to `func`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> def running_max(block, axis, dtype):
    ...     return np.maximum.accumulate(block, axis=axis)
    >>> x = ra.asarray([1, 3, 2, 5, 4], chunks=2)
    >>> ra.reductions.cumreduction(running_max, np.maximum, 0, x).compute()
    array([1, 3, 3, 5, 5])
    """
    scanning = scans.Scanning(getattr(func, "__name__", "cumreduction"), func, binop, ident)
    return Array(scans.scan(asarray(x).expr, scanning, axis, dtype))
