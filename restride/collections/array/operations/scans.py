"""Scans: running sums, products and the like along an axis.

Each block is scanned by itself; what came before it is the fold of the last elements of the blocks before, and that is
found by a tree: blocks are folded in groups, groups in groups, and what is before a block is what is before its group
and the blocks before it in the group. So the depth is logarithmic as with Blelloch's algorithm, every step looks only
at blocks before it, and results come out in order as with a sequential scan.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.chunks import Chunks, Shape
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE, Cuts
from restride.collections.array.operations.reductions import without_nan
from restride.collections.array.operations.reshape import reshape
from restride.collections.array.operations.slicing import cut_array
from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.engine.graphs.csr import Ints, row_starts

GROUP = 8
"""How many blocks are folded to one at each level of the tree."""


@dataclass(frozen=True)
class Scanning:
    """A scan, as data."""

    name: str
    scan: Callable[..., Any]
    """``scan(block, axis=axis, dtype=dtype)``: of one block."""
    fold: Callable[[Any, Any], Any]
    """What two neighbouring stretches come to, of what each comes to; elementwise and associative."""
    identity: Any
    """What a stretch of nothing comes to."""


CUMSUM = Scanning("cumsum", np.cumsum, np.add, 0)
CUMPROD = Scanning("cumprod", np.cumprod, np.multiply, 1)


@dataclass(frozen=True, eq=False, repr=False)
class Scan(ArrayExpr):
    """An array scanned along an axis."""

    array: ArrayExpr
    scanning: Scanning
    axis: int
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return self.scanning.name

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return self.array.chunks

    def _masked(self) -> bool:
        return self._masked_if(self.scanning in (CUMSUM, CUMPROD))

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        if cuts[self.axis] != WHOLE:
            return None
        axis = self.axis - sum(isinstance(cut, int) for cut in cuts[: self.axis])
        return self.replace(array=cut_array(self.array, cuts), axis=axis)

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.n_blocks
        own = self._map("own", ScanBlock(self.scanning, self.axis, self.dtype), children[0])
        if self.grid[self.axis] == 1:
            return own
        last = self._map("last", LastOf(self.axis, self.scanning.identity), own)
        before = self._before(last, self.grid)
        return Map(
            n=n,
            inputs=(before, own),
            kernel=self.scanning.fold,
            index=(every(n), every(n)),
            name=self.label,
            origin=self.origin,
        )

    def _map(self, step: str, kernel: Callable[..., Any], table: Blocks) -> Map:
        name = f"{self.label}-{step}"
        return Map(
            n=table.n, inputs=(table,), kernel=kernel, index=(every(table.n),), name=name, origin=self.origin
        )  # fmt: skip

    def _before(self, folded: Blocks, grid: Shape) -> Blocks:
        """For each block of a grid, the fold of all before it along the axis."""
        if grid[self.axis] <= GROUP:
            return self._gather("before", FoldBefore(self.scanning), folded, _before_in_group(grid, self.axis))
        members, coarse = _groups(grid, self.axis)
        groups = self._gather("group", Fold(self.scanning.fold), folded, members)
        before_groups = self._before(groups, coarse)
        table = Select(
            n=before_groups.n + folded.n,
            inputs=(before_groups, folded),
            table=every(before_groups.n + folded.n),
        )
        rows = _before_with_group(grid, self.axis, coarse)
        return self._gather("before", Fold(self.scanning.fold), table, rows)

    def _gather(self, step: str, kernel: Callable[..., Any], table: Blocks, rows: _Rows) -> Gather:
        return Gather(
            n=len(rows.indptr) - 1,
            inputs=(table,),
            kernel=kernel,
            indptr=rows.indptr,
            indices=rows.indices,
            params=rows.params,
            name=f"{self.label}-{step}",
            origin=self.origin,
        )


class ScanBlock:
    """Kernel: a block, scanned."""

    def __init__(self, scanning: Scanning, axis: int, dtype: np.dtype) -> None:
        self.__name__ = scanning.name
        self.scan = scanning.scan
        self.axis = axis
        self.dtype = dtype

    def __call__(self, block: Any) -> Any:
        return self.scan(block, axis=self.axis, dtype=self.dtype)


class LastOf:
    """Kernel: what a scanned block comes to."""

    __name__ = "last"

    def __init__(self, axis: int, identity: Any) -> None:
        self.axis = axis
        self.identity = identity

    def __call__(self, block: Any) -> Any:
        block = np.ma.getdata(block)
        if block.shape[self.axis]:
            return np.take(block, [-1], axis=self.axis)
        shape = list(block.shape)
        shape[self.axis] = 1
        return np.full(shape, self.identity, block.dtype)


class Fold:
    """Kernel: what neighbouring stretches come to, in order."""

    __name__ = "fold"

    def __init__(self, fold: Callable[[Any, Any], Any]) -> None:
        self.fold = fold

    def __call__(self, *stretches: Any) -> Any:
        return functools.reduce(self.fold, stretches)


class FoldBefore:
    """Kernel: as `Fold`, but nothing comes before the first block, of which only shape and dtype are used."""

    __name__ = "fold"

    def __init__(self, scanning: Scanning) -> None:
        self.fold = scanning.fold
        self.identity = scanning.identity

    def __call__(self, first: int, *stretches: Any) -> Any:
        return np.full_like(stretches[0], self.identity) if first else functools.reduce(self.fold, stretches)


def scan(x: ArrayExpr, scanning: Scanning, axis: int | None = None, dtype: DTypeLike | None = None) -> ArrayExpr:
    """Scan an array along an axis, or (None) flattened; the chunks stay.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    """
    if axis is None:
        x, axis = (x if x.ndim == 1 else reshape(x, -1)), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    out = scanning.scan(np.ones(1, x.dtype), axis=0, dtype=dtype).dtype
    return Scan(x, scanning, axis, out)


def nanscan(x: ArrayExpr, scanning: Scanning, axis: int | None = None, dtype: DTypeLike | None = None) -> ArrayExpr:
    """As `scan`, with NaN counting as nothing."""
    return scan(without_nan(x, scanning.identity), scanning, axis, dtype)


@dataclass(frozen=True)
class _Rows:
    """The rows of a `Gather`."""

    indptr: Ints
    indices: Ints
    params: Any = None


def _numbered(grid: Shape, axis: int) -> tuple[Ints, Ints, int]:
    """For each block in C order its number, where it stands along the axis, and the step to its neighbour there."""
    numbers = every(math.prod(grid))
    step = math.prod(grid[axis + 1 :])
    return numbers, numbers // step % grid[axis], step


def _runs(starts: Ints, counts: Ints, step: int) -> tuple[Ints, Ints]:
    """CSR rows of `counts` blocks each, `step` apart, from `starts` on."""
    indptr = row_starts(counts)
    within = np.arange(indptr[-1]) - np.repeat(indptr[:-1], counts)
    return indptr, np.repeat(starts, counts) + within * step


def _before_in_group(grid: Shape, axis: int) -> _Rows:
    """All blocks before each along the axis; the block itself where it is the first."""
    numbers, place, step = _numbered(grid, axis)
    first = place == 0
    indptr, indices = _runs(numbers - place * step, np.where(first, 1, place), step)
    return _Rows(indptr, indices, first.astype(np.int64))


def _groups(grid: Shape, axis: int) -> tuple[_Rows, Shape]:
    """The blocks of each group, and the grid of the groups."""
    coarse = (*grid[:axis], -(-grid[axis] // GROUP), *grid[axis + 1 :])
    numbers, group, step = _numbered(coarse, axis)
    outer, inner = numbers // (step * coarse[axis]), numbers % step
    starts = (outer * grid[axis] + group * GROUP) * step + inner
    counts = np.minimum(grid[axis] - group * GROUP, GROUP)
    return _Rows(*_runs(starts, counts, step)), coarse


def _before_with_group(grid: Shape, axis: int, coarse: Shape) -> _Rows:
    """For each block what is before its group, then the blocks before it in the group, which are numbered after."""
    numbers, place, step = _numbered(grid, axis)
    in_group = place % GROUP
    outer, inner = numbers // (step * grid[axis]), numbers % step
    group = (outer * coarse[axis] + place // GROUP) * step + inner
    indptr, indices = _runs(numbers - (in_group + 1) * step, in_group + 1, step)
    indices += math.prod(coarse)
    indices[indptr[:-1]] = group
    return _Rows(indptr, indices)
