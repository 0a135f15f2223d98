"""Counts of elements by bins or by value: a partial result is the counts of a block, and counts add up."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.collections.array.chunks import UNKNOWN
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import astype, unified
from restride.collections.array.operations.manipulation import stack
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.operations.reduce_tree import Axes, Beside, Condense, Reduction
from restride.collections.array.operations.reductions import MAX, MIN, as_they_are, reduce
from restride.collections.array.operations.sources import from_object


def counts_dtype(weights: ArrayExpr | None) -> np.dtype:
    """Dtype of the counts of a histogram, as in numpy."""
    given = None if weights is None else np.zeros(1, weights.dtype)
    return np.histogram(np.zeros(1), bins=1, weights=given)[0].dtype


def edges_of(x: ArrayExpr, bins: Any, limits: Sequence[Any] | None) -> ArrayExpr:
    """The edges of the bins, in one block: as they are given, or that many between limits, or between the extremes.

    Raises
    ------
    ValueError
        Edges that do not ascend, limits that are not finite or not in order, no bins.
    TypeError
        Bins that are neither a number nor edges.
    """
    if isinstance(bins, str):
        raise TypeError(f"bins must be a number of bins or their edges; rules such as {bins!r} need all data at once")
    if isinstance(bins, ArrayExpr):
        return in_one_block(bins, (0,))
    if np.ndim(bins) == 0 and limits is None and x.size:
        count = operator.index(bins)
        dtype = np.histogram_bin_edges(np.zeros(2, x.dtype), count).dtype
        extremes = stack([reduce(x, which, dtype=x.dtype) for which in (MIN, MAX)])
        steps = Reduction("edges", functools.partial(_edges, count), _only, as_they_are)
        return Condense(in_one_block(extremes, (0,)), steps, (0,), ((count + 1,),), dtype)
    edges = np.histogram_bin_edges(np.zeros(0, x.dtype), bins, None if limits is None else tuple(limits))
    return from_object(edges, ((len(edges),),))


def _edges(bins: int, extremes: Any, axes: Axes, dtype: np.dtype) -> NDArray[Any]:
    return np.histogram_bin_edges(extremes, bins)


def _only(partials: Sequence[Any]) -> Any:
    (partial,) = partials
    return partial


def _sum_of(partials: Sequence[Any]) -> Any:
    return functools.reduce(np.add, partials)


def histogram(x: ArrayExpr, edges: ArrayExpr, weights: ArrayExpr | None = None, *, regular: bool = False) -> ArrayExpr:
    """How many elements there are in each bin, or their weights, which have the shape of the array.

    Parameters
    ----------
    x : ArrayExpr
    edges : ArrayExpr
        In one block.
    weights : ArrayExpr, optional
    regular : bool
        The edges are at equal distances, so that counting need not search.
    """
    if x.ndim == 0:
        raise ValueError("histograms need at least one axis")
    n = edges.shape[0] - 1
    arrays: tuple[ArrayExpr, ...] = (x, edges)
    if weights is not None:
        x, weights = unified((x, weights))
        arrays = (x, edges, weights)
    steps = Reduction("histogram", functools.partial(_count_bins, regular), _sum_of, as_they_are)
    return Condense(Beside(arrays), steps, tuple(range(x.ndim)), ((n,),), counts_dtype(weights))


def _count_bins(regular: bool, blocks: tuple[Any, ...], axes: Axes, dtype: np.dtype) -> NDArray[Any]:
    x, edges, *weights = blocks
    weight = weights[0] if weights else None
    if regular:
        return np.histogram(x, len(edges) - 1, (edges[0], edges[-1]), weights=weight)[0]
    return np.histogram(x, edges, weights=weight)[0]


def histogramdd(columns: Sequence[ArrayExpr], edges: Sequence[ArrayExpr], weights: ArrayExpr | None) -> ArrayExpr:
    """How many points there are in each of a grid of bins, given their coordinates (1-d), or their weights."""
    arrays = unified((*columns, weights) if weights is not None else columns)
    together = Beside((*arrays[: len(columns)], *edges, *arrays[len(columns) :]))
    steps = Reduction("histogramdd", functools.partial(_count_points, len(columns)), _sum_of, as_they_are)
    lengths = tuple((length.shape[0] - 1,) for length in edges)
    return Condense(together, steps, (0,), lengths, np.dtype(np.float64))


def _count_points(n: int, blocks: tuple[Any, ...], axes: Axes, dtype: np.dtype) -> NDArray[Any]:
    columns, edges, weights = blocks[:n], blocks[n : 2 * n], blocks[2 * n :]
    return np.histogramdd(columns, list(edges), weights=weights[0] if weights else None)[0]


def bincount(x: ArrayExpr, weights: ArrayExpr | None, minlength: int) -> ArrayExpr:
    """How often each number from 0 on occurs, or the weights of its places; of unknown length."""
    np.bincount(np.zeros(1, x.dtype), minlength=minlength)  # numpy knows which dtypes are integers
    if x.ndim != 1:
        raise ValueError(f"bincount counts in one axis, got {x.ndim}")
    array: ArrayExpr = x
    dtype: np.dtype = np.dtype(np.intp)
    if weights is not None:
        if weights.shape != x.shape:
            raise ValueError("The weights and list don't have the same length.")
        dtype = np.dtype(np.float64)
        array = Beside(unified((x, astype(weights, dtype))))
    steps = Reduction("bincount", functools.partial(_count_values, minlength), _sum_of_unequal, as_they_are)
    return Condense(array, steps, (0,), ((UNKNOWN,),), dtype)


def _count_values(minlength: int, block: Any, axes: Axes, dtype: np.dtype) -> NDArray[Any]:
    x, weights = block if isinstance(block, tuple) else (block, None)
    return np.bincount(x, weights, minlength)


def _sum_of_unequal(partials: Sequence[NDArray[Any]]) -> NDArray[Any]:
    longest = max(partials, key=len).copy()
    longest[:] = 0
    for partial in partials:
        longest[: len(partial)] += partial
    return longest
