"""Shapes and order: functions with numpy's names that move elements and compute nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.chunks import common_chunks, normalize_chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import manipulation as operation
from restride.collections.array.operations.elementwise import unified
from restride.collections.array.operations.reshape import reshape_blockwise as blockwise_reshape
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


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Array:
    """Move an axis to before another; `moveaxis` says it more plainly.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.rollaxis(ra.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    array = asarray(a)
    axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
    if not -array.ndim <= start <= array.ndim:
        raise np.exceptions.AxisError(start, array.ndim + 1, "start")
    start += array.ndim * (start < 0)
    return moveaxis(array, axis, start - (axis < start))


@implements(np.reshape)
def reshape(x: Any, shape: int | Sequence[int], *, order: str = "C", copy: bool | None = None) -> Array:
    """Give the elements another shape; see `Array.reshape`.

    Parameters
    ----------
    x : Array or array_like
    shape : int or tuple of int
    order : str
        In which order the elements are read and placed: "C" or "F".
    copy : bool, optional
        Has no effect, as nothing is changed in place.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.reshape(ra.arange(6, chunks=3), (2, -1)).compute()
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    return asarray(x).reshape(shape, order=order)


def reshape_blockwise(x: Any, shape: int | Sequence[int], chunks: Any = None) -> Array:
    """Give each block another shape, and the array thereby: elements stay in their blocks, so no data moves.

    The elements come in the order of the blocks, not in that of numpy's `reshape`. Going back to the shape and chunks
    there were brings back the order there was.

    Parameters
    ----------
    x : Array or array_like
    shape : int or tuple of int
        With fewer axes than `x`, each of them one or the product of several neighbouring axes; otherwise `chunks` are
        needed.
    chunks : tuple of tuple of int, optional
        Of the result: as many blocks as there are, each of as many elements.

    Raises
    ------
    ValueError
        Shapes that do not go together, or blocks that do not.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.reshape(ra.arange(8), (2, 4)).rechunk((2, 2))
    >>> ra.reshape_blockwise(x, 8).compute()
    array([0, 1, 4, 5, 2, 3, 6, 7])
    """
    return Array(blockwise_reshape(asarray(x).expr, shape, chunks))


@implements(np.ravel)
def ravel(x: Any, order: str = "C") -> Array:
    """All elements, in C or F order, along one axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ravel(ra.ones((2, 3), chunks=2)).shape
    (6,)
    """
    return asarray(x).ravel(order)


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


@implements(np.flipud)
def flipud(m: Any) -> Array:
    """Reverse the order along the first axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.flipud(ra.arange(3)).compute()
    array([2, 1, 0])
    """
    array = asarray(m)
    if array.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return flip(array, 0)


@implements(np.fliplr)
def fliplr(m: Any) -> Array:
    """Reverse the order along the second axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fliplr(ra.asarray([[1, 2], [3, 4]])).compute()
    array([[2, 1],
           [4, 3]])
    """
    array = asarray(m)
    if array.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return flip(array, 1)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Turn by 90 degrees, `k` times, from the first of two axes towards the second.

    Raises
    ------
    ValueError
        Not two different axes, or none that the array has.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.rot90(ra.asarray([[1, 2], [3, 4]])).compute()
    array([[2, 4],
           [1, 3]])
    """
    array = asarray(m)
    if len(axes) != 2 or array.ndim < 2 or not all(-array.ndim <= axis < array.ndim for axis in axes):
        raise ValueError(f"Axes={axes} must be two of an array of ndim={array.ndim}.")
    first, second = (axis % array.ndim for axis in axes)
    if first == second:
        raise ValueError("Axes must be different.")
    turns = k % 4
    if turns == 2:
        return flip(array, (first, second))
    if turns == 1:
        array = flip(array, second)
    elif turns == 3:
        array = flip(array, first)
    return array if turns == 0 else swapaxes(array, first, second)


@implements(np.roll)
def roll(a: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Array:
    """Move elements along axes; those that leave at one end come in at the other.

    Parameters
    ----------
    a : Array or array_like
    shift : int or tuple of int
        By how many places; one for each axis, or for all.
    axis : int or tuple of int, optional
        The flattened array is rolled by default.

    Raises
    ------
    ValueError
        Shifts and axes that do not go together.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.roll(ra.arange(5, chunks=2), 2).compute()
    array([3, 4, 0, 1, 2])
    """
    array = asarray(a)
    if axis is None:
        return roll(array.ravel(), shift, 0).reshape(array.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    if shifts.ndim > 1:
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    by_axis: dict[int, int] = {}
    for n, along in zip(shifts.ravel().tolist(), axes.ravel().tolist()):
        along = np.lib.array_utils.normalize_axis_index(along, array.ndim)
        by_axis[along] = by_axis.get(along, 0) + n
    for along, n in by_axis.items():
        n = n % array.shape[along] if array.shape[along] else 0
        if n:
            whole = (slice(None),) * along
            array = concatenate([array[(*whole, slice(-n, None))], array[(*whole, slice(0, -n))]], along)
    return array


def atleast_1d(*arys: Any) -> Any:
    """Arrays with one axis at least; a tuple of several.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.atleast_1d(3).compute()
    array([3])
    """
    return _each(arys, lambda x: x if x.ndim else x[None])


def atleast_2d(*arys: Any) -> Any:
    """Arrays with two axes at least, new ones first; a tuple of several.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.atleast_2d(ra.arange(3)).shape
    (1, 3)
    """
    return _each(arys, lambda x: x[(None,) * (2 - x.ndim)] if x.ndim < 2 else x)


def atleast_3d(*arys: Any) -> Any:
    """Arrays with three axes at least; 1-d ones lie along the second. A tuple of several.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.atleast_3d(ra.arange(3)).shape
    (1, 3, 1)
    """
    return _each(arys, lambda x: atleast_2d(x)[..., None] if x.ndim < 3 else x)


for _numpy, _ours in ((np.atleast_1d, atleast_1d), (np.atleast_2d, atleast_2d), (np.atleast_3d, atleast_3d)):
    implements(_numpy)(_ours)


def _each(arrays: Sequence[Any], change: Callable[[Array], Array]) -> Any:
    changed = tuple(change(asarray(x)) for x in arrays)
    return changed[0] if len(changed) == 1 else changed


@implements(np.concatenate)
def concatenate(
    arrays: Sequence[Any], axis: int | None = 0, *, dtype: DTypeLike | None = None, casting: str = "same_kind"
) -> Array:
    """Put arrays one after another along an axis.

    Parameters
    ----------
    arrays : sequence of Array or array_like
        Of the same shape but for `axis`. Along the other axes they are rechunked to common chunks.
    axis : int or None
        With None the arrays are flattened first.
    dtype : dtype, optional
        Of the result.
    casting : {"no", "equiv", "safe", "same_kind", "unsafe"}
        Which arrays may be cast to it.

    Raises
    ------
    ValueError
        No arrays, or shapes that do not match.
    TypeError
        An array may not be cast to `dtype`.
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.concatenate([ra.zeros(2, int), ra.arange(3)]).compute()
    array([0, 0, 0, 1, 2])
    """
    given = [asarray(x) for x in arrays]
    if axis is None:
        given, axis = [x.ravel() for x in given], 0
    return Array(operation.concatenate(_cast(given, dtype, casting), axis))


@implements(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Array:
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
    return Array(operation.stack(_cast(map(asarray, arrays), dtype, casting), axis))


def _cast(arrays: Iterable[Array], dtype: DTypeLike | None, casting: str) -> list[ArrayExpr]:
    return [(x if dtype is None else x.astype(dtype, casting=casting)).expr for x in arrays]


def unstack(x: Any, axis: int = 0) -> tuple[Array, ...]:
    """Take an array apart along an axis, which the parts do not have.

    Examples
    --------
    >>> import restride.array as ra
    >>> a, b = ra.unstack(ra.asarray([[1, 2], [3, 4]]), axis=1)
    >>> a.compute(), b.compute()
    (array([1, 3]), array([2, 4]))
    """
    array = asarray(x)
    if not array.ndim:
        raise ValueError("a 0-d array cannot be taken apart")
    axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
    return tuple(array[(slice(None),) * axis + (k,)] for k in range(array.shape[axis]))


if hasattr(np, "unstack"):  # from numpy 2.1 on
    implements(np.unstack)(unstack)


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | Sequence[int], *, chunks: Any = None) -> Array:
    """Stretch an array to a shape, along axes of length 1 and new leading axes.

    Parameters
    ----------
    x : Array or array_like
    shape : int or tuple of int
    chunks : tuple, optional
        Of the result; new lengths are in one block each by default, as blocks are views that take no memory.

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
    array = asarray(x)
    lengths = None if chunks is None else normalize_chunks(chunks, wanted, array.itemsize)
    return Array(operation.broadcast_to(array.expr, wanted, lengths))


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any) -> tuple[Array, ...]:
    """Stretch arrays to the shape, and rechunk them to the chunks, that they have in common.

    Raises
    ------
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> import restride.array as ra
    >>> [x.shape for x in ra.broadcast_arrays(ra.zeros((3, 1)), ra.zeros(4))]
    [(3, 4), (3, 4)]
    """
    exprs = unified([asarray(x).expr for x in args])
    if not exprs:
        return ()
    chunks = common_chunks([expr.chunks for expr in exprs])
    return tuple(Array(operation.broadcast_to(expr, tuple(map(sum, chunks)), chunks)) for expr in exprs)


def unify_chunks(*args: Any) -> tuple[dict[Any, tuple[int, ...]], list[Any]]:
    """Rechunk arrays so that axes of the same name have the same chunks.

    Parameters
    ----------
    *args : Array, sequence, Array, sequence ...
        Each array followed by the names of its axes, or None to leave it alone.

    Returns
    -------
    chunks : dict
        For each name the lengths of the blocks.
    arrays : list of Array

    Raises
    ------
    ValueError
        Axes of one name that differ in length, other than by being 1 long.

    Examples
    --------
    >>> import restride.array as ra
    >>> chunks, (x, y) = ra.unify_chunks(ra.zeros(6, chunks=3), "i", ra.zeros((6, 4), chunks=(2, 4)), "ij")
    >>> chunks
    {'i': (2, 1, 1, 2), 'j': (4,)}
    """
    pairs = [(x if names is None else asarray(x), names) for x, names in zip(args[::2], args[1::2], strict=True)]
    found: dict[Any, list[tuple[int, ...]]] = {}
    for x, names in pairs:
        for name, lengths in zip(names or (), x.chunks if names is not None else (), strict=True):
            found.setdefault(name, []).append(lengths)
    chunks: dict[Any, tuple[int, ...]] = {}
    for name, several in found.items():
        if len({sum(lengths) for lengths in several} - {1}) > 1:
            raise ValueError(f"axes named {name!r} have lengths {sorted({sum(lengths) for lengths in several})}")
        (chunks[name],) = common_chunks([(lengths,) for lengths in several])
    return chunks, [
        x if names is None else x.rechunk(tuple(c if sum(c) == 1 else chunks[name] for c, name in zip(x.chunks, names)))
        for x, names in pairs
    ]


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
