"""Overlapping blocks: functions of blocks that see some of their neighbours' elements; ``ra.overlap``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.base import ArrayBase
from restride.collections.array.chunks import Chunks
from restride.collections.array.operations import map_overlap as operation
from restride.collections.array.operations import overlap as overlapping
from restride.collections.array.operations import sliding
from restride.collections.array.reductions import cumreduction

__all__ = [
    "boundaries",
    "constant",
    "map_overlap",
    "nearest",
    "overlap",
    "overlap_internal",
    "periodic",
    "push",
    "reflect",
    "sliding_window_view",
    "trim_internal",
    "trim_overlap",
]


def map_overlap(
    func: Callable[..., Any],
    *args: Any,
    depth: Any = None,
    boundary: Any = None,
    trim: bool = True,
    align_arrays: bool = True,
    allow_rechunk: bool = True,
    dtype: DTypeLike | None = None,
    chunks: Any = None,
    drop_axis: Any = (),
    new_axis: Any = (),
    **kwargs: Any,
) -> Array:
    """Apply a function to blocks that are longer by elements of their neighbours, and trim its results.

    Only the elements that a block needs of its neighbours are taken from them. Blocks may be shorter than `depth`:
    then the elements come from further neighbours.

    Parameters
    ----------
    func : callable
        Called with a block of each array, other arguments in their places. It returns a block of the shape that it
        got, unless `chunks`, `drop_axis` or `new_axis` say otherwise. If it has a parameter ``block_id`` it gets the
        block's place in the grid.
    *args : Array or object
        The arrays broadcast, and are rechunked to common chunks first. Anything else goes to `func` as it is.
    depth : int, tuple, dict or list
        How many elements a block gets of those before it and of those after it: one number for all axes, a tuple of
        one for each, or a dict from axis to number. A pair instead of a number has that before and that after. A list
        has a depth for each array. 0 by default.
    boundary : str, scalar, tuple, dict or list
        What there is beyond the ends of the array: nothing ("none", the default: blocks at the ends are shorter),
        "reflect" (mirrored, the last element repeated), "periodic", "nearest" (the last element repeated) or any
        value. For each axis and array as for `depth`.
    trim : bool
        Whether to cut off of each result what the blocks overlap by: of several arrays, those of the one with the
        most axes, and of such of the first.
    align_arrays : bool
        Whether to bring arrays to common chunks first; if not they must have as many blocks.
    allow_rechunk : bool
        Whether blocks may be shorter than `depth`.
    dtype, chunks, drop_axis, new_axis
        See `map_blocks`; `chunks` are those of the results before they are trimmed.
    **kwargs
        Passed to `func`.

    Returns
    -------
    Array

    Raises
    ------
    ValueError
        A depth or a boundary that does not fit the arrays, or blocks shorter than `depth` that may not be.
    BlockError
        On compute: `func` returned a block of another shape or dtype than declared.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.asarray([1, 1, 2, 3, 3, 3, 2, 1, 1], chunks=3)
    >>> ra.map_overlap(lambda block: block - np.roll(block, 1), x, depth=1, boundary=0).compute()
    array([ 1,  0,  1,  1,  0,  0, -1, -1,  0])
    """
    if not allow_rechunk:
        _check_depths(depth, [arg for arg in args if isinstance(arg, Array)])
    return Array(
        operation.map_overlap(
            func, *(arg.expr if isinstance(arg, ArrayBase) else arg for arg in args), depth=depth, boundary=boundary,
            trim=trim, align_arrays=align_arrays, dtype=dtype, chunks=chunks, drop_axis=drop_axis, new_axis=new_axis,
            kwargs=kwargs,
        )
    )  # fmt: skip


def overlap(x: Any, depth: Any, boundary: Any = None, *, allow_rechunk: bool = True) -> Array:
    """Make blocks longer by elements of their neighbours, so that they overlap.

    Parameters
    ----------
    x : Array or array_like
    depth, boundary, allow_rechunk
        See `map_overlap`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.overlap.overlap(ra.arange(6, chunks=3), depth=1, boundary="periodic").compute()
    array([5, 0, 1, 2, 3, 2, 3, 4, 5, 0])
    """
    array = asarray(x)
    if not allow_rechunk:
        _check_depths(depth, [array])
    return Array(
        overlapping.overlapped(
            array.expr, operation.checked_depth(depth, array.ndim), operation.checked_boundary(boundary, array.ndim)
        )
    )


def overlap_internal(x: Any, axes: Any) -> Array:
    """Make blocks longer by elements of their neighbours, with nothing beyond the ends; see `overlap`."""
    return overlap(x, axes)


def trim_overlap(x: Any, depth: Any, boundary: Any = None) -> Array:
    """Cut off what `overlap` has made the blocks longer by, where none was shorter than `depth`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.overlap.overlap(ra.arange(6, chunks=3), depth=1)
    >>> ra.overlap.trim_overlap(x, depth=1).compute()
    array([0, 1, 2, 3, 4, 5])
    """
    array = asarray(x)
    depths = operation.checked_depth(depth, array.ndim)
    kinds = operation.checked_boundary(boundary, array.ndim)
    lengths = tuple(map(_before_overlap, array.chunks, depths, kinds))
    return Array(overlapping.trimmed(array.expr, depths, kinds, lengths))


def trim_internal(x: Any, axes: Mapping[int, Any], boundary: Any = None) -> Array:
    """Cut off what `overlap` has made the blocks longer by; see `trim_overlap`."""
    return trim_overlap(x, axes, boundary)


def periodic(x: Any, axis: int, depth: int) -> Array:
    """Put elements of the other end before and after those of an axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.overlap.periodic(ra.arange(4), 0, 2).compute()
    array([2, 3, 0, 1, 2, 3, 0, 1])
    """
    return _beyond(x, axis, depth, "periodic")


def reflect(x: Any, axis: int, depth: int) -> Array:
    """Mirror the ends of an axis, the last elements repeated.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.overlap.reflect(ra.arange(4), 0, 2).compute()
    array([1, 0, 0, 1, 2, 3, 3, 2])
    """
    return _beyond(x, axis, depth, "reflect")


def nearest(x: Any, axis: int, depth: int) -> Array:
    """Repeat the first and the last element of an axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.overlap.nearest(ra.arange(4), 0, 2).compute()
    array([0, 0, 0, 1, 2, 3, 3, 3])
    """
    return _beyond(x, axis, depth, "nearest")


def constant(x: Any, axis: int, depth: int, value: Any) -> Array:
    """Put a value before and after the elements of an axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.overlap.constant(ra.arange(4), 0, 1, 9).compute()
    array([9, 0, 1, 2, 3, 9])
    """
    return _beyond(x, axis, depth, value)


def boundaries(x: Any, depth: Any = None, kind: Any = None) -> Array:
    """Put elements beyond the ends of all axes; see `map_overlap` for depths and kinds."""
    array = asarray(x)
    expr = array.expr
    depths, kinds = operation.checked_depth(depth, array.ndim), operation.checked_boundary(kind, array.ndim)
    for axis, (width, of_axis) in enumerate(zip(depths, kinds)):
        expr = overlapping.with_boundary(expr, axis, width, of_axis)
    return Array(expr)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any,
    window_shape: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
    *,
    automatic_rechunk: bool = True,
) -> Array:
    """All windows of an array: what is in each lies along new axes at the end.

    Parameters
    ----------
    x : Array or array_like
    window_shape : int or tuple of int
        Length of the windows, along each of the axes.
    axis : int or tuple of int, optional
        Along which axes windows slide; all by default.
    automatic_rechunk : bool
        Whether blocks are first cut along the other axes, so that they do not grow as windows are added. The blocks
        are views that take no memory; a function that copies them, or another process, does.

    Raises
    ------
    ValueError
        Windows that are longer than the array, or not as many as axes.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.sliding_window_view(ra.arange(5, chunks=2), 3).compute()
    array([[0, 1, 2],
           [1, 2, 3],
           [2, 3, 4]])
    """
    return Array(sliding.sliding_window_view(asarray(x).expr, window_shape, axis, split=automatic_rechunk))


def push(array: Any, n: int | None = None, axis: int = -1) -> Array:
    """Fill in each NaN with the last number before it along an axis.

    Parameters
    ----------
    array : Array or array_like
    n : int, optional
        How many NaNs in a row are filled in; all by default.
    axis : int

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    ValueError
        `n` is negative.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.push(ra.asarray([1.0, ra.nan, ra.nan, 4.0], chunks=2), n=1).compute()
    array([ 1.,  1., nan,  4.])
    """
    x = asarray(array)
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    if x.dtype.kind not in "fc":
        return x
    if n is None:
        return cumreduction(_filled, _filled_from, np.nan, x, axis, x.dtype)
    return map_overlap(_filled, x, depth={axis: (n, 0)}, axis=axis, limit=n)


def _filled(block: Any, axis: int, dtype: np.dtype | None = None, limit: int | None = None) -> Any:
    """Kernel: a block whose NaNs are the last number before them, at most `limit` in a row."""
    shape = tuple(length if a == axis else 1 for a, length in enumerate(block.shape))
    places = np.arange(block.shape[axis]).reshape(shape)
    last = np.maximum.accumulate(np.where(np.isnan(block), 0, places), axis=axis)
    filled = np.take_along_axis(block, last, axis)
    return filled if limit is None else np.where(places - last <= limit, filled, block)


def _filled_from(before: Any, values: Any) -> Any:
    """Kernel: a block whose first NaNs are the last number of the blocks before it."""
    return np.where(np.isnan(values), before, values)


def _beyond(x: Any, axis: int, depth: int, kind: Any) -> Array:
    array = asarray(x)
    axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
    return boundaries(array, {axis: depth}, {axis: kind})


def _before_overlap(lengths: Sequence[int], depth: tuple[int, int], kind: Any) -> tuple[int, ...]:
    before, after = depth
    last = len(lengths) - 1
    none = kind == "none"
    return tuple(
        length - (0 if none and k == 0 else before) - (0 if none and k == last else after)
        for k, length in enumerate(lengths)
    )


def _check_depths(depth: Any, arrays: Sequence[Array]) -> None:
    for array, given in zip(arrays, depth if isinstance(depth, list) else [depth] * len(arrays)):
        _check_depth(array.chunks, operation.checked_depth(given, array.ndim))


def _check_depth(chunks: Chunks, depth: overlapping.Depth) -> None:
    for axis, (lengths, sides) in enumerate(zip(chunks, depth)):
        if min(lengths) < max(sides):
            raise ValueError(
                f"axis {axis} has a block of {min(lengths)} elements, less than the depth of {max(sides)}; rechunk, or "
                "pass allow_rechunk=True"
            )
