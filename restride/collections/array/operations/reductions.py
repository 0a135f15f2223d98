"""Reductions, as data: what happens to a block, how partial results merge, and what the merged one becomes.

The shape of the computation is the same for all: a map over the blocks (`chunk`), then gathers of some blocks each,
level by level, until the reduced axes have one block (`combine`), the last of which also finishes the result
(`finalize`). Partial results keep the reduced axes, with length 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, grid_of, per_block, starts_of
from restride.collections.array.expr import ArrayExpr
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
    finalize: Callable[[Any, int, np.dtype], Any]
    """``finalize(partial, count, dtype)``: the values, of `count` elements each."""
    positional: bool = False
    """Whether `chunk` is told where its block lies: the shape of the array, then where the block starts, by axis."""


@dataclass(frozen=True, eq=False, repr=False)
class Reduce(ArrayExpr):
    """An array reduced along some axes."""

    array: ArrayExpr
    reduction: Reduction
    axes: Axes
    """Ascending."""
    keepdims: bool
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return self.reduction.name

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        kept = ((1,) if axis in self.axes else lengths for axis, lengths in enumerate(self.array.chunks))
        return tuple(kept) if self.keepdims else tuple(c for a, c in enumerate(self.array.chunks) if a not in self.axes)

    def blocks(self, *children: Blocks) -> Blocks:
        table, chunks = _without_empty(children[0], self.array.chunks, self.axes)
        grid = grid_of(chunks)
        count = math.prod(self.array.shape[axis] for axis in self.axes)
        finish = FinishReduction(self.reduction, count, self.dtype, None if self.keepdims else self.axes)
        last = all(grid[axis] == 1 for axis in self.axes)
        table = Map(
            n=table.n,
            inputs=(table,),
            kernel=ReduceBlock(self.reduction, self.axes, self.dtype, self.array.shape, finish if last else None),
            index=(every(table.n),),
            params=_corners(chunks) if self.reduction.positional else None,
            name=self.label,
            origin=self.origin,
        )
        while not last:
            indptr, indices, grid = _groups(grid, self.axes)
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


class FinishReduction:
    """Turns the partial result of everything into values."""

    def __init__(self, reduction: Reduction, count: int, dtype: np.dtype, drop: Axes | None) -> None:
        self.finalize = reduction.finalize
        self.count = count
        self.dtype = dtype
        self.drop = drop

    def __call__(self, partial: Any) -> Any:
        values = self.finalize(partial, self.count, self.dtype)
        return values if self.drop is None else np.squeeze(values, self.drop)


class ReduceBlock:
    """Kernel: a block's partial result, or the values where the block is all there is along the axes."""

    def __init__(
        self, reduction: Reduction, axes: Axes, dtype: np.dtype, shape: Shape, finish: FinishReduction | None
    ) -> None:
        self.__name__ = reduction.name
        self.chunk = reduction.chunk
        self.axes = axes
        self.dtype = dtype
        self.where = shape if reduction.positional else None
        self.finish = finish

    def __call__(self, *args: Any) -> Any:
        if self.where is None:
            partial = self.chunk(args[0], self.axes, self.dtype)
        else:
            partial = self.chunk(args[1], self.axes, self.dtype, (self.where, args[0]))
        return partial if self.finish is None else self.finish(partial)


class CombinePartials:
    """Kernel: one partial result of several, or the values where they are all there is."""

    def __init__(self, reduction: Reduction, finish: FinishReduction | None) -> None:
        self.__name__ = f"{reduction.name}-combine"
        self.combine = reduction.combine
        self.finish = finish

    def __call__(self, *partials: Any) -> Any:
        partial = self.combine(partials)
        return partial if self.finish is None else self.finish(partial)


