"""Overlapping blocks: blocks that are ranges of an array along each axis, and share elements with their neighbours.

Where tasks run in one process, a block is made straight out of the blocks it takes part of, in the task that uses it.
Between processes only the parts travel: each is a task of its own, as in a rechunk.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, is_unknown, per_block, starts_of
from restride.collections.array.expr import ArrayExpr, Box, OtherChunks, chunks_in
from restride.collections.array.operations.cuts import WHOLE, Cut, cut_of
from restride.collections.array.operations.masking import of_data_and_mask
from restride.collections.array.operations.pad import pad_constant, pad_edge, pad_symmetric, pad_wrap
from restride.collections.array.operations.slicing import cut_array, cut_blocks
from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.collections.expression import Expr
from restride.errors import ChunkError
from restride.shuffle.overlap import TO_THE_END, Overlap, overlap, windows
from restride.shuffle.rechunk_step import copy_piece, merge_pieces, step_of, take_piece

Depth = tuple[tuple[int, int], ...]
"""For each axis how many elements a block has of those before it, and how many of those after."""
Ranges = tuple[tuple[tuple[int, int], ...], ...]
"""For each axis the start and the stop of each block; () where they are the array's own, of unknown length."""

MOST_SOURCES = 81
"""Blocks that a task may take parts of without a task for each part: three along each of four axes."""


@dataclass(frozen=True, eq=False, repr=False)
class Windows(ArrayExpr):
    """Blocks that are ranges of an array's elements along each axis, which may overlap and need not cover it."""

    knows_masks = True

    array: ArrayExpr
    ranges: Ranges
    in_parts: bool = False
    """Whether each part that a block takes of another is a task of its own."""

    @property
    def label(self) -> str:
        return "overlap"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return tuple(
            tuple(stop - start for start, stop in ranges) if ranges else own
            for ranges, own in zip(self.ranges, self.array.chunks)
        )

    def shipped(self) -> Expr:
        return self if self.in_parts else self.replace(in_parts=True)

    def blocks(self, *children: Blocks) -> Blocks:
        axes = [
            windows(lengths, *np.array(ranges, np.int64).T) if ranges else overlap(lengths, lengths)
            for lengths, ranges in zip(self.array.chunks, self.ranges)
        ]
        if self.in_parts or () in self.ranges or math.prod(int(axis.counts.max()) for axis in axes) > MOST_SOURCES:
            return self._of_parts(children[0], axes)
        return self._of_blocks(children[0], axes)

    def of_blocks(self, box: Box) -> ArrayExpr | None:
        ranges: list[tuple[tuple[int, int], ...]] = []
        sides: list[Cut] = []
        for windows_of_axis, length, own, (first, stop) in zip(self.ranges, self.array.shape, self.array.grid, box):
            if not windows_of_axis:
                if (first, stop) != (0, own):
                    return None
                ranges.append(())
                sides.append(WHOLE)
                continue
            taken = windows_of_axis[first:stop]
            low, high = min(start for start, _ in taken), max(end for _, end in taken)
            ranges.append(tuple((start - low, end - low) for start, end in taken))
            sides.append(cut_of(range(low, high), length))
        return self.replace(array=cut_array(self.array, tuple(sides)), ranges=tuple(ranges))

    def _of_blocks(self, child: Blocks, axes: Sequence[Overlap]) -> Blocks:
        sources, parts = zip(*map(_columns, axes))
        numbers = np.arange(child.n).reshape(self.array.grid)
        places = itertools.product(*(range(len(source)) for source in sources))
        return Map(
            n=self.n_blocks,
            inputs=(child,) * math.prod(map(len, sources)),
            kernel=WindowOfBlocks([len(source) for source in sources]),
            index=tuple(
                numbers[np.ix_(*(source[at] for source, at in zip(sources, place)))].ravel() for place in places
            ),
            params=per_block(parts, self.grid),
            name=self.label,
            origin=self.origin,
        )

    def _of_parts(self, child: Blocks, axes: Sequence[Overlap]) -> Blocks:
        step = step_of(axes)
        parts = Map(
            n=len(step.source),
            inputs=(child,),
            kernel=copy_piece,
            index=(step.source,),
            params=step.bounds,
            name=f"{self.label}-part",
            origin=self.origin,
        )
        n = child.n + parts.n
        merged = Gather(
            n=len(step.grids),
            inputs=(Select(n=n, inputs=(child, parts), table=every(n)),),
            kernel=merge_pieces,
            indptr=step.indptr,
            indices=step.indices,
            params=step.grids,
            name=f"{self.label}-merge",
            origin=self.origin,
        )
        return Select(n=self.n_blocks, inputs=(child, parts, merged), table=step.outputs)


class WindowOfBlocks:
    """Kernel: a block merged of parts of a grid of blocks, given start and stop of the parts along each axis."""

    __name__ = "overlap"

    def __init__(self, grid: Sequence[int]) -> None:
        self.grid = tuple(grid)

    @of_data_and_mask
    def __call__(self, bounds: list[int], *blocks: Any) -> Any:
        shape, copies = _copies(self.grid, tuple(bounds))
        if len(copies) == 1:
            number, _, part = copies[0]
            return blocks[number][part]
        window = np.empty(shape, blocks[0].dtype)
        for number, place, part in copies:
            window[place] = blocks[number][part]
        return window


Slices = tuple[slice, ...]


