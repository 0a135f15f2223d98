"""Putting arrays together, and around one another: stacks, blocks, tiles, repeats, padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.manipulation import atleast_1d, atleast_2d, atleast_3d, concatenate, expand_dims
from restride.collections.array.operations.pad import pad as pad_expr


@implements(np.vstack)
def vstack(tup: Sequence[Any], *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Array:
    """Put arrays below one another: along the first axis, 1-d ones as rows.

    Raises
    ------
    ValueError
        No arrays, or shapes that do not match.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.vstack([ra.arange(2), ra.zeros(2, int)]).compute()
    array([[0, 1],
           [0, 0]])
    """
    return concatenate([atleast_2d(x) for x in _listed(tup)], axis=0, dtype=dtype, casting=casting)


@implements(np.hstack)
def hstack(tup: Sequence[Any], *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Array:
    """Put arrays beside one another: along the second axis, 1-d ones along their only one.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.hstack([ra.arange(2), ra.zeros(2, int)]).compute()
    array([0, 1, 0, 0])
    """
    arrays = [atleast_1d(x) for x in _listed(tup)]
    return concatenate(arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup: Sequence[Any]) -> Array:
    """Put arrays behind one another: along the third axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.dstack([ra.zeros((2, 3)), ra.ones((2, 3))]).shape
    (2, 3, 2)
    """
    return concatenate([atleast_3d(x) for x in _listed(tup)], axis=2)


@implements(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Array:
    """Put arrays beside one another: along the second axis, 1-d ones as columns.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.column_stack([ra.arange(2), ra.zeros(2, int)]).compute()
    array([[0, 0],
           [1, 0]])
    """
    arrays = [asarray(x) for x in _listed(tup)]
    return concatenate([x if x.ndim > 1 else expand_dims(atleast_1d(x), 1) for x in arrays], axis=1)


@implements(np.block)
def block(arrays: Any) -> Array:
    """Put an array together from nested lists of blocks.

    The innermost lists are concatenated along the last axis, those around them along the one before, and so on.

    Raises
    ------
    ValueError
        Lists that are empty or nested to different depths, or shapes that do not match.
    TypeError
        A tuple in the place of a list.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.block([[ra.ones((1, 2), int), ra.zeros((1, 1), int)], [ra.arange(3)]]).compute()
    array([[1, 1, 0],
           [0, 1, 2]])
    """
    depth = _depth(arrays, ())
    ndim = max(depth, _most_axes(arrays))
    return _joined(arrays, ndim, depth)


@implements(np.tile)
def tile(A: Any, reps: int | Sequence[int]) -> Array:  # noqa: N803  # numpy's name
    """Repeat a whole array along its axes.

    Parameters
    ----------
    A : Array or array_like
    reps : int or sequence of int
        How often along each axis, the last at the end.

    Raises
    ------
    ValueError
        Negative numbers.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.tile(ra.arange(2), (2, 2)).compute()
    array([[0, 1, 0, 1],
           [0, 1, 0, 1]])
    """
    array = asarray(A)
    times = np.atleast_1d(np.asarray(reps, int)).tolist()
    if any(n < 0 for n in times):
        raise ValueError("negative dimensions are not allowed")
    ndim = max(array.ndim, len(times))
    array = array[(None,) * (ndim - array.ndim)]
    for axis, n in enumerate(times, ndim - len(times)):
        if n == 0:
            array = array[(slice(None),) * axis + (slice(0, 0),)]
        elif n > 1:
            array = concatenate([array] * n, axis)
    return array


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Array:
    """Repeat each element, along an axis or of the flattened array.

    Parameters
    ----------
    a : Array or array_like
    repeats : int or array_like of int
        How often, for all elements or for each along the axis.
    axis : int, optional

    Raises
    ------
    ValueError
        Negative repeats, or not one for each element.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.repeat(ra.arange(3, chunks=2), [1, 0, 2]).compute()
    array([0, 2, 2])
    """
    return asarray(a).repeat(repeats, axis)


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: str | Callable[..., Any] = "constant", **kwargs: Any) -> Array:
    """Put elements before and after those of an array, along each axis.

    Parameters
    ----------
    array : Array or array_like
    pad_width : int, (int, int), sequence of such or dict
        How many before and after: for all axes, for each, or from axis to either.
    mode : str or callable
        "constant", "edge", "empty" (zeros, as it happens), "linear_ramp", "maximum", "mean", "median", "minimum",
        "reflect", "symmetric", "wrap", or a function as `numpy.pad` takes one.
    **kwargs
        ``constant_values``, ``end_values``, ``stat_length``, ``reflect_type``, or what the function takes.

    Raises
    ------
    ValueError, TypeError
        What numpy raises for such widths, modes and options.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.pad(ra.arange(4, chunks=2), (1, 2), "reflect").compute()
    array([1, 0, 1, 2, 3, 2, 1])
    """
    return Array(pad_expr(asarray(array).expr, pad_width, mode, kwargs))


def _listed(arrays: Any) -> Sequence[Any]:
    if not isinstance(arrays, (Sequence, Array, np.ndarray)):
        raise TypeError('arrays to stack must be passed as a "sequence" type such as list or tuple.')
    return list(arrays)


def _depth(arrays: Any, path: tuple[int, ...]) -> int:
    """How deeply lists are nested."""
    if isinstance(arrays, tuple):
        raise TypeError(f"arrays{''.join(f'[{k}]' for k in path)} is a tuple; only lists can be used to arrange blocks")
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(item, (*path, k)) for k, item in enumerate(arrays)}
    if len(depths) != 1:
        where = f"arrays{''.join(f'[{k}]' for k in path)}"
        raise ValueError(
            f"{where} is an empty list" if not depths else f"lists in {where} are nested to {depths} levels"
        )
    return 1 + depths.pop()


def _most_axes(arrays: Any) -> int:
    return max(map(_most_axes, arrays)) if isinstance(arrays, list) else asarray(arrays).ndim


def _joined(arrays: Any, ndim: int, depth: int) -> Array:
    if isinstance(arrays, list):
        return concatenate([_joined(item, ndim, depth - 1) for item in arrays], axis=-depth)
    array = asarray(arrays)
    return array[(None,) * (ndim - array.ndim)]
