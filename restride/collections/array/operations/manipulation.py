"""Manipulation: transpose, concatenate, stack, broadcast, squeeze, flip; no arithmetic, and mostly no work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from restride.collections.array.chunks import (
    SMALL_BLOCK,
    Chunks,
    Shape,
    block_shapes,
    broadcast_index,
    broadcast_shapes,
    chunks_within,
    common_chunks,
)
from restride.collections.array.expr import ArrayExpr, OtherChunks
from restride.collections.array.operations.cuts import NOTHING, WHOLE, Cuts, cut_of
from restride.collections.array.operations.elementwise import astype
from restride.collections.array.operations.masking import of_data_and_mask
from restride.collections.array.operations.rechunk import in_one_block, rechunk
from restride.collections.array.operations.slicing import cut_array, cut_axis, cut_operand, expand_dims, getitem
from restride.collections.blocks import Blocks, Map, Select


@dataclass(frozen=True, eq=False, repr=False)
class Transpose(ArrayExpr):
    """Axis ``k`` of the result is axis ``axes[k]`` of the array."""

    knows_masks = True

    array: ArrayExpr
    axes: tuple[int, ...]

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return tuple(self.array.chunks[axis] for axis in self.axes)

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=partial(np.transpose, axes=self.axes),
            index=(np.arange(self.n_blocks).reshape(self.array.grid).transpose(self.axes).ravel(),),
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        array = cut_array(self.array, tuple(cuts[self.axes.index(axis)] for axis in range(self.array.ndim)))
        kept = [axis for axis, cut in zip(self.axes, cuts) if isinstance(cut, slice)]
        return transpose(array, [sorted(kept).index(axis) for axis in kept])


@dataclass(frozen=True, eq=False, repr=False)
class Concatenate(ArrayExpr):
    """Arrays one after another along an axis; they agree in dtype and in the chunks of the other axes."""

    knows_masks = True

    arrays: tuple[ArrayExpr, ...]
    axis: int

    def _dtype(self) -> np.dtype:
        return self.arrays[0].dtype

    def _chunks(self) -> Chunks:
        along = tuple(length for array in self.arrays for length in array.chunks[self.axis])
        return tuple(along if axis == self.axis else c for axis, c in enumerate(self.arrays[0].chunks))

    def blocks(self, *children: Blocks) -> Blocks:
        starts = np.cumsum([0, *(table.n for table in children)])
        numbers = [np.arange(a.n_blocks).reshape(a.grid) + start for a, start in zip(self.arrays, starts)]
        return Select(n=self.n_blocks, inputs=children, table=np.concatenate(numbers, axis=self.axis).ravel())

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        along = cuts[self.axis]
        if along == WHOLE:
            parts = tuple(cut_array(array, cuts) for array in self.arrays)
        else:
            numbers, pieces = cut_axis([array.shape[self.axis] for array in self.arrays], along)
            lengths = [self.arrays[number].shape[self.axis] for number in numbers.tolist()]
            taken = [
                first
                if isinstance(along, int)
                else cut_of(range(first, first + step * n, step), length)
                if n
                else NOTHING
                for (first, step, n), length in zip(pieces.tolist(), lengths)
            ]
            parts = tuple(
                cut_array(self.arrays[number], (*cuts[: self.axis], cut, *cuts[self.axis + 1 :]))
                for number, cut in zip(numbers.tolist(), taken)
            )
        if len(parts) == 1:
            return parts[0]
        return self.replace(arrays=parts, axis=sum(isinstance(cut, slice) for cut in cuts[: self.axis]))


@dataclass(frozen=True, eq=False, repr=False)
class BroadcastTo(OtherChunks):
    """An array stretched along axes of length 1 and new leading axes."""

    knows_masks = True

    @property
    def label(self) -> str:
        return "broadcast_to"

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=broadcast_block,
            index=(broadcast_index(self.grid, self.array.grid),),
            params=block_shapes(self.chunks),
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        array = cut_operand(self.array, self.shape, cuts)
        chunks = cut_array(self, cuts).chunks
        return array if array.chunks == chunks else self.replace(array=array, new_chunks=chunks)


@of_data_and_mask
def broadcast_block(shape: Sequence[int], block: Any) -> np.ndarray:
    """Kernel: a view of a block, stretched to a shape; where that is -1, as long as the block."""
    if -1 in shape:
        own = (*(1,) * (len(shape) - block.ndim), *block.shape)
        shape = [mine if n == -1 else n for n, mine in zip(shape, own)]
    return np.broadcast_to(block, shape)


def transpose(x: ArrayExpr, axes: Sequence[int] | None = None) -> ArrayExpr:
    """The array with its axes in another order; in reverse by default."""
    if axes is None:
        axes = range(x.ndim)[::-1]
    elif len(axes) != x.ndim:
        raise ValueError(f"axes don't match array: {tuple(axes)} for {x.ndim} axes")
    order = np.lib.array_utils.normalize_axis_tuple(axes, x.ndim)
    return x if order == tuple(range(x.ndim)) else Transpose(x, order)


def concatenate(arrays: Sequence[ArrayExpr], axis: int = 0) -> ArrayExpr:
    """Arrays one after another along an axis that all of them have."""
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    ndim = arrays[0].ndim
    if ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    axis = np.lib.array_utils.normalize_axis_index(axis, ndim)
    for number, array in enumerate(arrays):
        if _without(array.shape, axis) != _without(arrays[0].shape, axis) or array.ndim != ndim:
            raise ValueError(
                "all the input array dimensions except for the concatenation axis must match exactly, but along "
                f"axis {axis} array 0 has shape {arrays[0].shape} and array {number} has shape {array.shape}"
            )
    dtype = np.result_type(*(array.dtype for array in arrays))
    others = common_chunks([(*array.chunks[:axis], (1,), *array.chunks[axis + 1 :]) for array in arrays])
    parts = tuple(
        astype(rechunk(array, (*others[:axis], array.chunks[axis], *others[axis + 1 :])), dtype) for array in arrays
    )
    return parts[0] if len(parts) == 1 else Concatenate(parts, axis)


def stack(arrays: Sequence[ArrayExpr], axis: int = 0) -> ArrayExpr:
    """Arrays of one shape along a new axis."""
    if not arrays:
        raise ValueError("need at least one array to stack")
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(f"all input arrays must have the same shape, got {[array.shape for array in arrays]}")
    axis = np.lib.array_utils.normalize_axis_index(axis, arrays[0].ndim + 1)
    return concatenate([expand_dims(array, axis) for array in arrays], axis)


def broadcast_to(x: ArrayExpr, shape: Shape, chunks: Chunks | None = None) -> ArrayExpr:
    """The array stretched to a shape; unless told, in blocks that are not much larger than its own."""
    if broadcast_shapes(x.shape, shape) != shape:
        raise ValueError(f"operands could not be broadcast together with shapes {x.shape} {shape}")
    lead = len(shape) - x.ndim
    stretched = [axis for axis, length in enumerate(shape[lead:]) if x.shape[axis] == 1 != length]
    x = in_one_block(x, stretched)
    if chunks is None:
        own = math.prod(max(c) for c in x.chunks)
        times = max(2, SMALL_BLOCK // (max(own, 1) * max(x.dtype.itemsize, 1))) if own == own else 2
        new = {axis for axis in range(len(shape)) if axis < lead or axis - lead in stretched}
        longer = chunks_within(tuple((length,) if axis in new else (1,) for axis, length in enumerate(shape)), times)
        chunks = tuple(longer[axis] if axis in new else x.chunks[axis - lead] for axis in range(len(shape)))
    else:
        x = rechunk(x, tuple((1,) if a in stretched else c for a, c in enumerate(chunks[lead:])))
    return x if x.chunks == chunks else BroadcastTo(x, chunks)


def squeeze(x: ArrayExpr, axis: int | Sequence[int] | None = None) -> ArrayExpr:
    """The array without axes of length 1: all such, or those given."""
    if axis is None:
        axes = tuple(a for a, length in enumerate(x.shape) if length == 1)
    else:
        axes = np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return getitem(x, tuple(0 if a in axes else WHOLE for a in range(x.ndim)))


def flip(x: ArrayExpr, axis: int | Sequence[int] | None = None) -> ArrayExpr:
    """The array with the order along some axes, or all, reversed."""
    axes = tuple(range(x.ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    return getitem(x, tuple(slice(None, None, -1) if a in axes else WHOLE for a in range(x.ndim)))


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]
