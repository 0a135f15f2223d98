"""Sorting along an axis: lines that fit into a block there, longer ones by cutting sorted blocks where ranks say.

A long line is not gathered: its blocks are sorted, `selection` finds where each must be cut, and every block of the
result merges what is cut out for it, one piece from each block. Chunks stay as they are. It is stable: of equal
elements, and NaN is one, those of earlier blocks come first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.collections.array.chunks import Chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.along_axis import along_axis
from restride.collections.array.operations.cuts import WHOLE
from restride.collections.array.operations.elementwise import elementwise
from restride.collections.array.operations.fft import SMALL_BLOCK
from restride.collections.array.operations.manipulation import flip, stack, transpose
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.reshape import reshape
from restride.collections.array.operations.selection import Found, SortedBlocks, differ, select
from restride.collections.array.operations.slicing import getitem
from restride.collections.blocks import Blocks, Gather, Map
from restride.engine.graphs.csr import Ints

FEW_LINES = 64
"""Up to how many long lines are worked on one by one."""


@dataclass(frozen=True, eq=False, repr=False)
class Merged(ArrayExpr):
    """A line, sorted, of sorted blocks and the places to cut them at; or where its elements were."""

    ordered: ArrayExpr
    cuts: ArrayExpr
    """int64[blocks of the line, blocks of the result - 1], in one block."""
    places: bool

    @property
    def label(self) -> str:
        return "argsort" if self.places else "sort"

    def _dtype(self) -> np.dtype:
        return np.dtype(np.intp) if self.places else self.ordered.dtype

    def _chunks(self) -> Chunks:
        return self.ordered.chunks

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.n_blocks
        source, target = np.divmod(np.arange(n * n), n)
        pieces = Map(
            n=n * n,
            inputs=children,
            kernel=cut_piece,
            index=(source, np.zeros(n * n, np.int64)),
            params=np.stack([source, target], axis=1),
            name=f"{self.label}-piece",
            origin=self.origin,
        )
        return Gather(
            n=n,
            inputs=(pieces,),
            kernel=merge_places if self.places else merge_values,
            indptr=np.arange(0, n * n + 1, n),
            indices=np.arange(n * n).reshape(n, n).T.ravel(),
            name=f"{self.label}-merge",
            origin=self.origin,
        )


def cut_piece(where: Sequence[int], ordered: Any, cuts: NDArray[np.int64]) -> Any:
    """Kernel: what a block of the result gets of a sorted block, a copy, so that the block need not be kept."""
    source, target = where
    start = int(cuts[source, target - 1]) if target else 0
    stop = int(cuts[source, target]) if target < cuts.shape[1] else None
    if isinstance(ordered, tuple):
        return tuple(part[start:stop].copy() for part in ordered)
    return ordered[start:stop].copy()


def merge_values(*pieces: NDArray[Any]) -> NDArray[Any]:
    """Kernel: sorted pieces as one."""
    merged = np.concatenate(pieces)
    merged.sort()  # faster than merging, and of equal values none is before another
    return merged


def merge_places(*pieces: tuple[NDArray[Any], Ints]) -> Ints:
    """Kernel: the places of the elements of sorted pieces, in the order of the elements."""
    order = np.argsort(np.concatenate([values for values, _ in pieces]), kind="stable")
    return np.concatenate([places for _, places in pieces])[order]


class Bounds:
    """The ranks at which blocks of a result begin, but for the first."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.starts = np.cumsum(lengths)[:-1]

    def __call__(self, count: int) -> Ints:
        return self.starts


def _cuts(ranks: Bounds, found: Found, dtype: np.dtype) -> Ints:
    """How many elements of each sorted block come before each rank, int64[blocks, ranks]."""
    n = len(found.counts)
    cuts = found.below.copy()
    for number, (wanted, (values, blocks)) in enumerate(zip(ranks(0), found.inside)):
        value = np.sort(values)[wanted - found.below[:, number].sum()]
        same = ~differ(values, np.broadcast_to(value, values.shape))
        less = ~same & ((values < value) | ((value != value) & (values == values)))
        less_by_block = np.bincount(blocks[less], minlength=n)
        same_by_block = np.bincount(blocks[same], minlength=n)
        left = wanted - found.below[:, number].sum() - less_by_block.sum()
        before = np.cumsum(same_by_block) - same_by_block
        cuts[:, number] += less_by_block + np.clip(left - before, 0, same_by_block)
    return cuts


