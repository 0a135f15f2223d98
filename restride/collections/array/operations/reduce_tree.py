"""The tree of a reduction, the same for all: a map over the blocks, then gathers of some partial results each.

Level by level the reduced axes come down to one block. The last step also finishes the result. Partial results keep the
reduced axes; what they are apart from that is the reduction's own business (see `restride...operations.reductions`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, grid_of, per_block, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE, Cuts
from restride.collections.array.operations.masking import are_masks_known
from restride.collections.array.operations.slicing import cut_array
from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.engine.graphs.csr import Ints, row_starts, stable_argsort
from restride.engine.graphs.graph import Params

FAN_IN = 16
"""How many blocks one task combines at most, over all reduced axes together."""

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Reduction:
    """A reduction, as data."""

    name: str
    """That of numpy's function."""
    chunk: Callable[..., Any]
    """``chunk(block, axes, dtype)``, or ``chunk(block, axes, dtype, where)`` where `positional`: a partial result."""
    combine: Callable[[Sequence[Any]], Any]
    """One partial result of several."""
    finalize: Callable[[Any, np.dtype], Any]
    """``finalize(partial, dtype)``: the values."""
    positional: bool = False
    """Whether `chunk` is told where its block lies: the shape of the array, then where the block starts, by axis."""
    of_nothing: bool = True
    """Whether there is a result where there are no elements."""
    fan_in: int = FAN_IN


@dataclass(frozen=True, eq=False, repr=False)
class ReduceTree(ArrayExpr):
    """Base of what a tree makes of an array and some of its axes."""

    array: ArrayExpr
    reduction: Reduction
    axes: Axes
    """Ascending."""

    @property
    def label(self) -> str:
        return self.reduction.name

    def _masked(self) -> bool:
        return self._masked_if(are_masks_known(self.reduction.chunk))

    @property
    def dropped(self) -> Axes:
        """Axes of length 1 that the finished values still have, and the result does not."""
        return ()

    def blocks(self, *children: Blocks) -> Blocks:
        table, chunks = _without_empty(children[0], self.array.chunks, self.axes)
        grid = grid_of(chunks)
        finish = FinishReduction(self.reduction, self.dtype, self.dropped)
        last = all(grid[axis] == 1 for axis in self.axes)
        table = Map(
            n=table.n,
            inputs=(table,),
            kernel=ReduceBlock(self.reduction, self.axes, self.dtype, self.array.shape, finish if last else None),
            index=(every(table.n),),
            params=_corners(chunks, self.axes) if self.reduction.positional else None,
            name=self.label,
            origin=self.origin,
        )
        while not last:
            indptr, indices, grid = neighbours(grid, self.axes, self.reduction.fan_in)
            last = all(grid[axis] == 1 for axis in self.axes)
            table = Gather(
                n=len(indptr) - 1,
                inputs=(table,),
                kernel=CombinePartials(self.reduction, finish if last else None),
                indptr=indptr,
                indices=indices,
                name=f"{self.label}-combine",
                origin=self.origin,
            )
        return table


@dataclass(frozen=True, eq=False, repr=False)
class Reduce(ReduceTree):
    """An array reduced along some axes, which get length 1 or go."""

    keepdims: bool
    out_dtype: np.dtype

    @property
    def dropped(self) -> Axes:
        return () if self.keepdims else self.axes

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        kept = ((1,) if axis in self.axes else lengths for axis, lengths in enumerate(self.array.chunks))
        return tuple(kept) if self.keepdims else tuple(c for a, c in enumerate(self.array.chunks) if a not in self.axes)

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        kept = iter(cuts)
        below = cuts if self.keepdims else [WHOLE if a in self.axes else next(kept) for a in range(self.array.ndim)]
        if any(below[axis] != WHOLE for axis in self.axes):
            return None
        axes = tuple(axis - sum(isinstance(cut, int) for cut in below[:axis]) for axis in self.axes)
        return self.replace(array=cut_array(self.array, tuple(below)), axes=axes)


@dataclass(frozen=True, eq=False, repr=False)
class Condense(ReduceTree):
    """What a tree makes of an array, in chunks of its own: the k largest elements, the counts of a histogram.

    There is one block for each run of blocks along the reduced axes, in the same order.
    """

    result_chunks: Chunks
    out_dtype: np.dtype

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return self.result_chunks


@dataclass(frozen=True, eq=False, repr=False)
class Beside(ArrayExpr):
    """Blocks that are tuples, for the first step of a tree: a block of the first array, then one of each other.

    The others have as many blocks as the first, or one that goes with all of them.
    """

    knows_masks = True

    arrays: tuple[ArrayExpr, ...]

    def _dtype(self) -> np.dtype:
        return self.arrays[0].dtype

    def _chunks(self) -> Chunks:
        return self.arrays[0].chunks

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.n_blocks
        return Map(
            n=n,
            inputs=children,
            kernel=as_tuple,
            index=tuple(every(n) if table.n == n else np.zeros(n, np.int64) for table in children),
            name="beside",
            origin=self.origin,
        )


