"""map_blocks: any function, one block in from each array, one block out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.chunks import (
    Chunks,
    Shape,
    block_shapes,
    broadcast_index,
    common_chunks,
    grid_of,
    per_block,
)
from restride.collections.array.expr import ArrayExpr, Box, chunks_in
from restride.collections.array.operations.elementwise import unified
from restride.collections.array.operations.masking import are_masks_known
from restride.collections.array.operations.slicing import cut_blocks
from restride.collections.blocks import Blocks, Map
from restride.errors import BlockError, ChunkError


@dataclass(frozen=True, eq=False, repr=False)
class MapBlocks(ArrayExpr):
    """``func(*blocks, **kwargs)`` for each block of a grid, checked against what was declared of its result."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    """Array expressions, whose grids broadcast to `block_grid`, and literals."""
    kwargs: tuple[tuple[str, Any], ...]
    block_grid: Shape
    """The grid of the blocks that go in: with as many blocks, in C order, as the grid of the result."""
    out_chunks: Chunks
    out_dtype: np.dtype
    with_block_id: bool

    @property
    def label(self) -> str:
        return getattr(self.func, "__name__", type(self.func).__name__)

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return self.out_chunks

    def _masked(self) -> bool:
        return self._masked_if(are_masks_known(self.func))

    def blocks(self, *children: Blocks) -> Blocks:
        arrays = [arg for arg in self.args if isinstance(arg, ArrayExpr)]
        literals = [(at, arg) for at, arg in enumerate(self.args) if not isinstance(arg, ArrayExpr)]
        params = block_shapes(self.chunks)
        if self.with_block_id:
            ids = per_block([np.arange(n)[:, None] for n in self.grid], self.grid)
            params = np.concatenate([params, ids], axis=1)
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=CheckedFunction(
                self.func, literals, dict(self.kwargs), self.dtype, self.ndim, self.with_block_id, self.label
            ),
            index=tuple(broadcast_index(self.block_grid, array.grid) for array in arrays),
            params=params,
            name=self.label,
            origin=self.origin,
        )

    def of_blocks(self, box: Box) -> ArrayExpr | None:
        if self.with_block_id or self.block_grid != self.grid:
            return None
        args = [self._blocks_of(arg, box) if isinstance(arg, ArrayExpr) else arg for arg in self.args]
        if any(new is None for new, arg in zip(args, self.args) if arg is not None):
            return None
        grid = tuple(stop - start for start, stop in box)
        return self.replace(args=tuple(args), block_grid=grid, out_chunks=chunks_in(self.chunks, box))

    def _blocks_of(self, array: ArrayExpr, box: Box) -> ArrayExpr | None:
        own = box[self.ndim - array.ndim :]
        return cut_blocks(array, tuple((0, 1) if n == 1 else ends for n, ends in zip(array.grid, own)))


class CheckedFunction:
    """Kernel: a user's function, given the shape its result must have and, if wanted, which block it is."""

    def __init__(
        self,
        func: Callable[..., Any],
        literals: Sequence[tuple[int, Any]],
        kwargs: Mapping[str, Any],
        dtype: np.dtype,
        ndim: int,
        with_block_id: bool,
        name: str,
    ) -> None:
        self.__name__ = name
        self.func = func
        self.literals = tuple(literals)
        self.kwargs = dict(kwargs)
        self.dtype = dtype
        self.ndim = ndim
        self.with_block_id = with_block_id

    def __call__(self, param: list[int], *blocks: Any) -> Any:
        args = list(blocks)
        del blocks
        for at, value in self.literals:
            args.insert(at, value)
        kwargs = self.kwargs
        if self.with_block_id:
            kwargs = {**kwargs, "block_id": tuple(param[self.ndim :])}
        result = self.func(*args, **kwargs)
        shape = tuple(param[: self.ndim])
        if not isinstance(result, (np.ndarray, np.generic)):
            result = self._converted(result, shape)
        if not _fits(result.shape, shape) or result.dtype != self.dtype:
            raise self._mismatch(f"a block of shape {result.shape} and dtype {result.dtype}", shape)
        return result

    def _converted(self, result: Any, shape: Shape) -> np.ndarray:
        if not hasattr(result, "__array__") and not isinstance(result, (bool, int, float, complex, list, tuple)):
            raise self._mismatch(f"{type(result).__name__}, not an array", shape)
        return np.asarray(result)

    def _mismatch(self, returned: str, shape: Shape) -> BlockError:
        return BlockError(
            f"{self.__name__} returned {returned}; declared were shape {shape} and dtype {self.dtype}. "
            "Pass dtype= and chunks= (or drop_axis=, new_axis=) to map_blocks as the function returns them"
        )