def sort(x: ArrayExpr, axis: int | None = -1, *, descending: bool = False) -> ArrayExpr:
    """The elements in order along an axis, or (None) flattened."""
    x, axis = _line(x, axis)
    result = _sorted(x, axis, places=False)
    return flip(result, axis) if descending else result


def argsort(x: ArrayExpr, axis: int | None = -1, *, descending: bool = False) -> ArrayExpr:
    """The places along an axis of the elements in order; of equal ones in the order of the places."""
    x, axis = _line(x, axis)
    if not descending:
        return _sorted(x, axis, places=True)
    backwards = flip(_sorted(flip(x, axis), axis, places=True), axis)
    return elementwise(np.subtract, np.intp(x.shape[axis] - 1), backwards)


def lines_are_long(x: ArrayExpr, axis: int) -> bool:
    """Whether an axis cannot be gathered without blocks that are far larger than those there are."""
    if len(x.chunks[axis]) == 1:
        return False
    largest = math.prod(max(lengths) for lengths in x.chunks)
    return x.shape[axis] > max(2 * largest, SMALL_BLOCK // max(x.dtype.itemsize, 1))


def by_line(x: ArrayExpr, axis: int) -> list[ArrayExpr] | None:
    """The lines along an axis, where they are long and few; None where the axis is better gathered."""
    lines = math.prod(length for a, length in enumerate(x.shape) if a != axis)
    if not lines_are_long(x, axis) or not 1 <= lines <= FEW_LINES:
        return None
    if x.ndim == 1:
        return [x]
    others = [range(length) for a, length in enumerate(x.shape) if a != axis]
    indices = np.stack(np.meshgrid(*others, indexing="ij"), axis=-1).reshape(lines, len(others)).tolist()
    return [getitem(x, (*index[:axis], WHOLE, *index[axis:])) for index in indices]


def joined(lines: Sequence[ArrayExpr], shape: tuple[int, ...], axis: int) -> ArrayExpr:
    """Results of `by_line` as one array: what has become of the lines stands along the axis; nowhere, if scalars."""
    others = (*shape[:axis], *shape[axis + 1 :])
    if lines[0].ndim == 0:
        return reshape(stack(lines), others)
    spread = reshape(stack(lines, axis=1), (lines[0].shape[0], *others))
    order = list(range(1, spread.ndim))
    order.insert(axis, 0)
    return transpose(spread, order)


def _line(x: ArrayExpr, axis: int | None) -> tuple[ArrayExpr, int]:
    if axis is None:
        return (x if x.ndim == 1 else reshape(x, -1)), 0
    return x, np.lib.array_utils.normalize_axis_index(axis, x.ndim)


def _sorted(x: ArrayExpr, axis: int, *, places: bool) -> ArrayExpr:
    dtype = np.dtype(np.intp) if places else x.dtype
    lines = by_line(x, axis)
    if lines is None:
        func = np.argsort if places else np.sort
        kind = {"kind": "stable"} if places else {}
        return along_axis(x, func, axis, length=x.shape[axis], dtype=dtype, **kind)
    return joined([_sorted_line(line, places) for line in lines], x.shape, axis)


def _sorted_line(x: ArrayExpr, places: bool) -> ArrayExpr:
    lengths = tuple(length for length in x.chunks[0] if length)
    ordered = SortedBlocks(rechunk(x, (lengths,)), (lengths,), places)
    ranks = Bounds(lengths)
    cuts = select(
        ordered,
        ranks,
        partial(_cuts, ranks),
        with_nan=True,
        result_chunks=((len(lengths),), (len(lengths) - 1,)),
        dtype=np.dtype(np.int64),
    )
    return rechunk(Merged(ordered, cuts, places), x.chunks)
