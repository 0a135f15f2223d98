"""Shapes and order: functions with numpy's names that move elements and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.operations import manipulation as operation
from restride.collections.array.operations.slicing import expand_dims as expand


@implements(np.transpose)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Array:
    """Put the axes in another order; in reverse by default.

    Parameters
    ----------
    x : Array or array_like
    axes : sequence of int, optional
        Axis ``k`` of the result is axis ``axes[k]`` of `x`.

    Raises
    ------
    ValueError
        `axes` is no order of the axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.transpose(ra.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return Array(operation.transpose(asarray(x).expr, axes))


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Array:
    """Exchange two axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.swapaxes(ra.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    return asarray(x).swapaxes(axis1, axis2)


@implements(np.moveaxis)
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """Move some axes to other positions; the others stay in their order.

    Raises
    ------
    ValueError
        There are not as many sources as destinations.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.moveaxis(ra.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    array = asarray(x)
    here, there = (np.lib.array_utils.normalize_axis_tuple(axes, array.ndim) for axes in (source, destination))
    if len(here) != len(there):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [axis for axis in range(array.ndim) if axis not in here]
    for to, axis in sorted(zip(there, here)):
        order.insert(to, axis)
    return transpose(array, order)


@implements(np.reshape)
def reshape(x: Any, shape: int | Sequence[int]) -> Array:
    """Give the elements, in C order, another shape; see `Array.reshape`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.reshape(ra.arange(6, chunks=3), (2, -1)).compute()
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    return asarray(x).reshape(shape)


@implements(np.ravel)
def ravel(x: Any) -> Array:
    """All elements, in C order, along one axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ravel(ra.ones((2, 3), chunks=2)).shape
    (6,)
    """
    return asarray(x).ravel()


@implements(np.squeeze)
def squeeze(x: Any, axis: Any = None) -> Array:
    """Drop axes of length 1: all such, or those given.

    Raises
    ------
    ValueError
        An axis of another length.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.squeeze(ra.zeros((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    return asarray(x).squeeze(axis)


@implements(np.expand_dims)
def expand_dims(x: Any, axis: int | Sequence[int]) -> Array:
    """Put in axes of length 1, at these positions of the result.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.expand_dims(ra.zeros(3), (0, -1)).shape
    (1, 3, 1)
    """
    return Array(expand(asarray(x).expr, axis))


@implements(np.flip)
def flip(x: Any, axis: int | Sequence[int] | None = None) -> Array:
    """Reverse the order along some axes; along all by default.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.flip(ra.arange(4, chunks=3)).compute()
    array([3, 2, 1, 0])
    """
    return Array(operation.flip(asarray(x).expr, axis))


@implements(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: int = 0) -> Array:
    """Put arrays one after another along an axis.

    Parameters
    ----------
    arrays : sequence of Array or array_like
        Of the same shape but for `axis`. Along the other axes they are rechunked to common chunks.
    axis : int

    Raises
    ------
    ValueError
        No arrays, or shapes that do not match.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.concatenate([ra.zeros(2, int), ra.arange(3)]).compute()
    array([0, 0, 0, 1, 2])
    """
    return Array(operation.concatenate([asarray(x).expr for x in arrays], axis))


@implements(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0) -> Array:
    """Put arrays of one shape side by side along a new axis.

    Raises
    ------
    ValueError
        No arrays, or not all of one shape.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stack([ra.zeros(2, int), ra.arange(2)], axis=1).compute()
    array([[0, 0],
           [0, 1]])
    """
    return Array(operation.stack([asarray(x).expr for x in arrays], axis))


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | Sequence[int]) -> Array:
    """Stretch an array to a shape, along axes of length 1 and new leading axes.

    Raises
    ------
    ValueError
        The shape is none that the array's broadcasts to.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.broadcast_to(ra.arange(3), (2, 3)).compute()
    array([[0, 1, 2],
           [0, 1, 2]])
    """
    wanted = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    return Array(operation.broadcast_to(asarray(x).expr, wanted))


@implements(np.shape)
def shape(x: Any) -> tuple[int, ...]:
    """Length along each axis."""
    return asarray(x).shape


@implements(np.ndim)
def ndim(x: Any) -> int:
    """How many axes there are."""
    return asarray(x).ndim


@implements(np.size)
def size(x: Any, axis: int | None = None) -> int:
    """How many elements there are, in all or along an axis."""
    return asarray(x).size if axis is None else asarray(x).shape[axis]
