"""Whole blocks of an array, by their place in its grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks
from restride.collections.array.expr import ArrayExpr, OtherChunks
from restride.collections.blocks import Blocks, Map, Select, every


@dataclass(frozen=True, eq=False, repr=False)
class SelectBlocks(ArrayExpr):
    """The outer product of some blocks of each axis."""

    knows_masks = True

    array: ArrayExpr
    numbers: tuple[tuple[int, ...], ...]

    @property
    def label(self) -> str:
        return "blocks"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return tuple(tuple(lengths[i] for i in numbers) for lengths, numbers in zip(self.array.chunks, self.numbers))

    def blocks(self, *children: Blocks) -> Blocks:
        table = np.arange(children[0].n).reshape(self.array.grid)[np.ix_(*self.numbers)].ravel()
        return Select(n=len(table), inputs=children, table=table)


@dataclass(frozen=True, eq=False, repr=False)
class WithChunks(OtherChunks):
    """The same blocks, whose lengths have become known."""

    knows_masks = True

    def blocks(self, *children: Blocks) -> Blocks:
        return children[0]


@dataclass(frozen=True, eq=False, repr=False)
class BlockShapes(ArrayExpr):
    """The shape of each block, int64[blocks, ndim]."""

    knows_masks = True

    array: ArrayExpr

    def _dtype(self) -> np.dtype:
        return np.dtype(np.int64)

    def _chunks(self) -> Chunks:
        return ((1,) * self.array.n_blocks, (self.array.ndim,))

    def blocks(self, *children: Blocks) -> Blocks:
        n = children[0].n
        return Map(
            n=n, inputs=children, kernel=_shape_of, index=(every(n),), name="compute_chunk_sizes", origin=self.origin
        )


def select_blocks(x: ArrayExpr, index: Any) -> ArrayExpr:
    """Blocks at an index of the grid: integers, slices, and at most one list of integers or booleans.

    Raises
    ------
    IndexError
        There are no such blocks, or the index has newaxis or several lists.
    """
    entries = index if isinstance(index, tuple) else (index,)
    if any(entry is None for entry in entries):
        raise IndexError("blocks have no new axes: newaxis cannot be in their index")
    if sum(np.ndim(entry) > 0 for entry in entries if not isinstance(entry, slice) and entry is not Ellipsis) > 1:
        raise IndexError("an index of blocks can only have a single list")
    used = sum(entry is not Ellipsis for entry in entries)
    if used > x.ndim:
        raise IndexError(f"too many indices for blocks: there are {x.ndim} axes, but {used} were indexed")
    if Ellipsis not in [entry if entry is Ellipsis else None for entry in entries]:
        entries = (*entries, Ellipsis)
    at = next(number for number, entry in enumerate(entries) if entry is Ellipsis)
    entries = (*entries[:at], *(slice(None),) * (x.ndim - used), *entries[at + 1 :])
    numbers = tuple(
        tuple(np.atleast_1d(np.arange(n)[entry if isinstance(entry, slice) else np.asarray(entry)]).tolist())
        for n, entry in zip(x.grid, entries)
    )
    if not all(numbers):
        raise IndexError(f"no blocks are left by {index!r} of a grid of {x.grid}")
    return SelectBlocks(x, numbers)


def chunks_from_shapes(shapes: np.ndarray, grid: tuple[int, ...]) -> Chunks:
    """Chunks from the shape of every block, int64[blocks, ndim].

    Raises
    ------
    ValueError
        Blocks that lie side by side differ in length.
    """
    ndim = len(grid)
    by_place = shapes.reshape(*grid, ndim)
    chunks = []
    for axis in range(ndim):
        lengths = np.moveaxis(by_place[..., axis], axis, 0).reshape(grid[axis], -1)
        if (lengths != lengths[:, :1]).any():
            raise ValueError(f"blocks that lie side by side differ in length along axis {axis}")
        chunks.append(tuple(lengths[:, 0].tolist()))
    return tuple(chunks)


def _shape_of(block: Any) -> np.ndarray:
    return np.array([np.shape(block)], np.int64)