def reduce(
    x: ArrayExpr, reduction: Reduction, axis: Any = None, *, keepdims: bool = False, dtype: np.dtype
) -> ArrayExpr:
    """Reduce an array along an axis, several, or (None) all.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    ValueError
        An axis is given twice, or there is nothing to reduce and the reduction has no identity.
    """
    axes = normalized_axes(axis, x.ndim)
    if x.size == 0:  # numpy knows which reductions of nothing are errors
        empty = np.zeros([min(length, 1) for length in x.shape], x.dtype)
        function = getattr(np, reduction.name)
        if reduction.positional:
            function(empty, axis=None if len(axes) == x.ndim else axes[0])
        elif reduction.name in ("min", "max"):
            function(empty, axis=axes)
    return Reduce(x, reduction, axes, keepdims, dtype)


def normalized_axes(axis: Any, ndim: int) -> Axes:
    """An axis, several, or None for all, as ascending numbers from 0."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted(np.lib.array_utils.normalize_axis_tuple(axis, ndim)))


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


def _groups(grid: Shape, axes: Axes) -> tuple[Ints, Ints, Shape]:
    """Neighbouring blocks along the axes in groups of up to `FAN_IN`, in CSR form, and the grid of the groups."""
    wide = [axis for axis in axes if grid[axis] > 1]
    most = max(int(FAN_IN ** (1 / len(wide)) + 1e-9), 2)
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


def _corners(chunks: Chunks) -> Params:
    return per_block([starts_of(lengths)[:-1, None] for lengths in chunks], grid_of(chunks))


# ---- the reductions themselves --------------------------------------------------------------------------------------


def _accumulate(ufunc: np.ufunc, partials: Sequence[Any]) -> Any:
    total = partials[0]
    if isinstance(total, np.ndarray) and len(partials) > 1:
        total = ufunc(total, partials[1])
        for partial in partials[2:]:
            ufunc(total, partial, out=total)
        return total
    return functools.reduce(ufunc, partials)


def _reduce_by(ufunc: np.ufunc, block: Any, axes: Axes, dtype: np.dtype) -> Any:
    return ufunc.reduce(block, axis=axes, dtype=dtype, keepdims=True)


def _extreme_by(ufunc: np.ufunc, block: Any, axes: Axes, dtype: np.dtype) -> Any:
    return ufunc.reduce(block, axis=axes, keepdims=True)


def _as_they_are(partial: Any, count: int, dtype: np.dtype) -> Any:
    return partial


def _by_ufunc(name: str, ufunc: np.ufunc, chunk: Callable[..., Any] = _reduce_by) -> Reduction:
    return Reduction(name, functools.partial(chunk, ufunc), functools.partial(_accumulate, ufunc), _as_they_are)


def _wide(dtype: np.dtype) -> np.dtype:
    """What sums of means are held in: as numpy does, float16 in float32."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _mean_chunk(block: Any, axes: Axes, dtype: np.dtype) -> Any:
    return np.add.reduce(block, axis=axes, dtype=_wide(dtype), keepdims=True)


def _mean_finalize(total: Any, count: int, dtype: np.dtype) -> Any:
    return np.true_divide(total, count).astype(dtype, copy=False)


@dataclass(frozen=True, slots=True)
class Moments:
    """Partial result of a variance: how many elements, their mean, and the sum of squared distances from it."""

    count: int
    mean: Any
    squares: Any


def _moments_chunk(block: Any, axes: Axes, dtype: np.dtype) -> Moments:
    count = math.prod(block.shape[axis] for axis in axes)
    kind = _wide(dtype) if block.dtype.kind != "c" else block.dtype
    total = np.add.reduce(block, axis=axes, dtype=kind, keepdims=True)
    mean = np.true_divide(total, count) if count else total
    distance = block - mean
    squared = np.multiply(distance, distance.conj()).real if kind.kind == "c" else np.multiply(distance, distance)
    return Moments(count, mean, np.add.reduce(squared, axis=axes, dtype=_wide(dtype), keepdims=True))