def map_blocks(
    func: Callable[..., Any],
    *args: Any,
    dtype: DTypeLike | None = None,
    chunks: Any = None,
    drop_axis: int | Sequence[int] = (),
    new_axis: int | Sequence[int] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> ArrayExpr:
    """Apply a function to the blocks of arrays, which are brought to common chunks first.

    Parameters
    ----------
    func : callable
        Called with one block of each array, and the literals among the arguments in their places; with ``block_id``,
        the block's place in the grid of the result, if it has a parameter of that name.
    *args : ArrayExpr or literal
        At least one array.
    dtype : dtype, optional
        Of the blocks returned; the first array's by default.
    chunks : tuple, optional
        Of the result: for each axis a length that all blocks have, or a tuple of lengths. There must be one block for
        each block of the arguments. By default the arguments' chunks, and 1 along new axes.
    drop_axis : int or sequence of int
        Axes of the arguments that the result does not have; they must be in one block.
    new_axis : int or sequence of int
        Axes of the result that the arguments do not have.
    kwargs : mapping, optional
        Passed to `func`.

    Raises
    ------
    ChunkError
        Chunks that are not one block for one block.
    """
    arrays = [arg for arg in args if isinstance(arg, ArrayExpr)]
    if not arrays:
        raise TypeError("map_blocks needs at least one Array among its arguments")
    args = unified(args)
    common = common_chunks([arg.chunks for arg in args if isinstance(arg, ArrayExpr)])
    expected = expected_chunks(common, drop_axis, new_axis)
    return MapBlocks(
        func,
        args,
        tuple(sorted((kwargs or {}).items())),
        grid_of(common),
        expected if chunks is None else declared_chunks(chunks, grid_of(expected)),
        arrays[0].dtype if dtype is None else np.dtype(dtype),
        takes_block_id(func),
    )


def expected_chunks(common: Chunks, drop_axis: int | Sequence[int], new_axis: int | Sequence[int]) -> Chunks:
    dropped = np.lib.array_utils.normalize_axis_tuple(drop_axis, len(common))
    for axis in dropped:
        if len(common[axis]) != 1:
            raise ChunkError(
                f"axis {axis} cannot be dropped, as it is in {len(common[axis])} blocks; rechunk({{{axis}: -1}}) first"
            )
    kept = [lengths for axis, lengths in enumerate(common) if axis not in dropped]
    n_new = 1 if isinstance(new_axis, int) else len(new_axis)
    for axis in sorted(np.lib.array_utils.normalize_axis_tuple(new_axis, len(kept) + n_new)):
        kept.insert(axis, (1,))
    return tuple(kept)


def declared_chunks(chunks: Any, grid: Shape) -> Chunks:
    if len(chunks) != len(grid):
        raise ChunkError(f"chunks={chunks} are for {len(chunks)} axes, but the result has {len(grid)}")
    declared = tuple((_length(c),) * n if np.ndim(c) == 0 else tuple(map(_length, c)) for c, n in zip(chunks, grid))
    if grid_of(declared) != grid:
        raise ChunkError(
            f"chunks={chunks} make a grid of {grid_of(declared)} blocks, but there must be one block for each of the "
            f"{grid} that the function is called for"
        )
    return declared


def _length(length: Any) -> int:
    return length if length != length else int(length)


def _fits(shape: Shape, declared: Shape) -> bool:
    """Whether a shape is the one that was declared; -1 stands for any length."""
    return shape == declared or (len(shape) == len(declared) and all(b in (a, -1) for a, b in zip(shape, declared)))


def takes_block_id(func: Callable[..., Any]) -> bool:
    try:
        return "block_id" in inspect.signature(func).parameters
    except (TypeError, ValueError):  # some functions written in C do not tell
        return False
