"""Medians, quantiles, the largest elements: what depends on the order of the elements along axes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.collections.array.chunks import Shape
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.along_axis import along_axis
from restride.collections.array.operations.manipulation import transpose
from restride.collections.array.operations.reduce_tree import Axes, Condense, Reduction, normalized_axes
from restride.collections.array.operations.reshape import reshape
from restride.collections.array.operations.selection import Found, SortedBlocks, select, values_at
from restride.collections.array.operations.slicing import expand_dims
from restride.collections.array.operations.sorting import by_line, joined
from restride.engine.graphs.csr import Ints

CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
"""Alpha and beta of Hyndman and Fan's methods that interpolate."""


def quantile(
    x: ArrayExpr, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False, ignore_nan: bool = False
) -> ArrayExpr:
    """The quantiles `q` along an axis, several, or all; axes of `q`, if it has any, come first.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    ValueError
        A quantile out of [0, 1], or an unknown method.
    """
    weak = isinstance(q, (int, float)) and x.dtype.kind == "f"  # Python's numbers do not widen, in numpy either
    q = np.asarray(q, x.dtype if weak else None)
    func: Callable[..., Any] = np.nanquantile if ignore_nan else np.quantile
    out: np.dtype = np.asarray(func(np.zeros(1, x.dtype), q, method=method)).dtype  # numpy checks q and method
    axes = normalized_axes(axis, x.ndim)
    line, at = _merged_axes(x, axes)
    wanted = Quantiles(q.ravel(), method, ignore_nan)
    result = _line_by_line(
        line, at, wanted.quantile, functools.partial(_quantile_line, quantiles=wanted), q.size, out
    )  # fmt: skip
    result = reshape(transpose(result, _with_first(result.ndim, at)), (*q.shape, *_others(x.shape, axes)))
    return expand_dims(result, tuple(axis + q.ndim for axis in axes)) if keepdims else result


def median(x: ArrayExpr, axis: Any = None, *, keepdims: bool = False, ignore_nan: bool = False) -> ArrayExpr:
    """The middle element along an axis, several, or all, or the mean of the two in the middle."""
    out: np.dtype = np.asarray(np.median(np.zeros(1, x.dtype))).dtype
    axes = normalized_axes(axis, x.ndim)
    line, at = _merged_axes(x, axes)
    func = np.nanmedian if ignore_nan else np.ma.median if x.masked else np.median
    if line.shape[at] == 0:  # numpy's nan, and its warning, now and not in a task
        return quantile(x, 0.5, axis, keepdims=keepdims, ignore_nan=ignore_nan)
    wanted = Quantiles(np.array([0.5]), "median", ignore_nan)
    lines = by_line(line, at)
    if lines is None or x.masked:
        result = along_axis(line, func, at, length=None, dtype=out)
    else:
        found = [_quantile_line(one, wanted, out) for one in lines]
        result = reshape(joined(found, line.shape, at), _others(line.shape, (at,)))
    return expand_dims(result, axes) if keepdims else result


class Quantiles:
    """Some quantiles, and how they lie between elements: with 1-d `q`."""

    __name__ = "quantile"

    def __init__(self, q: NDArray[Any], method: str, ignore_nan: bool) -> None:
        self.q = q
        self.method = method
        self.ignore_nan = ignore_nan

    def quantile(self, block: Any, axis: int) -> Any:
        """Those of a block along an axis, where they stand in the result."""
        func: Callable[..., Any] = np.nanquantile if self.ignore_nan else np.quantile
        return np.moveaxis(np.asarray(func(block, self.q, axis=axis, method=self.method)), 0, axis)

    def places(self, n: int) -> tuple[Ints, Ints, NDArray[Any]]:
        """For each quantile of `n` elements the ranks that it lies between, and how far from the first."""
        position = self._position(n)
        low = np.clip(np.floor(position), 0, n - 1).astype(np.int64)
        return low, np.minimum(low + 1, n - 1), np.clip(position, 0, n - 1) - low

    def _position(self, n: int) -> NDArray[Any]:
        q, linear = self.q, self.q * (n - 1)
        match self.method:
            case "lower":
                return np.floor(linear)
            case "higher":
                return np.ceil(linear)
            case "nearest":
                return np.round(linear)
            case "midpoint" | "median":
                return (np.floor(linear) + np.ceil(linear)) / 2
            case "inverted_cdf":
                return np.ceil(n * q) - 1
            case "averaged_inverted_cdf":
                whole = np.floor(n * q) == n * q
                return np.where(whole, n * q - 0.5, np.ceil(n * q) - 1)
            case "closest_observation":
                below = np.floor(n * q - 1.5)
                return np.where((n * q - 1.5 == below) & (below % 2 == 1), below, below + 1)
        alpha, beta = CONTINUOUS[self.method]
        return n * q + (alpha + q * (1 - alpha - beta)) - 1

    def ranks(self, n: int) -> Ints:
        """All ranks that matter."""
        low, high, _ = self.places(max(n, 1))
        return np.concatenate([low, high])

    def finish(self, found: Found, dtype: np.dtype) -> Any:
        """The quantiles of what has been found of the ranks."""
        n = int(found.counts.sum())
        if not n or (found.left_out and not self.ignore_nan):
            return np.full(len(self.q), np.nan, dtype)
        low, high = np.split(values_at(found, self.ranks(n)), 2)
        share = self.places(n)[2]
        if not share.any():
            return low.astype(dtype)
        if self.method == "median":
            return np.where(share > 0, np.mean([low, high], axis=0), low).astype(dtype)
        distance = np.subtract(high, low)
        between = np.where(share < 0.5, low + distance * share, high - distance * (1 - share))
        return np.where(share > 0, between, low).astype(dtype)


