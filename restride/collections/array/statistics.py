"""Averages, medians, quantiles, sorting and the largest elements, with numpy's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.manipulation import broadcast_to
from restride.collections.array.operations import coarsen as coarsening
from restride.collections.array.operations import order_statistics as operation
from restride.collections.array.operations import sorting
from restride.collections.array.operations.reduce_tree import normalized_axes


@implements(np.average)
def average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Array | tuple[Array, Array]:
    """Weighted mean along an axis, several, or all.

    Parameters
    ----------
    x : Array or array_like
    axis : int, tuple of int or None
    weights : Array or array_like, optional
        Of the shape of `x`, or of the axes that are reduced.
    returned : bool
        Whether to return the sums of the weights, too.
    keepdims : bool

    Raises
    ------
    TypeError
        Weights of another shape, and no axis given.
    ValueError
        Weights that are not as long as the axes.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.average(ra.asarray([1.0, 2.0, 4.0], chunks=2), weights=[1, 1, 2]).compute()
    np.float64(2.75)
    """
    a = asarray(x)
    if weights is None:
        mean = a.mean(axis, keepdims=keepdims)
        count = asarray(mean.dtype.type(a.size / max(mean.size, 1)))
        return (mean, broadcast_to(count, mean.shape)) if returned else mean
    weighted, total = weighted_sum(a, over(asarray(weights), a, axis), axis, keepdims)
    return (weighted / total, total) if returned else weighted / total


def weighted_sum(a: Array, weights: Array, axis: Any, keepdims: bool) -> tuple[Array, Array]:
    """The sum of weighted elements, and that of the weights, which are of their shape."""
    dtype = np.result_type(a.dtype, weights.dtype, *((np.float64,) if a.dtype.kind in "biu" else ()))
    return (a * weights).sum(axis, dtype, keepdims=keepdims), weights.sum(axis, dtype, keepdims=keepdims)


def over(weights: Array, a: Array, axis: Any) -> Array:
    """Weights of the shape of an array."""
    if weights.shape == a.shape:
        return weights
    if weights.ndim == 0:
        return broadcast_to(weights, a.shape)
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    given = np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    if weights.shape != tuple(a.shape[at] for at in given):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    axes = normalized_axes(axis, a.ndim)
    ordered = weights.transpose([given.index(at) for at in axes]) if len(axes) > 1 else weights
    return broadcast_to(ordered.reshape([n if at in axes else 1 for at, n in enumerate(a.shape)]), a.shape)


@implements(np.median)
def median(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """The middle element along an axis, several, or all, or the mean of the two in the middle; exactly.

    Axes are gathered, in chunks of about the size there is. A line that is far longer than a chunk stays where it is:
    two passes over its blocks find what is needed.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.median(ra.asarray([[3, 1, 2], [5, 4, 9]], chunks=2), axis=1).compute()
    array([2., 5.])
    """
    return Array(operation.median(asarray(x).expr, axis, keepdims=keepdims))


@implements(np.nanmedian)
def nanmedian(x: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    """As `median`, of the elements that are not NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanmedian(ra.asarray([3, np.nan, 1], chunks=2)).compute()
    np.float64(2.0)
    """
    return Array(operation.median(asarray(x).expr, axis, keepdims=keepdims, ignore_nan=True))


@implements(np.quantile)
def quantile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """Quantiles along an axis, several, or all; exactly. See `median` for how.

    Parameters
    ----------
    x : Array or array_like
    q : float or array_like of float
        0 to 1. Its axes are the first of the result.
    axis : int, tuple of int or None
    method : str
        One of numpy's: how to go between elements.
    keepdims : bool

    Raises
    ------
    ValueError
        A quantile out of [0, 1], or an unknown method.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.quantile(ra.arange(11, chunks=4), [0.1, 0.55]).compute()
    array([1. , 5.5])
    """
    return Array(operation.quantile(asarray(x).expr, q, axis, method=method, keepdims=keepdims))


@implements(np.nanquantile)
def nanquantile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """As `quantile`, of the elements that are not NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanquantile(ra.asarray([3, np.nan, 1], chunks=2), 0.25).compute()
    np.float64(1.5)
    """
    return Array(operation.quantile(asarray(x).expr, q, axis, method=method, keepdims=keepdims, ignore_nan=True))


@implements(np.percentile)
def percentile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """As `quantile`, with `q` from 0 to 100.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.percentile(ra.arange(11, chunks=4), 50).compute()
    np.float64(5.0)
    """
    a = asarray(x)
    return quantile(a, _shares(q, a.dtype), axis, method=method, keepdims=keepdims)


@implements(np.nanpercentile)
def nanpercentile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """As `nanquantile`, with `q` from 0 to 100.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nanpercentile(ra.asarray([3, np.nan, 1], chunks=2), 25).compute()
    np.float64(1.5)
    """
    a = asarray(x)
    return nanquantile(a, _shares(q, a.dtype), axis, method=method, keepdims=keepdims)


def _shares(q: Any, dtype: np.dtype) -> np.ndarray:
    shares = np.true_divide(q, dtype.type(100) if dtype.kind == "f" else 100)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError("Percentiles must be in the range [0, 100]")
    return np.asarray(shares)


@implements(np.sort)
def sort(x: Any, axis: int | None = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """The elements in ascending order along an axis, or of the flattened array.

    Long lines are sorted where they lie, by an exchange between their blocks; the chunks stay.

    Parameters
    ----------
    x : Array or array_like
    axis : int or None
    descending : bool
    stable : bool
        Always so; the parameter is the array API standard's.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.sort(ra.asarray([3, 1, 2], chunks=2)).compute()
    array([1, 2, 3])
    """
    return Array(sorting.sort(asarray(x).expr, axis, descending=descending))


@implements(np.argsort)
def argsort(x: Any, axis: int | None = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """Where along an axis the elements in ascending order are; of equal ones the first is first. See `sort`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.argsort(ra.asarray([3, 1, 2], chunks=2)).compute()
    array([1, 2, 0])
    """
    return Array(sorting.argsort(asarray(x).expr, axis, descending=descending))


def topk(x: Any, k: int, axis: int = -1) -> Array:
    """The `k` largest elements along an axis, from the largest down; of a negative `k` the least ones, upwards.

    Raises
    ------
    ValueError
        `k` is 0.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.asarray([5, 1, 3, 6], chunks=2)
    >>> ra.topk(x, 2).compute(), ra.topk(x, -2).compute()
    (array([6, 5]), array([1, 3]))
    """
    return asarray(x).topk(k, axis)


def argtopk(x: Any, k: int, axis: int = -1) -> Array:
    """Where the `k` largest elements along an axis are; see `topk`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.argtopk(ra.asarray([5, 1, 3, 6], chunks=2), 2).compute()
    array([3, 0])
    """
    return asarray(x).argtopk(k, axis)


def coarsen(
    reduction: Callable[..., Any], x: Any, axes: Mapping[int, int], trim_excess: bool = False, **kwargs: Any
) -> Array:
    """A reduction of boxes of neighbouring elements, that fill the array.

    Parameters
    ----------
    reduction : callable
        Such as `numpy.mean`: ``reduction(boxes, axis=axes, **kwargs)``.
    x : Array or array_like
    axes : dict from int to int
        Sides of the boxes along axes; 1 along others.
    trim_excess : bool
        Whether to drop what is left at the end of an axis.
    **kwargs
        Passed to `reduction`.

    Raises
    ------
    ValueError
        The boxes do not fill the array, and nothing may be dropped.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.coarsen(np.mean, ra.arange(6, chunks=4), {0: 2}).compute()
    array([0.5, 2.5, 4.5])
    """
    return Array(coarsening.coarsen(reduction, asarray(x).expr, axes, trim_excess, kwargs))