@lru_cache(maxsize=1024)  # nearly all windows of an array are alike
def _copies(grid: Shape, bounds: tuple[int, ...]) -> tuple[Shape, list[tuple[int, Slices, Slices]]]:
    """The shape of a window, and what to copy: which block of the grid, to which part of the window, from which."""
    shape, axes, at = [], [], 0
    for n in grid:
        pieces, length = [], 0
        for number, (start, stop) in enumerate(zip(bounds[at : at + 2 * n : 2], bounds[at + 1 : at + 2 * n : 2])):
            if start < stop:
                pieces.append((number, slice(length, length + stop - start), slice(start, stop)))
                length += stop - start
        at += 2 * n
        axes.append(pieces or [(0, slice(0, 0), slice(0, 0))])
        shape.append(length)
    copies = []
    for of_axes in itertools.product(*axes):
        numbers, places, parts = zip(*of_axes)
        copies.append((int(np.ravel_multi_index(numbers, grid)), places, parts))
    return tuple(shape), copies


@dataclass(frozen=True, eq=False, repr=False)
class Trim(OtherChunks):
    """A part of each block: as long as `new_chunks` say."""

    knows_masks = True

    firsts: tuple[tuple[int, ...], ...]
    """For each axis, where in each block the part starts."""

    def blocks(self, *children: Blocks) -> Blocks:
        columns = [
            np.stack([firsts, [TO_THE_END] * len(firsts) if is_unknown(lengths) else np.add(firsts, lengths)], axis=1)
            for firsts, lengths in zip(self.firsts, self.chunks)
        ]
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=take_piece,
            index=(every(self.n_blocks),),
            params=per_block(columns, self.grid),
            name=self.label,
            origin=self.origin,
        )

    def of_blocks(self, box: Box) -> ArrayExpr | None:
        array = cut_blocks(self.array, box)
        if array is None:
            return None
        firsts = tuple(axis[start:stop] for axis, (start, stop) in zip(self.firsts, box))
        return self.replace(array=array, new_chunks=chunks_in(self.chunks, box), firsts=firsts)


def overlapped(x: ArrayExpr, depth: Depth, boundary: Sequence[Any]) -> ArrayExpr:
    """The array with each block longer by elements of its neighbours.

    Parameters
    ----------
    x : ArrayExpr
    depth : tuple of (int, int)
        For each axis how many elements are added before and after.
    boundary : sequence of str or scalar
        For each axis what is beyond its ends: a key of `BOUNDARIES`, or a value; see `restride.array.overlap.overlap`.
    """
    ranges: list[tuple[tuple[int, int], ...]] = []
    for lengths, (before, after), kind in zip(x.chunks, depth, boundary):
        if is_unknown(lengths) and (before, after) == (0, 0):
            ranges.append(())
            continue
        edges = starts_of(lengths).tolist()
        first, last = (0, edges[-1]) if kind == "none" else (-before, edges[-1] + after)
        ranges.append(tuple((max(a - before, first), min(b + after, last)) for a, b in pairwise(edges)))
    starts = [of_axis[0][0] if of_axis else 0 for of_axis in ranges]
    for axis, (width, kind) in enumerate(zip(depth, boundary)):
        x = with_boundary(x, axis, width, kind)
    shifted = tuple(tuple((a - first, b - first) for a, b in of_axis) for of_axis, first in zip(ranges, starts))
    new = Windows(x, shifted)
    return x if new.chunks == x.chunks else new


def trimmed(x: ArrayExpr, depth: Depth, boundary: Sequence[Any], lengths: Chunks) -> ArrayExpr:
    """The array without what `overlapped` added to the blocks of an array with these `lengths`, where it still is."""
    firsts, kept = [], []
    for axis, ((before, after), kind) in enumerate(zip(depth, boundary)):
        if (before, after) == (0, 0):
            firsts.append((0,) * len(x.chunks[axis]))
            kept.append(x.chunks[axis])
            continue
        edges = starts_of(lengths[axis]).tolist()
        none = kind == "none"
        at = tuple(min(before, a) if none else before for a in edges[:-1])
        rest = tuple(min(after, edges[-1] - b) if none else after for b in edges[1:])
        firsts.append(at)
        kept.append(tuple(n - a - b for n, a, b in zip(x.chunks[axis], at, rest)))
        if min(kept[-1]) < 0:
            raise ChunkError(
                f"blocks of {min(x.chunks[axis])} elements along axis {axis} cannot be trimmed by {before} and {after}"
            )
    return x if tuple(kept) == x.chunks else Trim(x, tuple(kept), tuple(firsts))


def with_boundary(x: ArrayExpr, axis: int, width: tuple[int, int], kind: Any) -> ArrayExpr:
    """The array with elements beyond the ends of an axis; see `overlapped`."""
    if kind == "none" or width == (0, 0):
        return x
    if isinstance(kind, str):
        return BOUNDARIES[kind](x, axis, width)
    return pad_constant(x, axis, width, (kind, kind))


BOUNDARIES: dict[str, Callable[[ArrayExpr, int, tuple[int, int]], ArrayExpr]] = {
    "reflect": pad_symmetric,
    "periodic": pad_wrap,
    "nearest": pad_edge,
}


def _columns(axis: Overlap) -> tuple[np.ndarray, np.ndarray]:
    """For each window of an axis the blocks it takes part of, padded to equal numbers with parts of no length.

    Returns
    -------
    sources : int64[k, windows]
    parts : int64[windows, 2 * k]
        Start and stop of each part.
    """
    n, k = len(axis.counts), int(axis.counts.max(initial=1))
    sources = np.repeat(axis.source[axis.first], k).reshape(n, k)
    parts = np.zeros((n, k, 2), np.int64)
    sources[axis.owner, axis.rank] = axis.source
    parts[axis.owner, axis.rank, 0] = axis.start
    parts[axis.owner, axis.rank, 1] = axis.stop
    return sources.T, parts.reshape(n, 2 * k)