def _quantile_line(line: ArrayExpr, quantiles: Quantiles, dtype: np.dtype) -> ArrayExpr:
    ordered = SortedBlocks(line, line.chunks, False)
    n = len(quantiles.q)
    return select(
        ordered, quantiles.ranks, quantiles.finish, with_nan=False, result_chunks=((n,),), dtype=dtype
    )  # fmt: skip


def _line_by_line(
    x: ArrayExpr,
    axis: int,
    of_block: Callable[..., Any],
    of_line: Callable[..., ArrayExpr],
    length: int,
    dtype: np.dtype,
) -> ArrayExpr:
    lines = by_line(x, axis)
    if lines is None:
        return along_axis(x, of_block, axis, length=length, dtype=dtype)
    return joined([of_line(line, dtype=dtype) for line in lines], x.shape, axis)


def _merged_axes(x: ArrayExpr, axes: Axes) -> tuple[ArrayExpr, int]:
    """The array with several axes as one, which is the last; and which axis it is."""
    if len(axes) == 1:
        return x, axes[0]
    others = tuple(axis for axis in range(x.ndim) if axis not in axes)
    moved = transpose(x, (*others, *axes))
    length = math.prod(x.shape[axis] for axis in axes)
    return reshape(moved, (*_others(x.shape, axes), length)), len(others)


def _others(shape: Shape, axes: Axes) -> Shape:
    return tuple(length for axis, length in enumerate(shape) if axis not in axes)


def _with_first(ndim: int, axis: int) -> tuple[int, ...]:
    return (axis, *(other for other in range(ndim) if other != axis))


# ---- the largest ----------------------------------------------------------------------------------------------------


def topk(x: ArrayExpr, k: int, axis: int = -1) -> ArrayExpr:
    """The `k` largest elements along an axis, from the largest down; with a negative `k` the least ones, upwards."""
    return _topk(x, k, axis, "topk", x.dtype)


def argtopk(x: ArrayExpr, k: int, axis: int = -1) -> ArrayExpr:
    """Where the `k` largest elements along an axis are; with a negative `k` the least."""
    return _topk(x, k, axis, "argtopk", np.dtype(np.intp))


def _topk(x: ArrayExpr, k: int, axis: int, name: str, dtype: np.dtype) -> ArrayExpr:
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    k = int(k)
    if k == 0:
        raise ValueError("topk needs a number other than 0 of elements to find")
    steps = TopK(k, axis, name == "argtopk")
    reduction = Reduction(name, steps.chunk, steps.combine, steps.finalize, positional=steps.places)
    length = min(abs(k), x.shape[axis])
    return Condense(x, reduction, (axis,), (*x.chunks[:axis], (length,), *x.chunks[axis + 1 :]), dtype)


class TopK:
    """The steps of `topk` and `argtopk`: partial results are some elements, and where they are."""

    def __init__(self, k: int, axis: int, places: bool) -> None:
        self.k = k
        self.axis = axis
        self.places = places

    def chunk(self, block: Any, axes: Axes, dtype: np.dtype, where: tuple[Shape, Sequence[int]] | None = None) -> Any:
        """Those of a block."""
        places = None
        if where is not None:
            shape = [-1 if axis == self.axis else 1 for axis in range(block.ndim)]
            along = np.arange(block.shape[self.axis]) + where[1][self.axis]
            places = np.broadcast_to(along.reshape(shape), block.shape)
        return self._largest(block, places)

    def combine(self, partials: Sequence[Any]) -> Any:
        """Those among those of several blocks."""
        values = np.concatenate([values for values, _ in partials], self.axis)
        places = np.concatenate([places for _, places in partials], self.axis) if self.places else None
        return self._largest(values, places)

    def finalize(self, partial: Any, dtype: np.dtype) -> Any:
        """In order."""
        values, places = partial
        if places is None:
            ordered = np.sort(values, self.axis)
        else:
            ordered = np.take_along_axis(places, np.argsort(values, self.axis, kind="stable"), self.axis)
        return np.flip(ordered, self.axis) if self.k > 0 else ordered

    def _largest(self, values: Any, places: Any) -> tuple[Any, Any]:
        length = values.shape[self.axis]
        if length <= abs(self.k):
            return values, places
        kept = slice(-self.k, None) if self.k > 0 else slice(0, -self.k)
        kth = -self.k if self.k > 0 else -self.k - 1
        here = (slice(None),) * self.axis + (kept,)
        if places is None:
            return np.partition(values, kth, self.axis)[here], None
        chosen = np.argpartition(values, kth, self.axis)[here]
        return np.take_along_axis(values, chosen, self.axis), np.take_along_axis(places, chosen, self.axis)
