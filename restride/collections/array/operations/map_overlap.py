"""map_overlap: a function of blocks that see some elements of their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.chunks import grid_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import unified
from restride.collections.array.operations.map_blocks import (
    MapBlocks,
    declared_chunks,
    expected_chunks,
    takes_block_id,
)
from restride.collections.array.operations.overlap import BOUNDARIES, Depth, overlapped, trimmed


def map_overlap(
    func: Callable[..., Any],
    *args: Any,
    depth: Any,
    boundary: Any = None,
    trim: bool = True,
    align_arrays: bool = True,
    dtype: DTypeLike | None = None,
    chunks: Any = None,
    drop_axis: int | Sequence[int] = (),
    new_axis: int | Sequence[int] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> ArrayExpr:
    """Apply a function to blocks that overlap, and cut off of its results what they overlap by.

    Parameters
    ----------
    func : callable
    *args : ArrayExpr or literal
    depth, boundary
        See `restride.array.map_overlap`; a list has one for each array.
    trim : bool
        Whether to cut off of each result what the blocks of the array of most axes (the first of such) overlap by.
    align_arrays : bool
        Whether to bring arrays to common chunks first.
    dtype, chunks, drop_axis, new_axis, kwargs
        As for `map_blocks`.
    """
    if align_arrays:
        args = unified(args)
    arrays = [arg for arg in args if isinstance(arg, ArrayExpr)]
    if not arrays:
        raise TypeError("map_overlap needs at least one Array among its arguments")
    depths = [checked_depth(given, x.ndim) for given, x in zip(_of_arrays(depth, len(arrays), "depth"), arrays)]
    boundaries = [
        checked_boundary(given, x.ndim) for given, x in zip(_of_arrays(boundary, len(arrays), "boundary"), arrays)
    ]
    extended = [overlapped(*given) for given in zip(arrays, depths, boundaries)]
    main = max(range(len(arrays)), key=lambda number: (arrays[number].ndim, -number))
    expected = expected_chunks(extended[main].chunks, drop_axis, new_axis)
    of_args = iter(extended)
    result: ArrayExpr = MapBlocks(
        func,
        tuple(next(of_args) if isinstance(arg, ArrayExpr) else arg for arg in args),
        tuple(sorted((kwargs or {}).items())),
        np.broadcast_shapes(*(x.grid for x in extended)),
        expected if chunks is None else declared_chunks(chunks, grid_of(expected)),
        arrays[0].dtype if dtype is None else np.dtype(dtype),
        takes_block_id(func),
    )
    if not trim:
        return result
    ndim = arrays[main].ndim
    dropped = np.lib.array_utils.normalize_axis_tuple(drop_axis, ndim)
    n_new = 1 if isinstance(new_axis, int) else len(new_axis)
    added = np.lib.array_utils.normalize_axis_tuple(new_axis, ndim - len(dropped) + n_new)
    kept = iter(axis for axis in range(ndim) if axis not in dropped)
    axes = [None if axis in added else next(kept) for axis in range(result.ndim)]
    return trimmed(
        result,
        tuple((0, 0) if axis is None else depths[main][axis] for axis in axes),
        ["none" if axis is None else boundaries[main][axis] for axis in axes],
        tuple(result.chunks[at] if axis is None else arrays[main].chunks[axis] for at, axis in enumerate(axes)),
    )


def _of_arrays(value: Any, n: int, word: str) -> list[Any]:
    values = value if isinstance(value, list) else [value] * n
    if len(values) != n:
        raise ValueError(f"a list of {len(values)} for {word}, but there are {n} arrays")
    return values


def checked_depth(depth: Any, ndim: int) -> Depth:
    """A depth of any spelling as one pair for each axis.

    Raises
    ------
    ValueError
        A negative depth, or not one for each axis.
    TypeError
        A depth that is no integer.
    """
    if isinstance(depth, Mapping):
        given = {np.lib.array_utils.normalize_axis_index(axis, ndim): value for axis, value in depth.items()}
        values = [given.get(axis, 0) for axis in range(ndim)]
    elif isinstance(depth, (tuple, list)):
        values = list(depth)
    else:
        values = [0 if depth is None else depth] * ndim
    if len(values) != ndim:
        raise ValueError(f"depth {depth} is for {len(values)} axes, but the array has {ndim}")
    pairs = []
    for value in values:
        before, after = value if isinstance(value, (tuple, list)) else (value, value)
        if not all(isinstance(side, (int, np.integer)) for side in (before, after)):
            raise TypeError(f"depth must be made of integers, got {value!r}")
        if before < 0 or after < 0:
            raise ValueError(f"depth must not be negative, got {value!r}")
        pairs.append((int(before), int(after)))
    return tuple(pairs)


def checked_boundary(boundary: Any, ndim: int) -> tuple[Any, ...]:
    """A boundary of any spelling as one for each axis.

    Raises
    ------
    ValueError
        A boundary of no known name, or not one for each axis.
    """
    if isinstance(boundary, Mapping):
        given = {np.lib.array_utils.normalize_axis_index(axis, ndim): value for axis, value in boundary.items()}
        values = [given.get(axis, "none") for axis in range(ndim)]
    elif isinstance(boundary, (tuple, list)):
        values = list(boundary)
    else:
        values = [boundary] * ndim
    if len(values) != ndim:
        raise ValueError(f"boundary {boundary} is for {len(values)} axes, but the array has {ndim}")
    values = ["none" if value is None else value for value in values]
    for value in values:
        if isinstance(value, str) and value not in ("none", *BOUNDARIES):
            raise ValueError(f"boundary must be one of {', '.join(BOUNDARIES)}, none or a value; got {value!r}")
    return tuple(values)
