"""Running sums and products, differences and what is made of them, with numpy's names."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.manipulation import broadcast_to, concatenate
from restride.collections.array.operations import scans as operation
from restride.collections.array.operations.rechunk import rechunk


@implements(np.cumsum)
def cumsum(x: Any, axis: int | None = None, dtype: DTypeLike | None = None) -> Array:
    """Running sum along an axis, or of the flattened array; the chunks stay.

    Parameters
    ----------
    x : Array or array_like
    axis : int, optional
    dtype : dtype, optional
        Of the result and the accumulation; as in numpy by default.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.cumsum(ra.arange(5, chunks=2)).compute()
    array([ 0,  1,  3,  6, 10])
    """
    return asarray(x).cumsum(axis, dtype)


@implements(np.cumprod)
def cumprod(x: Any, axis: int | None = None, dtype: DTypeLike | None = None) -> Array:
    """Running product along an axis, or of the flattened array; see `cumsum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.cumprod(ra.arange(1, 5, chunks=2)).compute()
    array([ 1,  2,  6, 24])
    """
    return asarray(x).cumprod(axis, dtype)


@implements(np.nancumsum)
def nancumsum(x: Any, axis: int | None = None, dtype: DTypeLike | None = None) -> Array:
    """Running sum with NaN counting as 0; see `cumsum`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nancumsum(ra.asarray([1.0, np.nan, 2.0], chunks=2)).compute()
    array([1., 1., 3.])
    """
    return Array(operation.nanscan(asarray(x).expr, operation.CUMSUM, axis, dtype))


@implements(np.nancumprod)
def nancumprod(x: Any, axis: int | None = None, dtype: DTypeLike | None = None) -> Array:
    """Running product with NaN counting as 1; see `cumsum`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.nancumprod(ra.asarray([3.0, np.nan, 2.0], chunks=2)).compute()
    array([3., 3., 6.])
    """
    return Array(operation.nanscan(asarray(x).expr, operation.CUMPROD, axis, dtype))


@implements(np.cumulative_sum)
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Array:
    """Running sum, from 0 on if wanted; the array API standard's `cumsum`.

    Raises
    ------
    ValueError
        No axis is given, and there is not just one.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.cumulative_sum(ra.arange(1, 4, chunks=2), include_initial=True).compute()
    array([0, 1, 3, 6])
    """
    return _cumulative(operation.CUMSUM, x, axis, dtype, include_initial)


@implements(np.cumulative_prod)
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Array:
    """Running product, from 1 on if wanted; see `cumulative_sum`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.cumulative_prod(ra.arange(1, 4, chunks=2), include_initial=True).compute()
    array([1, 1, 2, 6])
    """
    return _cumulative(operation.CUMPROD, x, axis, dtype, include_initial)


def _cumulative(
    scanning: operation.Scanning, x: Any, axis: int | None, dtype: DTypeLike | None, include_initial: bool
) -> Array:
    a = asarray(x)
    if a.ndim == 0:
        a = a.reshape(1)
    if axis is None:
        if a.ndim != 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    result = Array(operation.scan(a.expr, scanning, axis, dtype))
    if not include_initial:
        return result
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    shape = tuple(1 if other == axis else length for other, length in enumerate(a.shape))
    initial = np.broadcast_to(np.asarray(scanning.identity, result.dtype), shape)
    return concatenate([asarray(initial), result], axis)


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """Each element less the one before it along an axis, `n` times.

    Parameters
    ----------
    x : Array or array_like
    n : int
    axis : int
    prepend, append : Array, array_like or scalar, optional
        What to put before and after along the axis first.

    Raises
    ------
    ValueError
        `n` is negative, or there are no axes.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.diff(ra.asarray([1, 4, 9, 16], chunks=2)).compute()
    array([3, 5, 7])
    """
    a = asarray(x)
    n = operator.index(n)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if a.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    shape = tuple(1 if other == axis else length for other, length in enumerate(a.shape))
    ends = [None if end is None else _stretched(end, shape) for end in (prepend, append)]
    parts = [part for part in (ends[0], a, ends[1]) if part is not None]
    if n == 0:
        return a
    if len(parts) > 1:
        a = concatenate(parts, axis)
    for _ in range(n):
        before, after = _cut(a, axis, slice(None, -1)), _cut(a, axis, slice(1, None))
        # In the chunks of the one, or else the boundaries of both would be boundaries of the result.
        after = Array(rechunk(after.expr, before.chunks))
        a = after != before if a.dtype == bool else after - before
    return a


def _stretched(end: Any, shape: tuple[int, ...]) -> Array:
    array = asarray(end)
    if array.ndim == 0:
        return broadcast_to(array, shape)
    return array


def _cut(x: Array, axis: int, cut: slice) -> Array:
    return x[(slice(None),) * axis + (cut,)]


@implements(np.ediff1d)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    """Each element of the flattened array less the one before it, between other values if wanted.

    Raises
    ------
    TypeError
        `to_end` or `to_begin` of another kind than `x`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ediff1d(ra.asarray([1, 4, 9], chunks=2), to_end=0).compute()
    array([3, 5, 0])
    """
    a = asarray(x).ravel()
    if a.dtype == bool:
        np.subtract(np.True_, np.True_)  # raises what numpy raises
    parts = [diff(a)]
    for end, word, at in ((to_begin, "to_begin", 0), (to_end, "to_end", 2)):
        if end is None:
            continue
        values = asarray(end).ravel()
        if not np.can_cast(values.dtype, a.dtype, casting="same_kind"):
            raise TypeError(f"dtype of `{word}` must be compatible with input `ary` under the `same_kind` rule.")
        parts.insert(at, values.astype(a.dtype))
    return concatenate(parts) if len(parts) > 1 else parts[0]


@implements(np.gradient)
def gradient(x: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Array | list[Array]:
    """Gradient by central differences, and one-sided ones at the ends.

    Parameters
    ----------
    x : Array or array_like
    *varargs : scalar or 1-d array_like
        Spacing: one number for all axes, or for each axis a number or the coordinates.
    axis : int or tuple of int, optional
        All by default.
    edge_order : {1, 2}
        Of the differences at the ends.

    Returns
    -------
    Array or list of Array
        One for each axis.

    Raises
    ------
    TypeError
        Spacings for another number of axes.
    ValueError
        Axes too short for the differences; coordinates of another length.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.gradient(ra.asarray([1.0, 2.0, 4.0, 7.0], chunks=2)).compute()
    array([1. , 1.5, 2.5, 3. ])
    """
    a = asarray(x)
    axes: Sequence[int] = range(a.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    spacings = list(varargs) or [1.0]
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    for along, spacing in zip(axes, spacings):
        if np.ndim(spacing) > 1:
            raise ValueError("distances must be either scalars or 1d")
        if np.ndim(spacing) == 1 and len(spacing) != a.shape[along]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        if a.shape[along] < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are "
                "required."
            )
    if a.dtype.kind in "iu":
        a = a.astype(float)
    if a.dtype.kind == "M":
        a = a - np.zeros((), a.dtype)
    results = [_slope(a, along, spacing, edge_order) for along, spacing in zip(axes, spacings)]
    return results[0] if len(results) == 1 else results


def _slope(x: Array, axis: int, spacing: Any, edge_order: int) -> Array:
    n = x.shape[axis]
    shape = [-1 if other == axis else 1 for other in range(x.ndim)]
    steps = np.diff(np.asarray(spacing)) if np.ndim(spacing) else None
    if steps is not None and (steps == steps[0]).all():
        spacing, steps = float(steps[0]), None
    inner = _central(x, axis, spacing, steps, shape)
    width = edge_order + 1
    starts, ends = _cut(x, axis, slice(0, width)), _cut(x, axis, slice(n - width, n))
    distances = [spacing] * edge_order * 2 if steps is None else steps.tolist()
    first = _one_sided(starts, axis, distances[:edge_order])
    last = _one_sided(_flipped(ends, axis), axis, [-distance for distance in distances[::-1][:edge_order]])
    whole = concatenate([first, inner, last], axis) if n > 2 else concatenate([first, last], axis)
    return Array(rechunk(whole.expr, x.chunks)).astype(x.dtype)


def _central(x: Array, axis: int, spacing: Any, steps: Any, shape: list[int]) -> Array:
    before, here, after = (_cut(x, axis, cut) for cut in (slice(None, -2), slice(1, -1), slice(2, None)))
    after = Array(rechunk(after.expr, before.chunks))
    if steps is None:
        return (after - before) / (2.0 * spacing)
    here = Array(rechunk(here.expr, before.chunks))
    left, right = steps[:-1].reshape(shape), steps[1:].reshape(shape)
    chunks = tuple(c if length == -1 else (1,) for c, length in zip(before.chunks, shape))
    parts = (-right / (left * (left + right)), (right - left) / (left * right), left / (right * (left + right)))
    a, b, c = (asarray(part, chunks=chunks) for part in parts)
    return a * before + b * here + c * after


def _one_sided(x: Array, axis: int, steps: Any) -> Array:
    """The slope at the first of two or three elements."""
    first, second = _cut(x, axis, slice(0, 1)), _cut(x, axis, slice(1, 2))
    if len(steps) == 1:
        return (second - first) / steps[0]
    third = _cut(x, axis, slice(2, 3))
    near, far = steps
    a, b, c = -(2.0 * near + far) / (near * (near + far)), (near + far) / (near * far), -near / (far * (near + far))
    return a * first + b * second + c * third


def _flipped(x: Array, axis: int) -> Array:
    return _cut(x, axis, slice(None, None, -1))


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """Integral along an axis by the trapezoidal rule.

    Parameters
    ----------
    y : Array or array_like
    x : Array or array_like, optional
        Coordinates: 1-d, or of the shape of `y`.
    dx : scalar
        Distance of the coordinates where `x` is not given.
    axis : int

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.trapezoid(ra.asarray([1.0, 2.0, 3.0], chunks=2)).compute()
    np.float64(4.0)
    """
    values = asarray(y)
    axis = np.lib.array_utils.normalize_axis_index(axis, values.ndim)
    before, after = _cut(values, axis, slice(None, -1)), _cut(values, axis, slice(1, None))
    after = Array(rechunk(after.expr, before.chunks))
    if x is not None:
        places = asarray(x)
        dx = diff(places, axis=axis if places.ndim > 1 else 0)
        if places.ndim == 1:
            dx = dx.reshape([-1 if other == axis else 1 for other in range(values.ndim)])
    return (dx * (after + before) / 2.0).sum(axis)
