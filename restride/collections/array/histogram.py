"""Histograms and counts, with numpy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import histogram as operation


@implements(np.histogram)
def histogram(
    x: Any,
    bins: Any = 10,
    range: Any = None,  # noqa: A002  # numpy's name
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Array, Array]:
    """How many elements there are in each bin.

    Parameters
    ----------
    x : Array or array_like
    bins : int, or 1-d Array or array_like
        How many bins of one width, or the edges of the bins, ascending. The last bin includes its upper edge.
    range : (float, float), optional
        Outer edges of the bins where `bins` is a number; by default the extremes of `x`, found by a pass of its own.
    density : bool, optional
        Whether to divide by the widths of the bins and the sum of all counts.
    weights : Array or array_like, optional
        Of the shape of `x`: what each element counts.

    Returns
    -------
    counts : Array
        As many as there are bins.
    edges : Array
        One more.

    Raises
    ------
    TypeError
        `bins` that is neither; rules such as ``"auto"`` are not known here.
    ValueError
        Edges that do not ascend; a range that is not finite; weights of another shape.

    Examples
    --------
    >>> import restride.array as ra
    >>> counts, edges = ra.histogram(ra.arange(10, chunks=4), bins=3, range=(0, 9))
    >>> counts.compute(), edges.compute()
    (array([3, 3, 4]), array([0., 3., 6., 9.]))
    """
    a = _countable(x)
    weighing = None if weights is None else asarray(weights).expr
    if weighing is not None and weighing.shape != a.shape:
        raise ValueError("weights should have the same shape as a.")
    edges = operation.edges_of(a, _bins(bins), range)
    counts = Array(operation.histogram(a, edges, weighing, regular=np.ndim(bins) == 0))
    if density:
        counts = counts / (Array(edges)[1:] - Array(edges)[:-1]) / counts.sum()
    return counts, Array(edges)


@implements(np.histogram_bin_edges)
def histogram_bin_edges(
    x: Any,
    bins: Any = 10,
    range: Any = None,  # noqa: A002  # numpy's name
    weights: Any = None,
) -> Array:
    """The edges of the bins that `histogram` would use.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.histogram_bin_edges(ra.arange(10, chunks=4), bins=3).compute()
    array([0., 3., 6., 9.])
    """
    return Array(operation.edges_of(_countable(x), _bins(bins), range))


@implements(np.histogramdd)
def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Any = None,  # noqa: A002  # numpy's name
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Array, list[Array]]:
    """How many points there are in each of a grid of bins.

    Parameters
    ----------
    sample : Array or array_like of shape (points, D), or sequence of D 1-d ones
        The coordinates.
    bins : int, or sequence of D of int or 1-d Array or array_like
        For all coordinates or each: how many bins, or their edges.
    range : sequence of D of (float, float) or None, optional
        For each coordinate the outer edges; by default its extremes.
    density : bool, optional
        Whether to divide by the volumes of the bins and the sum of all counts.
    weights : 1-d Array or array_like, optional
        What each point counts.

    Returns
    -------
    counts : Array
        float64, with D axes.
    edges : list of Array

    Raises
    ------
    ValueError
        Bins, ranges or weights for another number of coordinates or points.

    Examples
    --------
    >>> import restride.array as ra
    >>> points = ra.asarray([[0.5, 0.5], [1.5, 0.5], [1.5, 1.5]], chunks=2)
    >>> counts, edges = ra.histogramdd(points, bins=2, range=[(0, 2), (0, 2)])
    >>> counts.compute()
    array([[1., 0.],
           [1., 1.]])
    """
    columns = [_countable(column) for column in _columns(sample)]
    n = len(columns)
    each = list(bins) if isinstance(bins, (tuple, list, np.ndarray)) else [bins] * n
    if len(each) != n:
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    limits = [None] * n if range is None else list(range)
    if len(limits) != n:
        raise ValueError("range argument must have one entry per dimension")
    edges = [operation.edges_of(column, _bins(b), limit) for column, b, limit in zip(columns, each, limits)]
    weighing = None if weights is None else asarray(weights).expr
    if weighing is not None and weighing.shape != columns[0].shape:
        raise ValueError("The weights and list don't have the same length.")
    counts = Array(operation.histogramdd(columns, edges, weighing))
    arrays = [Array(edge) for edge in edges]
    if density:
        total = counts.sum()
        for axis, edge in enumerate(arrays):
            shape = [1] * n
            shape[axis] = -1
            counts = counts / (edge[1:] - edge[:-1]).reshape(shape)
        counts = counts / total
    return counts, arrays


@implements(np.histogram2d)
def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,  # noqa: A002  # numpy's name
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Array, Array, Array]:
    """How many points of a plane there are in each of a grid of bins; see `histogramdd`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x, y = ra.asarray([0.5, 1.5, 1.5]), ra.asarray([0.5, 0.5, 1.5])
    >>> ra.histogram2d(x, y, bins=2, range=[(0, 2), (0, 2)])[0].compute()
    array([[1., 0.],
           [1., 1.]])
    """
    if not isinstance(bins, (int, np.integer)) and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, (x_edges, y_edges) = histogramdd([x, y], bins, range, density, weights)
    return counts, x_edges, y_edges


@implements(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Array:
    """How often each number from 0 on occurs.

    Parameters
    ----------
    x : 1-d Array or array_like of int
        0 or more each.
    weights : 1-d Array or array_like, optional
        What each element counts.
    minlength : int
        Of the result, which is as long as the greatest number needs.

    Returns
    -------
    Array
        Of unknown length, in one block.

    Raises
    ------
    TypeError
        Elements that are no integers.
    ValueError
        More than one axis, or weights of another length; on compute, a negative number.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.bincount(ra.asarray([1, 3, 1], chunks=2)).compute()
    array([0, 2, 0, 1])
    """
    return Array(operation.bincount(asarray(x).expr, None if weights is None else asarray(weights).expr, minlength))


def _countable(x: Any) -> ArrayExpr:
    a = asarray(x)
    return (a.astype(np.uint8) if a.dtype == bool else a).expr


def _bins(bins: Any) -> Any:
    return bins.expr if isinstance(bins, Array) else bins


def _columns(sample: Any) -> Sequence[Any]:
    if isinstance(sample, (list, tuple)):
        return sample
    points = asarray(sample)
    if points.ndim == 1:
        return [points]
    return [points[:, number] for number in range(points.shape[1])]
