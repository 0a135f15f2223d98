"""Functions of blocks: blockwise, elemwise, along axes, and of coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, apply, asarray, implements
from restride.collections.array.chunks import block_bounds, normalize_chunks
from restride.collections.array.operations.along_axis import with_whole_axis
from restride.collections.array.operations.blockwise import Name, Names, Returned, calls
from restride.collections.array.operations.sources import block_source
from restride.errors import ChunkError


def blockwise(
    func: Callable[..., Any],
    out_ind: Sequence[Name],
    *args: Any,
    new_axes: Mapping[Name, int | Sequence[int]] | None = None,
    adjust_chunks: Mapping[Name, Any] | None = None,
    align_arrays: bool = True,
    concatenate: bool | None = None,
    dtype: DTypeLike | None = None,
    meta: Any = None,
    **kwargs: Any,
) -> Array:
    """Apply a function to blocks of arrays that correspond by the names of their axes.

    Parameters
    ----------
    func : callable
        Called once for each block of the result, with the blocks (numpy arrays) that belong to it.
    out_ind : str or sequence of hashable
        Names of the axes of the result.
    *args : pairs of (Array or object) and (str, sequence or None)
        Arrays, each followed by the names of its axes; other objects are followed by None and go to `func` as they are.
        Along an axis that the result lacks, `func` gets all blocks: as nested lists, or concatenated.
    new_axes : dict, optional
        From names of axes that only the result has to their length, or the lengths of their blocks.
    adjust_chunks : dict, optional
        From names of axes whose blocks `func` makes longer or shorter to a length, a function from length to length, or
        the lengths of all blocks.
    align_arrays : bool
        Whether to rechunk the arrays to common chunks first. Otherwise they must have as many blocks.
    concatenate : bool, optional
        Whether blocks along axes that the result lacks are concatenated, instead of coming as lists.
    dtype : dtype, optional
        Of what `func` returns. By default that of `meta`, or found by calling `func` with empty blocks.
    meta : array_like, optional
        Something of the dtype of the result.
    **kwargs
        Passed to `func`.

    Returns
    -------
    Array
        Every block that `func` returns is checked against what was declared.

    Raises
    ------
    ValueError
        Names that do not fit the axes, axes of one name with different lengths, no dtype.
    BlockError
        On compute: `func` returned a block of another shape or dtype than declared.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x, y = ra.arange(4, chunks=2), ra.arange(3, chunks=3)
    >>> ra.blockwise(np.outer, "ij", x, "i", y, "j").compute()
    array([[0, 0, 0],
           [0, 1, 2],
           [0, 2, 4],
           [0, 3, 6]])
    >>> ra.blockwise(np.repeat, "i", y, "i", 2, None, adjust_chunks={"i": 6}).compute()
    array([0, 0, 1, 1, 2, 2])
    """
    if len(args) % 2:
        raise ValueError("blockwise takes arrays each followed by the names of its axes, or objects followed by None")
    names = [None if some is None else tuple(some) for some in args[1::2]]
    values = [arg if some is None else asarray(arg).expr for arg, some in zip(args[::2], names)]
    made = {name: (size,) if isinstance(size, int) else tuple(size) for name, size in (new_axes or {}).items()}
    nested = not concatenate
    called, lengths = calls(
        func, tuple(out_ind), values, names, new_chunks=made, kwargs=kwargs, nested=nested, align=align_arrays
    )
    adjusted = {name: _adjusted(name, lengths.get(name), change) for name, change in (adjust_chunks or {}).items()}
    chunks = tuple(adjusted.get(name, lengths[name]) for name in out_ind)
    kind = np.dtype(dtype) if dtype is not None else getattr(meta, "dtype", None)
    if kind is None:
        kind = _tried(func, values, names, tuple(out_ind), kwargs, nested)
    return Array(Returned(called, chunks, kind, checked=True))


def elemwise(op: Callable[..., Any], *args: Any, dtype: DTypeLike | None = None, **kwargs: Any) -> Array:
    """Apply a function that works element by element, with numpy's broadcasting.

    Parameters
    ----------
    op : callable
        Takes and returns arrays.
    *args : Array, array_like or scalar
    dtype : dtype, optional
        Of the result; found by calling `op` with empty arrays if not given.
    **kwargs
        Passed to `op`.

    Raises
    ------
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.elemwise(np.hypot, ra.asarray([3.0, 5.0]), 4).compute()
    array([5.        , 6.40312424])
    """
    return apply(op, *args, **kwargs) if dtype is None else apply(op, *args, out_dtype=np.dtype(dtype), **kwargs)


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any],
    axis: int,
    arr: Any,
    *args: Any,
    dtype: DTypeLike | None = None,
    shape: Sequence[int] | None = None,
    **kwargs: Any,
) -> Array:
    """Apply a function to every 1-d slice along an axis, which is gathered into one block.

    Parameters
    ----------
    func1d : callable
        Called as ``func1d(slice, *args, **kwargs)``; returns a scalar or an array.
    axis : int
    arr : Array or array_like
    *args, **kwargs
        Passed to `func1d`.
    dtype, shape : optional
        Of what `func1d` returns; found by calling it with ones if one of them is not given.

    Returns
    -------
    Array
        With the axes of what `func1d` returns in the place of the axis.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.apply_along_axis(np.ptp, 1, ra.arange(6, chunks=2).reshape(2, 3)).compute()
    array([2, 2])
    """
    x = asarray(arr)
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    if dtype is None or shape is None:
        tried = np.asarray(func1d(np.ones(x.shape[axis], x.dtype), *args, **kwargs))
        dtype, shape = tried.dtype if dtype is None else dtype, tried.shape if shape is None else shape
    expr = with_whole_axis(x.expr, axis)
    new: list[Name] = [("returned", number) for number in range(len(shape))]
    out: list[Name] = [*range(axis), *new, *range(axis + 1, x.ndim)]
    kernel = AlongAxis(func1d, axis, args, kwargs, tuple(shape), np.dtype(dtype))
    lengths: dict[Name, tuple[int, ...]] = {name: (length,) for name, length in zip(new, shape)}
    called, known = calls(kernel, out, [expr], [range(x.ndim)], new_chunks=lengths)
    return Array(Returned(called, tuple(known[name] for name in out), np.dtype(dtype), checked=True))


class AlongAxis:
    """Kernel: a function of 1-d slices, for each in a block."""

    def __init__(
        self,
        func: Callable[..., Any],
        axis: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype,
    ) -> None:
        self.__name__ = getattr(func, "__name__", "apply_along_axis")
        self.func = func
        self.axis = axis
        self.args = args
        self.kwargs = kwargs
        self.shape = shape
        self.dtype = dtype

    def __call__(self, block: np.ndarray) -> np.ndarray:
        if not block.size and 0 in (lead := block.shape[: self.axis] + block.shape[self.axis + 1 :]):
            return np.empty(lead[: self.axis] + self.shape + lead[self.axis :], self.dtype)
        result = np.apply_along_axis(self.func, self.axis, block, *self.args, **self.kwargs)
        return result.astype(self.dtype, copy=False)


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: int | Sequence[int]) -> Array:
    """Apply a function of an array and an axis over several axes, one after another.

    Parameters
    ----------
    func : callable
        Such as `restride.array.sum`: called as ``func(array, axis)``; returns an array with the axis gone, or with
        length 1.
    a : Array or array_like
    axes : int or sequence of int

    Raises
    ------
    ValueError
        `func` returned an array of another number of axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.apply_over_axes(ra.sum, ra.ones((2, 3, 4), chunks=2), (0, 2)).compute()
    array([[[8.],
            [8.],
            [8.]]])
    """
    x = asarray(a)
    for axis in np.atleast_1d(np.asarray(axes)).tolist():
        axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
        result = asarray(func(x, axis))
        if result.ndim == x.ndim - 1:
            result = result[(slice(None),) * axis + (None,)]
        if result.ndim != x.ndim:
            raise ValueError("function is not returning an array of the correct shape")
        x = result
    return x


def fromfunction(
    func: Callable[..., Any], shape: Sequence[int], *, dtype: DTypeLike = float, chunks: Any = "auto", **kwargs: Any
) -> Array:
    """Make an array by a function of its coordinates.

    Parameters
    ----------
    func : callable
        Called for each block with an array of coordinates for each axis, of the block's shape.
    shape : sequence of int
    dtype : dtype
        Of the coordinates.
    chunks : int, str, tuple or dict
        See `from_array`.
    **kwargs
        Passed to `func`.

    Returns
    -------
    Array
        Of the dtype that `func` gives for the first coordinates.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fromfunction(lambda i, j: 10 * i + j, (2, 3), dtype=int, chunks=1).compute()
    array([[ 0,  1,  2],
           [10, 11, 12]])
    """
    kind = np.dtype(dtype)
    lengths = normalize_chunks(chunks, tuple(shape), kind.itemsize)
    tried = np.asarray(func(*(np.zeros((1,) * len(lengths), kind) for _ in lengths), **kwargs))
    kernel = OfCoordinates(func, kwargs, kind, tried.dtype)
    return Array(block_source(kernel, block_bounds(lengths), lengths, tried.dtype, name=kernel.__name__))


class OfCoordinates:
    """Kernel: a function of coordinates, given the bounds of a block."""

    def __init__(self, func: Callable[..., Any], kwargs: dict[str, Any], dtype: np.dtype, out: np.dtype) -> None:
        self.__name__ = getattr(func, "__name__", "fromfunction")
        self.func = func
        self.kwargs = kwargs
        self.dtype = dtype
        self.out = out

    def __call__(self, bounds: list[int]) -> Any:
        starts, stops = bounds[::2], bounds[1::2]
        shape = tuple(stop - start for start, stop in zip(starts, stops))
        places = np.indices(shape, self.dtype)
        values = self.func(*(place + self.dtype.type(start) for place, start in zip(places, starts)), **self.kwargs)
        return np.broadcast_to(np.asarray(values, self.out), shape)


def _adjusted(name: Name, lengths: tuple[int, ...] | None, change: Any) -> tuple[int, ...]:
    if lengths is None:
        raise ValueError(f"adjust_chunks names the axis {name!r}, which there is not")
    if callable(change):
        return tuple(int(change(length)) for length in lengths)
    new = (int(change),) * len(lengths) if np.ndim(change) == 0 else tuple(map(int, change))
    if len(new) != len(lengths):
        raise ChunkError(f"adjust_chunks gives {len(new)} lengths for axis {name!r}, which has {len(lengths)} blocks")
    return new


def _tried(
    func: Callable[..., Any],
    values: Sequence[Any],
    names: Sequence[Names | None],
    out: Names,
    kwargs: Mapping[str, Any],
    nested: bool,
) -> np.dtype:
    """The dtype of what a function returns, as far as it tells when called with empty blocks."""
    blocks = []
    for value, some in zip(values, names):
        block = value
        if some is not None:
            block = np.empty((0,) * value.ndim, value.dtype)
            for _ in range(sum(name not in out for name in some) if nested else 0):
                block = [block]
        blocks.append(block)
    try:
        with np.errstate(all="ignore"):
            return np.asarray(func(*blocks, **kwargs)).dtype
    except Exception as error:
        label = getattr(func, "__name__", type(func).__name__)
        raise ValueError(
            f"the dtype of what {label} returns is not known, as calling it with empty blocks failed; pass dtype="
        ) from error