def as_tuple(*blocks: Any) -> tuple[Any, ...]:
    """Kernel: blocks side by side."""
    return blocks


class FinishReduction:
    """Turns the partial result of everything into values."""

    def __init__(self, reduction: Reduction, dtype: np.dtype, drop: Axes) -> None:
        self.name = reduction.name
        self.finalize = reduction.finalize
        self.dtype = dtype
        self.drop = drop

    def __call__(self, partial: Any) -> Any:
        if partial is None:
            raise ValueError(f"zero-size array to reduction operation {self.name} which has no identity")
        values = self.finalize(partial, self.dtype)
        return np.squeeze(values, self.drop) if self.drop else values


class ReduceBlock:
    """Kernel: a block's partial result, or the values where the block is all there is along the axes.

    Where nothing has no result, that of a block without elements is None. There are such blocks only among those whose
    lengths were not known before.
    """

    def __init__(
        self, reduction: Reduction, axes: Axes, dtype: np.dtype, shape: Shape, finish: FinishReduction | None
    ) -> None:
        self.__name__ = reduction.name
        self.chunk = reduction.chunk
        self.axes = axes
        self.dtype = dtype
        self.where = shape if reduction.positional else None
        self.of_nothing = reduction.of_nothing
        self.finish = finish

    def __call__(self, *args: Any) -> Any:
        block = args[-1]
        if not self.of_nothing and any(block.shape[axis] == 0 for axis in self.axes):
            partial = None
        elif self.where is None:
            partial = self.chunk(block, self.axes, self.dtype)
        else:
            partial = self.chunk(block, self.axes, self.dtype, (self.where, args[0]))
        return partial if self.finish is None else self.finish(partial)


class CombinePartials:
    """Kernel: one partial result of several, or the values where they are all there is."""

    def __init__(self, reduction: Reduction, finish: FinishReduction | None) -> None:
        self.__name__ = f"{reduction.name}-combine"
        self.combine = reduction.combine
        self.finish = finish

    def __call__(self, *partials: Any) -> Any:
        if any(partial is None for partial in partials):
            partials = tuple(partial for partial in partials if partial is not None)
        partial = self.combine(partials) if partials else None
        return partial if self.finish is None else self.finish(partial)


def normalized_axes(axis: Any, ndim: int) -> Axes:
    """An axis, several, or None for all, as ascending numbers from 0."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted(np.lib.array_utils.normalize_axis_tuple(axis, ndim)))


def neighbours(grid: Shape, axes: Axes, fan_in: int) -> tuple[Ints, Ints, Shape]:
    """Neighbouring blocks along the axes in groups of up to `fan_in`, in CSR form, and the grid of the groups."""
    wide = [axis for axis in axes if grid[axis] > 1]
    most = max(int(fan_in ** (1 / len(wide)) + 1e-9), 2)
    labels = np.zeros(grid, np.int64)
    coarse = list(grid)
    for axis, length in enumerate(grid):
        numbers = np.arange(length)
        if axis in wide:
            levels = max(math.ceil(math.log(length, most) - 1e-9), 1)
            step = min(max(math.ceil(length ** (1 / levels) - 1e-9), 2), most)
            numbers //= step
            coarse[axis] = -(-length // step)
        labels *= coarse[axis]
        labels += numbers.reshape([-1 if a == axis else 1 for a in range(len(grid))])
    n = math.prod(coarse)
    flat = labels.ravel()
    return row_starts(np.bincount(flat, minlength=n)), stable_argsort(flat, n), tuple(coarse)


def _without_empty(table: Blocks, chunks: Chunks, axes: Axes) -> tuple[Blocks, Chunks]:
    """Leave out blocks that have no elements along the reduced axes, as long as there are others."""
    kept = [
        np.flatnonzero(lengths) if axis in axes and 0 in lengths and any(lengths) else np.arange(len(lengths))
        for axis, lengths in enumerate(chunks)
    ]
    if all(len(numbers) == len(lengths) for numbers, lengths in zip(kept, chunks)):
        return table, chunks
    numbers = np.arange(table.n).reshape(grid_of(chunks))[np.ix_(*kept)].ravel()
    shorter = tuple(tuple(lengths[i] for i in numbers) for numbers, lengths in zip(kept, chunks))
    return Select(n=len(numbers), inputs=(table,), table=numbers), shorter


def _corners(chunks: Chunks, axes: Axes) -> Params:
    """Where each block starts along the axes; 0 along others, whose lengths need not be known."""
    starts = (starts_of(c)[:-1, None] if a in axes else np.zeros((len(c), 1), np.int64) for a, c in enumerate(chunks))
    return per_block(list(starts), grid_of(chunks))