def _moments_combine(partials: Sequence[Moments]) -> Moments:
    """Merge pairwise; the update of Chan, Golub and LeVeque is stable where sums of squares are not."""
    while len(partials) > 1:
        pairs = [_merged(a, b) for a, b in zip(partials[::2], partials[1::2])]
        partials = [*pairs, partials[-1]] if len(partials) % 2 else pairs
    return partials[0]


def _merged(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    if not count:
        return a
    distance = b.mean - a.mean
    mean = a.mean + distance * (b.count / count)
    squared = (distance * distance.conj()).real if np.iscomplexobj(distance) else distance * distance
    return Moments(count, mean, a.squares + b.squares + squared * (a.count * b.count / count))


def _var_finalize(moments: Moments, count: int, dtype: np.dtype, *, ddof: float) -> Any:
    return np.true_divide(moments.squares, max(count - ddof, 0)).astype(dtype, copy=False)


def _std_finalize(moments: Moments, count: int, dtype: np.dtype, *, ddof: float) -> Any:
    return np.sqrt(np.true_divide(moments.squares, max(count - ddof, 0))).astype(dtype, copy=False)


@dataclass(frozen=True, slots=True)
class Located:
    """Partial result of argmin and argmax: extreme values, and where in the array they are first met."""

    values: Any
    numbers: Any


def _arg_chunk(
    find: Callable[..., Any], block: Any, axes: Axes, dtype: np.dtype, where: tuple[Shape, Sequence[int]]
) -> Located:
    shape, corner = where
    block = np.asarray(block)
    if len(axes) == 1:
        (axis,) = axes
        numbers = find(block, axis=axis, keepdims=True)
        return Located(np.take_along_axis(block, numbers, axis), numbers + corner[axis])
    first = np.unravel_index(find(block), block.shape) if block.ndim else ()
    number = np.ravel_multi_index([a + b for a, b in zip(first, corner)], shape) if block.ndim else 0
    ones = (1,) * block.ndim
    return Located(block[first].reshape(ones), np.asarray(number, np.intp).reshape(ones))


def _arg_combine(extreme: Callable[..., Any], partials: Sequence[Located]) -> Located:
    """Of equal values, the one met first in the array, whichever block it is in; NaN wins over numbers, as in numpy."""
    values = np.stack([partial.values for partial in partials])
    numbers = np.stack([partial.numbers for partial in partials])
    best = extreme(values, axis=0)
    winners = (values == best) | ((values != values) & (best != best))
    return Located(best, np.where(winners, numbers, np.iinfo(np.intp).max).min(axis=0))


def _arg_finalize(located: Located, count: int, dtype: np.dtype) -> Any:
    return located.numbers


def _arg(name: str, find: Callable[..., Any], extreme: Callable[..., Any]) -> Reduction:
    chunk, combine = functools.partial(_arg_chunk, find), functools.partial(_arg_combine, extreme)
    return Reduction(name, chunk, combine, _arg_finalize, positional=True)


SUM = _by_ufunc("sum", np.add)
PROD = _by_ufunc("prod", np.multiply)
MIN = _by_ufunc("min", np.minimum, _extreme_by)
MAX = _by_ufunc("max", np.maximum, _extreme_by)
ANY = _by_ufunc("any", np.logical_or)
ALL = _by_ufunc("all", np.logical_and)
MEAN = Reduction("mean", _mean_chunk, functools.partial(_accumulate, np.add), _mean_finalize)
ARGMIN = _arg("argmin", np.argmin, np.min)
ARGMAX = _arg("argmax", np.argmax, np.max)


def variance(ddof: float) -> Reduction:
    """Variance, with ``n - ddof`` degrees of freedom."""
    return Reduction("var", _moments_chunk, _moments_combine, functools.partial(_var_finalize, ddof=ddof))


def deviation(ddof: float) -> Reduction:
    """Standard deviation, with ``n - ddof`` degrees of freedom."""
    return Reduction("std", _moments_chunk, _moments_combine, functools.partial(_std_finalize, ddof=ddof))
